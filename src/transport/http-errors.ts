import { ExchangeError } from '../errors.ts';
import type { HttpRequest } from '../ports.ts';

/** A connection that was there and broke: a kept-alive one that the server had closed, or in the middle. */
const BREAKS: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

export const isBreak = (error: unknown): boolean => {
  const root = rootOf(error);
  if (!(root instanceof Error)) return false;
  // What came is no HTTP; not every version of undici gives that a code.
  return root.name === 'HTTPParserError' || ('code' in root && BREAKS.has(root.code));
};

/** As an error of the exchange: host and path are told, and nothing else of what was asked. */
export function asExchangeError(
  error: unknown,
  request: Pick<HttpRequest, 'url' | 'timeoutMs'>,
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
