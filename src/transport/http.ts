import ky from 'ky';
import { Agent } from 'undici';
import { ExchangeError } from '../errors.ts';
import type { HttpAnswer, HttpClient, HttpRequest } from '../ports.ts';

/**
 * HTTP by `ky`, whose retries and time-out are off: ours cover headers *and* body, and who asks decides on
 * retries. An agent of its own, so that closing it closes every kept-alive connection.
 */
export function createHttpClient(): HttpClient {
  const agent = new Agent({ connections: 4, keepAliveTimeout: 10_000, connect: { timeout: 10_000 } });
  const closing = new AbortController();
  return {
    async get(request) {
      // Built in, unref'd, and aborted with the whole request: not a timer that anything waits for.
      const deadline = AbortSignal.timeout(request.timeoutMs);
      const signals = [closing.signal, deadline, ...(request.signal ? [request.signal] : [])];
      let response: Response | undefined;
      try {
        response = await ky.get(request.url, {
          retry: 0,
          timeout: false,
          throwHttpErrors: false,
          redirect: 'error',
          signal: AbortSignal.any(signals),
          // @ts-expect-error: an option of Node's fetch that the web's types don't know
          dispatcher: agent,
        });
        return {
          status: response.status,
          headers: response.headers,
          text: await readBody(response, request),
        };
      } catch (error) {
        if (request.signal?.aborted) throw request.signal.reason;
        throw asExchangeError(error, request, deadline.aborted, response !== undefined || isBreak(error));
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

/** A connection that was there and broke: a kept-alive one that the server had closed, or in the middle. */
const BREAKS: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

const isBreak = (error: unknown): boolean => {
  const root = rootOf(error);
  if (!(root instanceof Error)) return false;
  // What came is no HTTP; not every version of undici gives that a code.
  return root.name === 'HTTPParserError' || ('code' in root && BREAKS.has(root.code));
};

function asExchangeError(
  error: unknown,
  request: HttpRequest,
  isLate: boolean,
  isBroken: boolean,
): ExchangeError {
  if (error instanceof ExchangeError) return error;
  const { host, pathname } = new URL(request.url);
  if (!isLate && isBroken)
    return new ExchangeError(`the answer of ${host}${pathname} broke off: ${rootMessage(error)}`, {
      code: 'HTTP_BROKEN',
      status: 0,
      retryable: true,
      cause: error,
    });
  return isLate
    ? new ExchangeError(`${host}${pathname} did not answer within ${request.timeoutMs} ms`, {
        code: 'HTTP_TIMEOUT',
        status: 0,
        retryable: true,
        cause: error,
      })
    : new ExchangeError(`${host}${pathname} cannot be reached: ${rootMessage(error)}`, {
        code: 'HTTP_UNREACHABLE',
        status: 0,
        retryable: true,
        cause: error,
      });
}

/** `fetch failed` says nothing: the reason stands at the end of the chain of causes. */
function rootOf(error: unknown): unknown {
  let root = error;
  while (root instanceof Error && root.cause instanceof Error) root = root.cause;
  return root instanceof AggregateError && root.errors[0] instanceof Error ? root.errors[0] : root;
}

function rootMessage(error: unknown): string {
  const root = rootOf(error);
  return root instanceof Error ? root.message || root.name : String(root);
}
