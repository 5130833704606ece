import type { IncomingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Archive } from './archive.ts';
import type { FaultOf } from './fault-shapes.ts';
import type { Journal } from './journal.ts';
import { answerFile } from './ranges.ts';
import { type Answer, answerRest, JSON_TYPE, json, type RestPorts } from './rest.ts';

export interface WebPorts extends RestPorts {
  readonly archive: Archive;
  readonly journal: Journal;
}

/** A request of REST or archive. */
export interface WebRequest {
  readonly method: string;
  /** Path with query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Whether it comes from this machine's own programs. */
  readonly isLocal: boolean;
}

/** What becomes of a request. */
export type WebReply =
  /** No answer comes, and the connection stays. */
  | { readonly kind: 'silence' }
  /** The connection is reset. */
  | { readonly kind: 'reset' }
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly bytes: Uint8Array;
      /** After half of the bytes nothing comes (`hangs`), or the connection ends (`cut`). */
      readonly ending: 'whole' | 'hangs' | 'cut';
    };

/** A request that has come in: what is made of it is to be asked after so many wall ms. */
export interface Asked {
  readonly delayMs: number;
  /** Decides, as things are then. Never rejects. */
  reply(): Promise<WebReply>;
}

/** Takes GET requests of REST and archive, and HEAD of the archive. Never throws. */
export function takeWeb(ports: WebPorts, request: WebRequest): Asked {
  const { journal, faults } = ports;
  const { target } = request;
  const failed = (status: number): WebReply => {
    journal.add('http', { path: target, status });
    return { kind: 'answer', status, headers: {}, bytes: Buffer.alloc(0), ending: 'whole' };
  };
  if (!request.isLocal) return { delayMs: 0, reply: async () => failed(403) };
  const url = URL.parse(target, 'http://exchange');
  if (url === null) return { delayMs: 0, reply: async () => failed(500) };
  const fault = faults.take('rest', ({ path }) => path === undefined || url.pathname.startsWith(path));
  return {
    delayMs: fault?.delayMs ?? 0,
    reply: () => replyTo(ports, request, url, fault).catch(() => failed(500)),
  };
}

async function replyTo(
  ports: WebPorts,
  request: WebRequest,
  url: URL,
  fault: FaultOf<'rest'> | undefined,
): Promise<WebReply> {
  const { journal } = ports;
  const path = request.target;
  if (fault?.hang === 'headers' || fault?.destroy) {
    journal.add('http', { path, status: 0 });
    return { kind: fault.destroy ? 'reset' : 'silence' };
  }
  const answer = isAllowed(request, url) ? await route(ports, request, url) : notAllowed();
  const sent = fault === undefined ? answer : spoil(answer, fault);
  const plain = typeof sent.body === 'string' ? Buffer.from(sent.body) : sent.body;
  const bytes = fault?.gzip === undefined ? plain : badGzip(plain);
  const weight = answer.weight === undefined ? {} : { weight: answer.weight };
  journal.add('http', { path, status: sent.status, bytes: bytes.length, ...weight });
  const headers = {
    'content-type': sent.type,
    'content-length': String(bytes.length),
    ...(fault?.gzip && { 'content-encoding': 'gzip' }),
    ...sent.headers,
  };
  const ending = fault?.hang === 'body' ? 'hangs' : fault?.cut ? 'cut' : 'whole';
  return { kind: 'answer', status: sent.status, headers, bytes, ending };
}

/** What comes of a body that does not come whole. */
export const halfOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, Math.ceil(bytes.length / 2));

const isOfArchive = (url: URL): boolean => url.pathname.startsWith('/data/');
const isAllowed = ({ method }: WebRequest, url: URL): boolean =>
  method === 'GET' || (method === 'HEAD' && isOfArchive(url));

const notAllowed = (): Answer => json(405, { code: -1000, msg: 'Method not allowed.' }, { allow: 'GET' });

/** A gzip body whose second half is other bytes. */
function badGzip(plain: Uint8Array): Uint8Array {
  const bytes = gzipSync(plain);
  return bytes.map((byte, i) => (i > 10 && i >= bytes.length / 2 ? byte ^ 0xff : byte));
}

/** The answer as a fault has it. */
function spoil(answer: Answer, fault: FaultOf<'rest'>): Answer {
  const body = typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body);
  const status = fault.status ?? answer.status;
  const failed = fault.status !== undefined && fault.status >= 400;
  return {
    status,
    body:
      body ??
      (failed ? JSON.stringify({ code: -1001, msg: 'Internal error; unable to process.' }) : answer.body),
    type: fault.contentType ?? (body === undefined && !failed ? answer.type : JSON_TYPE),
    headers: { ...answer.headers, ...fault.headers },
  };
}

async function route(ports: WebPorts, request: WebRequest, url: URL): Promise<Answer> {
  const { archive, now } = ports;
  if (!isOfArchive(url)) return answerRest(ports, url);
  let path: string;
  try {
    path = decodeURIComponent(url.pathname);
  } catch {
    path = '';
  }
  const file = await archive.read(path, now());
  if (file === undefined) {
    const body = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code></Error>';
    return { status: 404, body, type: 'application/xml' };
  }
  const type = path.endsWith('.zip') ? 'application/zip' : 'binary/octet-stream';
  return answerFile(request.headers, file.bytes, type, file.modifiedAt);
}
