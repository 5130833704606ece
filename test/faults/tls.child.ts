/** Dials each of the ports by WebSocket and by HTTP, and prints what came of it as JSON. */

import { systemClock } from '../../src/transport/clock.ts';
import { createHttpClient } from '../../src/transport/http.ts';
import { openSocket } from '../../src/transport/socket.ts';

const client = createHttpClient(systemClock);
const codeOf = (error: unknown): string =>
  (error as { cause?: unknown }).cause === undefined
    ? String((error as { code?: unknown }).code)
    : codeOf((error as { cause: unknown }).cause);

const bySocket = (port: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = openSocket(`wss://127.0.0.1:${port}/market/stream`, {
      opened: () => {
        resolve('opened');
        socket.terminate();
      },
      message: () => {},
      heard: () => {},
      closed: (end) => resolve(codeOf(end)),
    });
  });
const byHttp = (port: number): Promise<string> =>
  client
    .get({ url: `https://127.0.0.1:${port}/fapi/v1/ping`, timeoutMs: 5_000, maxBytes: 1_000 })
    .then(({ text }) => text, codeOf);

const outcomes: Record<string, [socket: string, http: string]> = {};
for (const [name, port] of Object.entries(JSON.parse(process.argv[2] ?? '{}') as Record<string, number>))
  outcomes[name] = [await bySocket(port), await byHttp(port)];
await client.close();
process.stdout.write(JSON.stringify(outcomes));
