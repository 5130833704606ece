import ky from 'ky';
import { Agent } from 'undici';
import { ExchangeError } from '../errors.ts';
import type { Clock, HttpAnswer, HttpClient, HttpRequest } from '../ports.ts';
import { receive } from './receive.ts';

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
    connect: { timeout: 10_000 },
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

/**
 * What ends a request before its answer: its deadline, or one of several signals. By hand, and whoever waits is told
 * in any case: signals of `AbortSignal.any` and `AbortSignal.timeout`, and a request whose body still comes, are held
 * by nobody, and once the garbage collector has taken them nothing ends the wait (seen on Node 24).
 */
class Ending {
  readonly #controller = new AbortController();
  readonly #over = Promise.withResolvers<never>();
  readonly #signals: readonly AbortSignal[];
  readonly #release: () => void;
  isLate = false;

  constructor(clock: Clock, timeoutMs: number, signals: readonly AbortSignal[]) {
    this.#signals = signals;
    // Without a deadline or a signal nobody waits for it.
    this.#over.promise.catch(() => {});
    for (const signal of signals) {
      if (signal.aborted) this.#abort();
      else signal.addEventListener('abort', this.#abort, { once: true });
    }
    const timer = clock.setTimeout(() => {
      this.isLate = true;
      this.#abort();
    }, timeoutMs);
    this.#release = () => clock.clearTimeout(timer);
  }

  /** Rejects when it is over. */
  get over(): Promise<never> {
    return this.#over.promise;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  release(): void {
    this.#release();
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#abort);
  }

  readonly #abort = (): void => {
    this.#controller.abort();
    this.#over.reject(this.#controller.signal.reason);
  };
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
