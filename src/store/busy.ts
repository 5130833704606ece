import { systemClock } from '../transport/clock.ts';

/** How long the store waits for a lock that another program holds, ms: below every stop deadline. */
export const BUSY_TIMEOUT_MS = 1_000;

/**
 * How long a single statement waits, ms. SQLite can't be interrupted while it waits, and an exit or the end of the
 * thread would have to wait with it; between two tries it can.
 */
export const BUSY_SLICE_MS = 50;

const SQLITE_BUSY = 5;
/** Whether SQLite gave up waiting for a lock. Extended codes have the plain one in their lowest byte. */
export const isBusy = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'errcode' in error &&
  (Number(error.errcode) & 0xff) === SQLITE_BUSY;

/**
 * Does `work`, again and again while another program holds the lock, for {@link BUSY_TIMEOUT_MS}. Some work says by
 * its result that it was not done.
 */
export function patiently<Result>(
  work: () => Result,
  isDone: (result: Result) => boolean = () => true,
): Result {
  let end: number | undefined;
  for (;;) {
    const isLast = end !== undefined && systemClock.now() >= end;
    try {
      const result = work();
      if (isLast || isDone(result)) return result;
    } catch (error) {
      if (isLast || !isBusy(error)) throw error;
    }
    end ??= systemClock.now() + BUSY_TIMEOUT_MS;
  }
}
