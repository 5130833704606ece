import type { IncomingMessage, ServerResponse } from 'node:http';
import { REST_PATHS, USED_WEIGHT_HEADER } from '../binance/venue.ts';
import type { Clock } from '../ports.ts';
import type { Archive } from './archive.ts';
import { exchangeInfo } from './exchange-info.ts';
import type { FaultBoard, FaultOf } from './faults.ts';
import type { Journal } from './journal.ts';
import { klinesRows, readKlinesQuery, restRow } from './klines.ts';
import type { Market } from './market.ts';
import { measuredKlinesWeight, type WeightMeter } from './weight.ts';

export interface WebPorts {
  readonly clock: Clock;
  readonly now: () => number;
  readonly market: Market;
  readonly archive: Archive;
  readonly faults: FaultBoard;
  readonly journal: Journal;
  readonly weight: WeightMeter;
}

interface Answer {
  readonly status: number;
  readonly body: string | Uint8Array;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly weight?: number;
}

const JSON_TYPE = 'application/json;charset=UTF-8';
const json = (status: number, value: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  body: JSON.stringify(value),
  type: JSON_TYPE,
  headers,
});

/** Answers GET requests of REST and archive. Never throws. */
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
    if (fault?.hang === 'headers') {
      journal.add('http', { path: target, status: 0 });
      return;
    }
    const answer = request.method === 'GET' ? await route(ports, url) : notAllowed();
    const sent = fault === undefined ? answer : spoil(answer, fault);
    const bytes = typeof sent.body === 'string' ? Buffer.from(sent.body) : sent.body;
    const weight = answer.weight === undefined ? {} : { weight: answer.weight };
    journal.add('http', { path: target, status: sent.status, bytes: bytes.length, ...weight });
    if (response.destroyed) return;
    response.writeHead(sent.status, {
      'content-type': sent.type,
      'content-length': String(bytes.length),
      ...sent.headers,
    });
    if (fault?.hang === 'body') response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)));
    else response.end(bytes);
  } catch {
    journal.add('http', { path: target, status: 500 });
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
}

const notAllowed = (): Answer => json(405, { code: -1000, msg: 'Method not allowed.' }, { allow: 'GET' });

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

async function route(ports: WebPorts, url: URL): Promise<Answer> {
  const { archive, now } = ports;
  if (!url.pathname.startsWith('/data/')) return rest(ports, url);
  let path: string;
  try {
    path = decodeURIComponent(url.pathname);
  } catch {
    path = '';
  }
  const bytes = await archive.read(path, now());
  if (bytes === undefined) {
    const body = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code></Error>';
    return { status: 404, body, type: 'application/xml' };
  }
  return {
    status: 200,
    body: bytes,
    type: path.endsWith('.zip') ? 'application/zip' : 'binary/octet-stream',
  };
}

/** REST: books the weight first, since refused requests cost as well. */
async function rest(ports: WebPorts, url: URL): Promise<Answer> {
  const { market, weight: meter } = ports;
  const params = url.searchParams;
  const isKlines = url.pathname === REST_PATHS.klines;
  if (!isKlines && !Object.values<string>(REST_PATHS).includes(url.pathname)) {
    return json(404, { code: -1000, msg: `Path ${url.pathname}, Method GET is invalid` });
  }
  const limit = params.get('limit');
  const weight = isKlines ? measuredKlinesWeight(limit === null ? undefined : Number(limit) || 0) : 1;
  const used = meter.book(weight);
  const headers = { [USED_WEIGHT_HEADER.toUpperCase()]: String(meter.used) };
  if (used === undefined) {
    const msg =
      `Too many requests; current limit of IP(127.0.0.1) is ${meter.limit} requests per minute. ` +
      'Please use the websocket for live updates to avoid polling the API.';
    return {
      ...json(429, { code: -1003, msg }, { ...headers, 'Retry-After': String(meter.retryAfter()) }),
      weight,
    };
  }
  const now = ports.now();
  if (isKlines) {
    const query = readKlinesQuery(market, params);
    if ('code' in query) return { ...json(400, query, headers), weight };
    const rows = await klinesRows(market, query, now);
    return { ...json(200, rows.map(restRow), headers), weight };
  }
  if (url.pathname === REST_PATHS.time) return { ...json(200, { serverTime: now }, headers), weight };
  if (url.pathname === REST_PATHS.ping) return { ...json(200, {}, headers), weight };
  const infos = Array.from(market.sources, (source) => source.info);
  return { ...json(200, exchangeInfo(infos, now, meter.limit), headers), weight };
}
