/**
 * An exchange that carries thousands of streams all of which trade. Started by `fork` with a {@link VenuePlan}; tells its
 * URLs, then does what it is told. Its time runs by itself; each stream sends its bar a few times a second, closes it
 * behind its end, and goes on with the next. When a close was sent is kept: before it is written to the connection.
 */
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { type Interval, nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import { frameText, klineRows, type Stream, streamsOf } from '../bench/frames.ts';
import { textFrame } from '../support/raw-server.ts';
import { instant } from './instant.ts';
import type { VenueOrder, VenuePlan } from './life.ts';

/** Between two looks at what is due, ms. */
const TICK_MS = 10;
const LOOK_BACK_MS = 3_600_000;

interface Carried {
  readonly stream: Stream;
  readonly number: number;
  readonly socket: Socket;
  /** Of the bar that forms, ms. */
  openTime: number;
  end: number;
  /** Its frame, and where its stamp is. */
  forming: Buffer;
  stampAt: number;
  /** When it sends next, by `instant()`. */
  nextAt: number;
}

const plan = JSON.parse(process.argv[2] ?? '{}') as VenuePlan;
let { pace } = plan;
const streams = streamsOf({ ...plan, minutes: 0, framesPerMinute: 0 });
const numberOf = new Map(streams.map(({ name }, number) => [name, number]));
const startedAt = instant();
const now = (at = instant()): number => Math.floor(plan.begin + (at - startedAt) * plan.timeScale);
const carried = new Map<number, Carried>();
const sockets = new Set<Socket>();
let sent: number[] = [];

const STAMP = '"E":';
function form(one: Carried, openTime: number, time: number): void {
  one.openTime = openTime;
  one.end = nextOpenTime(one.stream.interval, openTime);
  one.forming = textFrame(frameText(one.stream, Math.max(time, openTime + 1)));
  one.stampAt = one.forming.indexOf(STAMP) + STAMP.length;
}

/** Streams take turns: who is how far in a row of all, 0 to 1; neighbours are far from each other. */
const turnOf = (number: number): number => (number * 0.618_033_988_749_895) % 1;

/** What a stream has to say at a look; undefined: nothing. A bar that ended is closed before the next is told of. */
function said(one: Carried, at: number, time: number, stamp: Buffer): Buffer | undefined {
  const closeAt = one.end + turnOf(one.number) * pace.spreadMs * plan.timeScale;
  if (time >= closeAt) {
    const close = textFrame(frameText(one.stream, one.end));
    sent.push(one.number, one.openTime, at);
    form(one, one.end, one.end + 1);
    return close;
  }
  // Between the end of a bar and its close the exchange says nothing of it.
  if (at < one.nextAt || time > one.end) return undefined;
  one.nextAt = Math.max(one.nextAt + 1_000 / pace.framesPerSecond, at);
  const frame = Buffer.from(one.forming);
  stamp.copy(frame, one.stampAt);
  return frame;
}

function tick(): void {
  const pieces = new Map<Socket, Buffer[]>();
  const at = instant();
  const time = now(at);
  const stamp = Buffer.from(String(time));
  for (const one of carried.values()) {
    if (one.socket.destroyed) continue;
    const frame = said(one, at, time, stamp);
    if (frame === undefined) continue;
    const known = pieces.get(one.socket);
    if (known === undefined) pieces.set(one.socket, [frame]);
    else known.push(frame);
  }
  for (const [socket, frames] of pieces) socket.write(Buffer.concat(frames));
  setTimeout(tick, Math.max(0, TICK_MS - (instant() - at)));
}

function subscribe(socket: Socket, name: string): void {
  const number = numberOf.get(name);
  if (number === undefined) return;
  const [stream, at] = [streams[number] as Stream, instant()];
  const one: Carried = {
    ...{ stream, number, socket, openTime: 0, end: 0, forming: Buffer.alloc(0), stampAt: 0 },
    nextAt: at + (turnOf(number) * 1_000) / pace.framesPerSecond,
  };
  form(one, openTimeAt(stream.interval, now(at)), now(at));
  carried.set(number, one);
}

const info = {
  symbols: plan.symbols.map((symbol) => ({
    ...{ symbol, pair: symbol, status: 'TRADING', contractType: 'PERPETUAL' },
    ...{ baseAsset: symbol.replace(/USDT$/u, ''), quoteAsset: 'USDT', marginAsset: 'USDT' },
    ...{ onboardDate: 0, deliveryDate: 4_133_404_800_000 },
  })),
};

function klines(asked: URLSearchParams): unknown[] {
  const interval = asked.get('interval') as Interval;
  const stream = streams[numberOf.get(`${asked.get('symbol')?.toLowerCase()}@kline_${interval}`) ?? -1];
  const limit = Number(asked.get('limit') ?? 500);
  const from = asked.get('startTime');
  if (stream === undefined) return [];
  if (from !== null) return klineRows(stream, Number(from), now(), limit);
  return klineRows(stream, now() - LOOK_BACK_MS, now(), Number.POSITIVE_INFINITY).slice(-limit);
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://exchange');
  const answers: Record<string, () => unknown> = {
    '/fapi/v1/time': () => ({ serverTime: now() }),
    '/fapi/v1/exchangeInfo': () => info,
    '/fapi/v1/klines': () => klines(searchParams),
  };
  const answer = answers[pathname];
  response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(answer === undefined ? '' : JSON.stringify(answer()));
});

const webSockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket: Socket, head) => {
  sockets.add(socket);
  socket.setNoDelay(true);
  socket.once('close', () => sockets.delete(socket));
  socket.on('error', () => {});
  webSockets.handleUpgrade(request, socket, head, (client) => {
    client.on('error', () => {});
    client.on('message', (data) => {
      const { id, params, method } = JSON.parse(String(data)) as {
        readonly id: number | string;
        readonly params?: readonly string[];
        readonly method: string;
      };
      client.send(JSON.stringify({ result: null, id }));
      if (method === 'SUBSCRIBE') for (const name of params ?? []) subscribe(socket, name);
    });
  });
});

process.on('message', (order: VenueOrder) => {
  switch (order.do) {
    case 'pace':
      pace = order.pace;
      return;
    case 'sent':
      process.send?.(sent);
      sent = [];
      return;
    case 'streams':
      process.send?.({ streams: carried.size, sockets: sockets.size });
      return;
  }
});
process.once('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ wsUrl: `ws://127.0.0.1:${port}`, restUrl: `http://127.0.0.1:${port}` });
  tick();
});
