import type { Clock } from '../../ports.ts';

/** A clock whose timers keep no process alive: who only watches doesn't hold up the end of what is watched. */
export const idleClock = (clock: Clock): Clock => ({
  now: () => clock.now(),
  wallNow: () => clock.wallNow(),
  setTimeout(callback, delayMs) {
    const timer = clock.setTimeout(callback, delayMs);
    (timer as Partial<NodeJS.Timeout> | undefined)?.unref?.();
    return timer;
  },
  clearTimeout: (timer) => clock.clearTimeout(timer),
});
