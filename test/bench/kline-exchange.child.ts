/**
 * An exchange that can do one thing: send frames that were made beforehand, as fast as they are taken. Started by
 * `fork`, with the plan as its argument; tells its URLs, then does what it is told: `reset` its time, `send` all
 * frames, `drop` the sockets.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { FRAMES_BEGIN, frameText, klineRows, type Plan, pieces } from './kline-frames.ts';

const plan = JSON.parse(process.argv[2] ?? '{}') as Plan;
const { symbols } = plan;
const made = [...pieces(plan)];
const info = {
  symbols: symbols.map((symbol) => ({
    symbol,
    status: 'TRADING',
    contractType: 'PERPETUAL',
    onboardDate: 0,
    deliveryDate: 4_133_404_800_000,
  })),
};
let began = performance.now();
const now = (): number => Math.floor(FRAMES_BEGIN + performance.now() - began);
const open = new Set<Socket>();

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://exchange');
  const klines = (): unknown[] => {
    const limit = Number(searchParams.get('limit') ?? 500);
    const newest = Math.floor(now() / 60_000) * 60_000;
    const from = Number(searchParams.get('startTime') ?? newest - (limit - 1) * 60_000);
    return klineRows(symbols.indexOf(searchParams.get('symbol') ?? ''), from, now(), limit);
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
  open.add(socket);
  socket.once('close', () => open.delete(socket));
  socket.on('error', () => {});
  sockets.handleUpgrade(request, socket, head, (client) =>
    client.on('message', (data) => {
      const { id, params, method } = JSON.parse(String(data)) as {
        id: number;
        params: string[];
        method: string;
      };
      client.send(JSON.stringify({ result: null, id }));
      // A first frame of each: so that all are live before the measuring begins.
      if (method === 'SUBSCRIBE')
        for (const [number, symbol] of symbols.entries())
          if (params.some((name) => name.startsWith(`${symbol.toLowerCase()}@`)))
            client.send(frameText(symbols, number, FRAMES_BEGIN, 0));
    }),
  );
});

async function send(): Promise<void> {
  const [socket] = open;
  // Whole frames, behind what the WebSocket itself has written.
  for (const piece of made)
    if (socket?.write(piece) === false)
      // `error` for one that is destroyed meanwhile: then there is nobody to send to.
      await once(socket, 'drain').catch(() => {});
}

process.on('message', (command) => {
  if (command === 'reset') began = performance.now();
  if (command === 'send') void send();
  if (command === 'drop') for (const socket of open) socket.destroy();
});
process.once('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ wsUrl: `ws://127.0.0.1:${port}`, restUrl: `http://127.0.0.1:${port}` });
});
