import type { Clock, Random, Timer } from '../ports.ts';

/** Longest delay that a Node timer takes; a longer one would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, Math.min(delayMs, MAX_TIMER_MS)),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** The machine's own dice. */
export const systemRandom: Random = () => Math.random();

/** Waits `ms`, in pieces where a single timer could not; rejects with the signal's reason when aborted. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const due = clock.now() + ms;
    let timer: Timer;
    const stop = (): void => {
      clock.clearTimeout(timer);
      reject(signal?.reason);
    };
    const wait = (): void => {
      const left = due - clock.now();
      if (left <= 0) {
        signal?.removeEventListener('abort', stop);
        resolve();
        return;
      }
      timer = clock.setTimeout(wait, Math.min(left, MAX_TIMER_MS));
    };
    signal?.addEventListener('abort', stop, { once: true });
    wait();
  });
}
