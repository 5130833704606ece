/** A recorded session of the exchange, served frame by frame over loopback. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { shared } from './fixtures.ts';

/** One received frame: local receive time in ms, and its text as it came. */
export interface Recorded {
  readonly at: number;
  readonly text: string;
}

/** Frames of the recording of 2021-07-22: 30 s of four symbols, over the end of a minute. */
export const readRecording = (): Recorded[] =>
  readFileSync(shared('fixtures/ws/usdm-2021-07-22-cryptofeed.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { t: string; ts: number; data: string })
    .filter((entry) => entry.t === 'recv')
    .map((entry) => ({ at: entry.ts * 1000, text: entry.data }));

export interface ServedRecording {
  readonly wsUrl: string;
  readonly restUrl: string;
  readonly timeScale: number;
  /** SUBSCRIBE messages, as they came. */
  readonly asked: readonly string[];
  /** Frames sent so far. */
  sent(): number;
}

/**
 * Serves the frames once somebody has subscribed: all at once, or in their own pace times `timeScale`. `/time`
 * is the receive stamp of the next frame, or stands still at the first one. Past candles it has none.
 */
export async function serveRecording(
  frames: readonly Recorded[],
  how: { pace: 'burst' | 'paced'; time: 'moving' | 'fixed'; timeScale: number; klines: 'empty' | 404 },
): Promise<ServedRecording> {
  const info = readFileSync(shared('fixtures/rest/exchangeInfo-usdm-mainnet-2021-07-22.json'));
  const asked: string[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let sent = 0;
  const now = (): number =>
    Math.floor((how.time === 'fixed' ? frames[0] : (frames[sent] ?? frames.at(-1)))!.at);

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://recording');
    const answers: Record<string, [number, string | Buffer]> = {
      '/fapi/v1/exchangeInfo': [200, info],
      '/fapi/v1/time': [200, JSON.stringify({ serverTime: now() })],
      '/fapi/v1/klines': how.klines === 'empty' ? [200, '[]'] : [404, '{"code":-1000,"msg":"gone"}'],
    };
    const [status, body] = answers[pathname] ?? [404, ''];
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  const sockets = new WebSocketServer({ server, path: '/market/stream' });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const { id } = JSON.parse(data.toString()) as { id: number };
      asked.push(data.toString());
      socket.send(JSON.stringify({ result: null, id }));
      const send = (frame: Recorded): void => {
        socket.send(frame.text);
        sent += 1;
      };
      const first = frames[0]!.at;
      for (const frame of frames) {
        if (how.pace === 'burst') send(frame);
        else timers.add(setTimeout(() => send(frame), (frame.at - first) / how.timeScale));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const timer of timers) clearTimeout(timer);
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return {
    wsUrl: `ws://127.0.0.1:${port}`,
    restUrl: `http://127.0.0.1:${port}`,
    timeScale: how.timeScale,
    asked,
    sent: () => sent,
  };
}
