/** What becomes of a REST request that failed. */

/**
 * - `again`: a fault on the way or at the exchange, which the same request may not meet again soon
 * - `held`: the exchange wants to be left alone
 * - `told`: for the asker to decide: asking again at once can't help
 */
export type Fate = 'again' | 'held' | 'told';

const HOLDING: ReadonlySet<unknown> = new Set([403, 418, 429, 451]);
/** Connection lost, no answer in time, an answer that is none. All requests are readings: repeating is harmless. */
const PASSING_CODES: ReadonlySet<unknown> = new Set([
  'HTTP_BROKEN',
  'HTTP_TIMEOUT',
  'HTTP_MALFORMED',
  'HTTP_TOO_LARGE',
]);
const REQUEST_TIMEOUT = 408;

/** Reads `status` and `code` of any thrown thing. Total. */
export function fateOf(error: unknown): Fate {
  if (typeof error !== 'object' || error === null) return 'told';
  const status = 'status' in error ? error.status : undefined;
  if (HOLDING.has(status)) return 'held';
  if (status === REQUEST_TIMEOUT || (typeof status === 'number' && status >= 500)) return 'again';
  return 'code' in error && PASSING_CODES.has(error.code) ? 'again' : 'told';
}

/** Pause before a retry, ms: 200, 400, 800, a quarter less to a quarter more. */
export const retryDelay = (tries: number, random: number): number =>
  Math.round(200 * 2 ** Math.min(tries, 2) * (0.75 + random / 2));
