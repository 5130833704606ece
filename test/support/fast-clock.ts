import type { Clock, Timer } from '../../src/ports.ts';
import { systemClock } from '../../src/transport/clock.ts';

/** The machine's clock, so many times as fast: minutes of waiting pass in seconds, in their true order. */
export const fastClock = (rate: number): Clock => {
  const began = systemClock.wallNow();
  return {
    now: () => systemClock.now() * rate,
    wallNow: () => began + (systemClock.wallNow() - began) * rate,
    setTimeout: (callback: () => void, delayMs: number): Timer =>
      systemClock.setTimeout(callback, delayMs / rate),
    clearTimeout: (timer: Timer) => systemClock.clearTimeout(timer),
  };
};
