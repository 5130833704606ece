/**
 * An exchange that can do one thing: send frames that were made beforehand, as fast as they are taken, and tell by REST
 * what the frames tell. Started by `fork`, with the plan as its argument; tells its URLs, then does what it is told (see
 * {@link Order}). Each socket gets the streams that it subscribed. Exchange time runs with the frames.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { Frames, frameText, klineRows, type Plan } from './frames.ts';

/**
 * `reset`: its time begins anew. `count`: says how many streams are subscribed. `send`: the frames of the minutes in
 * [from, to); says when all have been read, by a ping behind the last that was answered. `drop`: ends the connections.
 */
export type Order =
  | { readonly do: 'reset' | 'count' | 'drop' }
  | { readonly do: 'send'; readonly from: number; readonly to: number };

/** When the first frame left and the last had been read, ms since epoch with fractions. */
export interface Sent {
  readonly beganAt: number;
  readonly readAt: number;
  /** How many there were on connections that were still there behind the last. */
  readonly frames: number;
}

/** Of an answer without a start, ms. */
const LOOK_BACK_MS = 3_600_000;

const plan = JSON.parse(process.argv[2] ?? '{}') as Plan;
const frames = new Frames(plan);
const numberOf = new Map(frames.streams.map(({ name }, number) => [name, number]));
const info = {
  symbols: plan.symbols.map((symbol) => ({
    ...{ symbol, pair: symbol, status: 'TRADING', contractType: 'PERPETUAL' },
    ...{ baseAsset: symbol.replace(/USDT$/u, ''), quoteAsset: 'USDT', marginAsset: 'USDT' },
    ...{ onboardDate: 0, deliveryDate: 4_133_404_800_000 },
  })),
};
const instant = (): number => performance.timeOrigin + performance.now();
let resetAt = performance.now();
/** The newest stamp that was sent. */
let newest = plan.begin;
const now = (): number => Math.max(newest, Math.floor(plan.begin + performance.now() - resetAt));
/** What each connection carries, as numbers of streams. */
const carried = new Map<Socket, { readonly client: WebSocket; readonly numbers: Set<number> }>();

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://exchange');
  const klines = (): unknown[] => {
    const name = `${searchParams.get('symbol')?.toLowerCase()}@kline_${searchParams.get('interval')}`;
    const stream = frames.streams[numberOf.get(name) ?? -1];
    const limit = Number(searchParams.get('limit') ?? 500);
    const from = searchParams.get('startTime');
    if (stream === undefined) return [];
    if (from !== null) return klineRows(stream, Number(from), now(), limit);
    return klineRows(stream, now() - LOOK_BACK_MS, now(), Number.POSITIVE_INFINITY).slice(-limit);
  };
  const answers: Record<string, () => unknown> = {
    '/fapi/v1/time': () => ({ serverTime: now() }),
    '/fapi/v1/exchangeInfo': () => info,
    '/fapi/v1/klines': klines,
  };
  const answer = answers[pathname];
  response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(answer === undefined ? '' : JSON.stringify(answer()));
});

const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket: Socket, head) => {
  socket.once('close', () => carried.delete(socket));
  socket.on('error', () => {});
  sockets.handleUpgrade(request, socket, head, (client) => {
    const numbers = new Set<number>();
    carried.set(socket, { client, numbers });
    client.on('error', () => {});
    client.on('message', (data) => {
      const { id, params, method } = JSON.parse(String(data)) as {
        readonly id: number | string;
        readonly params?: readonly string[];
        readonly method: string;
      };
      client.send(JSON.stringify({ result: null, id }));
      if (method === 'SUBSCRIBE') for (const name of params ?? []) subscribe(client, numbers, name);
    });
  });
});

/** With a first frame of it: so that all are live before the measuring begins. */
function subscribe(client: WebSocket, numbers: Set<number>, name: string): void {
  const number = numberOf.get(name);
  if (number === undefined || numbers.has(number)) return;
  numbers.add(number);
  client.send(frameText(frames.streams[number]!, plan.begin + 1));
}

/** There is room again, or nobody to send to. */
async function taken(socket: Socket): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]).catch(() => {});
  over.abort();
}

let pings = 0;

/** Whether a ping is answered before the connection ends: it, and no greeting of the peer's own. */
function answered(client: WebSocket): Promise<boolean> {
  const mark = String(++pings);
  return new Promise((resolve) => {
    const onPong = (data: Buffer): void => {
      if (data.toString() === mark) end(true);
    };
    const onClose = (): void => end(false);
    const end = (isAnswered: boolean): void => {
      client.off('pong', onPong).off('close', onClose);
      resolve(isAnswered);
    };
    client.on('pong', onPong).on('close', onClose);
    client.ping(mark);
  });
}

async function sendOn(socket: Socket, numbers: readonly number[], from: number, to: number): Promise<void> {
  // Whole frames, behind what the WebSocket itself has written.
  for (const { bytes, time } of frames.pieces(numbers, from, to)) {
    newest = Math.max(newest, time);
    if (socket.write(bytes) === false) await taken(socket);
    if (socket.destroyed) return;
  }
}

async function send(from: number, to: number): Promise<Sent> {
  const beganAt = instant();
  const read = await Promise.all(
    [...carried].map(async ([socket, { client, numbers }]) => {
      if (numbers.size === 0) return 0;
      await sendOn(
        socket,
        [...numbers].sort((one, other) => one - other),
        from,
        to,
      );
      if (socket.destroyed) return 0;
      return (await answered(client)) ? numbers.size * (to - from) * plan.framesPerMinute : 0;
    }),
  );
  const frames = read.reduce((sum, count) => sum + count, 0);
  return { beganAt, readAt: instant(), frames };
}

const streamsCarried = (): number =>
  new Set([...carried.values()].flatMap(({ numbers }) => [...numbers])).size;

process.on('message', (order: Order) => {
  switch (order.do) {
    case 'reset':
      resetAt = performance.now();
      newest = plan.begin;
      return;
    case 'count':
      process.send?.(streamsCarried());
      return;
    case 'drop':
      for (const socket of carried.keys()) socket.destroy();
      return;
    case 'send':
      void send(order.from, order.to).then((sent) => process.send?.(sent));
      return;
  }
});
process.once('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ wsUrl: `ws://127.0.0.1:${port}`, restUrl: `http://127.0.0.1:${port}` });
});
