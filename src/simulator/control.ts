import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { isInterval, nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import { type Fault, faultSchema, ImpossibleFault } from './fault-shapes.ts';
import { isLocalRequest } from './guard.ts';
import type { LogEntry } from './journal.ts';
import type { Truth } from './truth.ts';

/** What the control server commands. */
export interface Controlled {
  readonly truth: Truth;
  state(): object;
  log(): readonly LogEntry[];
  clearLog(): void;
  inject(fault: Fault): void;
  clearFaults(): void;
}

const BODY_MAX = 65_536;
const ROWS_MAX = 10_000;

class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The server that commands faults and tells the log; its own port, so that no fault strikes it. */
export function createControlServer(controlled: Controlled): Server {
  return createServer((request, response) => {
    answer(controlled, request).then(
      (value) => send(response, value === undefined ? 204 : 200, value),
      (error: unknown) => {
        const status = error instanceof Refused ? error.status : error instanceof ImpossibleFault ? 400 : 500;
        send(response, status, { error: error instanceof Error ? error.message : String(error) });
      },
    );
  });
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.on('error', () => {});
  const body = value === undefined ? '' : JSON.stringify(value);
  response.writeHead(status, body === '' ? {} : { 'content-type': 'application/json' });
  response.end(body);
}

async function answer(controlled: Controlled, request: IncomingMessage): Promise<unknown> {
  if (!isLocalRequest(request)) throw new Refused(403, 'only requests of this machine are answered');
  const url = new URL(request.url ?? '/', 'http://control');
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /log':
      return controlled.log();
    case 'DELETE /log':
      return controlled.clearLog();
    case 'GET /state':
      return controlled.state();
    case 'POST /faults':
      controlled.inject(readFault(await readBody(request)));
      return undefined;
    case 'DELETE /faults':
      return controlled.clearFaults();
    case 'GET /truth':
      return readTruth(controlled.truth, url.searchParams);
    default:
      throw new Refused(404, 'GET|DELETE /log, POST|DELETE /faults, GET /state, GET /truth');
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_MAX) throw new Refused(413, `a body has at most ${BODY_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readFault(text: string): Fault {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused(400, 'the body is no JSON');
  }
  const result = faultSchema.safeParse(value);
  if (!result.success) throw new Refused(400, z.prettifyError(result.error));
  return result.data;
}

/** Final candles that open in [from, to), whether they are over already or not. */
function readTruth(truth: Truth, params: URLSearchParams): unknown[] {
  const interval = params.get('interval');
  const symbol = params.get('symbol') ?? '';
  const from = Number(params.get('from') ?? Number.NaN);
  const to = Number(params.get('to') ?? Number.NaN);
  if (!isInterval(interval)) throw new Refused(400, 'interval: one of 1m … 1M');
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to))
    throw new Refused(400, 'from, to: ms since epoch');
  if (!truth.symbols().some((info) => info.symbol === symbol))
    throw new Refused(400, 'symbol: none of this exchange');
  const candles: unknown[] = [];
  let open = openTimeAt(interval, from);
  if (open < from) open = nextOpenTime(interval, open);
  for (let asked = 0; open < to; open = nextOpenTime(interval, open), asked++) {
    if (asked === ROWS_MAX) throw new Refused(400, `from, to: at most ${ROWS_MAX} bars at a time`);
    const candle = truth.candle(symbol, interval, open);
    if (candle) candles.push(candle);
  }
  return candles;
}
