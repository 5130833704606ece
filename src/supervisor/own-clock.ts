import type { Clock, Timer } from '../ports.ts';
import { systemClock } from '../transport/clock.ts';

/** Timers of those who do the stopping, by whichever clock. */
const armed = new Set<Timer>();
const clocks = new WeakMap<Clock, Clock>();

/**
 * A clock for those who do the stopping. Their deadlines have to keep the process alive, and are not what an
 * application has left behind: who looks for timers takes these away ({@link armedTimers}).
 */
export function ownClockOf(clock: Clock): Clock {
  const known = clocks.get(clock);
  if (known !== undefined) return known;
  const own: Clock = {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    setTimeout: (callback, delayMs) => {
      const timer: Timer = clock.setTimeout(() => {
        armed.delete(timer);
        callback();
      }, delayMs);
      armed.add(timer);
      return timer;
    },
    clearTimeout: (timer) => {
      armed.delete(timer);
      clock.clearTimeout(timer);
    },
  };
  clocks.set(clock, own);
  clocks.set(own, own);
  return own;
}

/** The machine's clock for those who do the stopping. */
export const ownClock: Clock = ownClockOf(systemClock);

/** How many timers of theirs hold the process: those of a simulated clock are none of Node's. */
export const armedTimers = (): number =>
  [...armed].filter((timer) => (timer as Partial<NodeJS.Timeout> | undefined)?.hasRef?.() === true).length;
