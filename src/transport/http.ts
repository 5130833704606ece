import ky from 'ky';
import { Agent } from 'undici';
import type { Clock, HttpAnswer, HttpClient } from '../ports.ts';
import { Ending } from './http-ending.ts';
import { asExchangeError, isBreak } from './http-errors.ts';
import { receive } from './receive.ts';
import { TLS } from './tls.ts';

/** A connection on which nothing comes is given up for good: requests have ended long before, ms. */
const STALL_MS = 30_000;

/**
 * HTTP by `ky`, whose retries and time-out are off: ours cover headers *and* body, and who asks decides on
 * retries. An agent of its own, so that closing it closes every kept-alive connection. Bodies are received below `ky`:
 * the streams of `fetch` take as long as reading the klines that come through them.
 */
export function createHttpClient(clock: Clock): HttpClient {
  const agent = new Agent({
    connections: 4,
    keepAliveTimeout: 10_000,
    connect: { timeout: 10_000, ...TLS },
    headersTimeout: STALL_MS,
    bodyTimeout: STALL_MS,
  });
  const closing = new AbortController();
  return {
    async get(request) {
      const { signals = [] } = request;
      const end = new Ending(clock, request.timeoutMs, [closing.signal, ...signals]);
      let hasBegun = false;
      const ask = async (): Promise<HttpAnswer> => {
        let bytes: Uint8Array = Buffer.alloc(0);
        const began = (): void => {
          hasBegun = true;
        };
        const { status, headers } = await ky.get(request.url, {
          retry: 0,
          timeout: false,
          throwHttpErrors: false,
          async fetch() {
            const { url, maxBytes } = request;
            const received = await receive(url, { dispatcher: agent, signal: end.signal, maxBytes, began });
            bytes = received.bytes;
            return new Response(null, received);
          },
        });
        return {
          status,
          headers,
          bytes,
          get text() {
            return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
          },
        };
      };
      try {
        return await Promise.race([ask(), end.over]);
      } catch (error) {
        const asked = signals.find((signal) => signal.aborted);
        if (asked !== undefined) throw asked.reason;
        throw asExchangeError(error, request, end.isLate, hasBegun || isBreak(error));
      } finally {
        end.release();
      }
    },
    async close() {
      closing.abort();
      await agent.destroy();
    },
  };
}
