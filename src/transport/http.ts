import ky from 'ky';
import { Agent } from 'undici';
import { ExchangeError } from '../errors.ts';
import type { Clock, HttpAnswer, HttpClient, HttpRequest } from '../ports.ts';
import { Ending } from './http-ending.ts';
import { asExchangeError, isBreak } from './http-errors.ts';

/** A connection on which nothing comes is given up for good: requests have ended long before, ms. */
const STALL_MS = 30_000;

/**
 * HTTP by `ky`, whose retries and time-out are off: ours cover headers *and* body, and who asks decides on
 * retries. An agent of its own, so that closing it closes every kept-alive connection.
 */
export function createHttpClient(clock: Clock): HttpClient {
  const agent = new Agent({
    connections: 4,
    keepAliveTimeout: 10_000,
    connect: { timeout: 10_000 },
    headersTimeout: STALL_MS,
    bodyTimeout: STALL_MS,
  });
  const closing = new AbortController();
  return {
    async get(request) {
      const { signals = [] } = request;
      const end = new Ending(clock, request.timeoutMs, [closing.signal, ...signals]);
      let response: Response | undefined;
      const ask = async (): Promise<HttpAnswer> => {
        response = await ky.get(request.url, {
          retry: 0,
          timeout: false,
          throwHttpErrors: false,
          redirect: 'error',
          signal: end.signal,
          hooks: { beforeRequest: [({ request: made }) => end.keep(made)] },
          // @ts-expect-error: an option of Node's fetch that the web's types don't know
          dispatcher: agent,
        });
        const { status, headers } = response;
        return { status, headers, text: await readBody(response, request) };
      };
      try {
        return await Promise.race([ask(), end.over]);
      } catch (error) {
        const asked = signals.find((signal) => signal.aborted);
        if (asked !== undefined) throw asked.reason;
        throw asExchangeError(error, request, end.isLate, response !== undefined || isBreak(error));
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

/** Reads the body, never more than `maxBytes` of it. */
async function readBody(response: Response, request: HttpRequest): Promise<HttpAnswer['text']> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > request.maxBytes) {
      throw new ExchangeError(`the answer is larger than ${request.maxBytes} bytes`, {
        code: 'HTTP_TOO_LARGE',
        status: response.status,
        retryable: true,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
