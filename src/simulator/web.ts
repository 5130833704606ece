import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Clock } from '../ports.ts';
import type { Archive } from './archive.ts';
import type { FaultOf } from './fault-shapes.ts';
import type { Journal } from './journal.ts';
import { answerFile } from './ranges.ts';
import { type Answer, answerRest, JSON_TYPE, json, type RestPorts } from './rest.ts';

export interface WebPorts extends RestPorts {
  readonly clock: Clock;
  readonly archive: Archive;
  readonly journal: Journal;
}

/** Answers GET requests of REST and archive, and HEAD of the archive. Never throws. */
export async function answerWeb(
  ports: WebPorts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { journal, faults, clock } = ports;
  const target = request.url ?? '/';
  response.on('error', () => {});
  try {
    const url = new URL(target, 'http://exchange');
    const fault = faults.take('rest', ({ path }) => path === undefined || url.pathname.startsWith(path));
    if (fault?.delayMs !== undefined) {
      // A timer that outlives its request must not keep the process.
      await new Promise<void>((resolve) => {
        const timer = clock.setTimeout(resolve, fault.delayMs as number);
        response.once('close', () => {
          clock.clearTimeout(timer);
          resolve();
        });
      });
    }
    if (fault?.hang === 'headers' || fault?.destroy) {
      journal.add('http', { path: target, status: 0 });
      if (fault.destroy) request.socket.resetAndDestroy();
      return;
    }
    const answer = isAllowed(request, url) ? await route(ports, request, url) : notAllowed();
    const sent = fault === undefined ? answer : spoil(answer, fault);
    const plain = typeof sent.body === 'string' ? Buffer.from(sent.body) : sent.body;
    const bytes = fault?.gzip === undefined ? plain : badGzip(plain);
    const weight = answer.weight === undefined ? {} : { weight: answer.weight };
    journal.add('http', { path: target, status: sent.status, bytes: bytes.length, ...weight });
    if (response.destroyed) return;
    response.writeHead(sent.status, {
      'content-type': sent.type,
      'content-length': String(bytes.length),
      ...(fault?.gzip && { 'content-encoding': 'gzip' }),
      ...sent.headers,
    });
    const half = bytes.subarray(0, Math.ceil(bytes.length / 2));
    if (fault?.hang === 'body') response.write(half);
    else if (fault?.cut) response.write(half, () => request.socket.destroySoon());
    else response.end(bytes);
  } catch {
    journal.add('http', { path: target, status: 500 });
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
}

const isOfArchive = (url: URL): boolean => url.pathname.startsWith('/data/');
const isAllowed = ({ method }: IncomingMessage, url: URL): boolean =>
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

async function route(ports: WebPorts, request: IncomingMessage, url: URL): Promise<Answer> {
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
