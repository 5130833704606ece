/** Dials each of the ports by WebSocket and by HTTP, and prints what came of it as JSON. */

import { systemClock } from '../../src/transport/clock.ts';
import { createHttpClient } from '../../src/transport/http.ts';
import { openSocket } from '../../src/transport/socket.ts';

const client = createHttpClient(systemClock);
const codeOf = (error: unknown): string =>
  (error as { cause?: unknown }).cause === undefined
    ? String((error as { code?: unknown }).code)
    : codeOf((error as { cause: unknown }).cause);

/** The numbers that come behind a good handshake: each once, in order, and not all by the slow way. */
const MESSAGES = 1_000;

const bySocket = (port: number): Promise<string> =>
  new Promise((resolve) => {
    let next = 0;
    let direct = 0;
    const note = (bytes: Buffer): void => {
      if (Number(bytes.toString('latin1')) !== next++) resolve(`out of order at ${next}`);
      if (next < MESSAGES) return;
      resolve(direct > 0 ? `${next} in order` : 'none of them directly');
      socket.terminate();
    };
    const socket = openSocket(`wss://127.0.0.1:${port}/market/stream`, {
      opened: () => {},
      message: note,
      direct: {
        arrived: () => {},
        message: (bytes, from, to) => {
          direct += 1;
          note(Buffer.from(bytes.subarray(from, to)));
          return true;
        },
      },
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
