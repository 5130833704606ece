import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../ports.ts';
import { isLocalRequest } from './guard.ts';
import { type Asked, halfOf, type WebRequest } from './web.ts';

/** Sends over a real connection what the exchange makes of a request. Never throws. */
export async function serveWeb(
  clock: Clock,
  take: (request: WebRequest) => Asked,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.on('error', () => {});
  const { method = 'GET', url: target = '/', headers } = request;
  const { delayMs, reply } = take({ method, target, headers, isLocal: isLocalRequest(request) });
  if (delayMs > 0) await pause(clock, delayMs, response);
  const answer = await reply();
  if (answer.kind === 'reset') request.socket.resetAndDestroy();
  if (answer.kind !== 'answer' || response.destroyed) return;
  try {
    response.writeHead(answer.status, answer.headers);
    if (answer.ending === 'hangs') response.write(halfOf(answer.bytes));
    else if (answer.ending === 'cut')
      response.write(halfOf(answer.bytes), () => request.socket.destroySoon());
    else response.end(answer.bytes);
  } catch {
    // A fault has headers that no answer may have.
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
}

/** A timer that outlives its request must not keep the process. */
function pause(clock: Clock, ms: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimeout(resolve, ms);
    response.once('close', () => {
      clock.clearTimeout(timer);
      resolve();
    });
  });
}
