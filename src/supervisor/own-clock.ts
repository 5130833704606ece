import type { Clock, Timer } from '../ports.ts';
import { systemClock } from '../transport/clock.ts';

/** A clock that knows how many of its timers are armed. */
export interface CountingClock extends Clock {
  armed(): number;
}

export function countingClock(clock: Clock): CountingClock {
  const timers = new Set<Timer>();
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    setTimeout: (callback, delayMs) => {
      const timer: Timer = clock.setTimeout(() => {
        timers.delete(timer);
        callback();
      }, delayMs);
      timers.add(timer);
      return timer;
    },
    clearTimeout: (timer) => {
      timers.delete(timer);
      clock.clearTimeout(timer);
    },
    armed: () => timers.size,
  };
}

/**
 * The machine's clock for those who do the stopping. Their deadlines have to keep the process alive, and are not what
 * an application has left behind: who looks for timers takes these away.
 */
export const ownClock: CountingClock = countingClock(systemClock);
