import type { Units } from './units.ts';

/** A trade that never was: such a bar is possible, but not the exchange's. */
export function altered(units: Units, times = 1): Units {
  const close = units.close + times;
  const firstId = units.count === 0 ? 1 : units.firstId;
  const count = units.count + times;
  return {
    ...units,
    close,
    high: Math.max(units.high, close),
    volume: units.volume + times,
    quote: units.quote + close * times,
    count,
    firstId,
    lastId: units.count === 0 ? count : units.lastId + times,
  };
}

/** A bar that can't be: its high is below its low. */
export const insane = (units: Units): Units => ({ ...units, low: units.high + 1 });
