import type { Clock } from '../ports.ts';
import { systemClock } from '../transport/clock.ts';

/** Waits for `promise`, whichever way it goes, but no longer than `ms`. True when it was done in time. */
export async function within(
  promise: Promise<unknown>,
  ms: number,
  clock: Clock = systemClock,
): Promise<boolean> {
  let timer: unknown;
  const late = new Promise<false>((resolve) => {
    timer = clock.setTimeout(() => resolve(false), ms);
  });
  const done = promise.then(
    () => true,
    () => true,
  );
  const inTime = await Promise.race([done, late]);
  clock.clearTimeout(timer);
  return inTime;
}
