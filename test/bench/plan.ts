/** How many minutes of which streams make a round: one frame in 250 closes a bar, as in life. */
import type { Interval } from '../../machines/model/interval.ts';
import { barsOf, type Plan } from './frames.ts';

export const INTERVALS: readonly Interval[] = ['1m', '3m', '5m', '15m'];

const FRAMES_PER_CLOSE = 250;
/** Of the hour that stamps may be ahead, what is measured; a third of that comes before, to warm up. */
const MINUTES_MAX = 45;
/** All intervals close there. */
const END = Date.UTC(2026, 0, 5, 13);

/** A plan, and how many of its minutes warm up. */
export interface Course {
  readonly plan: Plan;
  readonly warmMinutes: number;
}

/** Of all numbers of minutes that one whose frames come nearest to those wanted; at least 250 for each stream. */
export function courseOf(streams: number, frames: number): Course {
  const symbols = Array.from(
    { length: streams / INTERVALS.length },
    (_, number) => `C${String(number).padStart(3, '0')}USDT`,
  );
  let best: Plan | undefined;
  let leastOff = Number.POSITIVE_INFINITY;
  for (let minutes = 1; minutes <= MINUTES_MAX; minutes++) {
    const plan = {
      symbols,
      intervals: INTERVALS,
      begin: END - minutes * 60_000,
      minutes,
      framesPerMinute: 1,
    };
    const wanted = barsOf(plan) * FRAMES_PER_CLOSE;
    const off = Math.abs(wanted - frames);
    if (off >= leastOff) continue;
    leastOff = off;
    best = { ...plan, framesPerMinute: Math.round(wanted / streams / minutes) };
  }
  const { begin, minutes, ...rest } = best!;
  const warmMinutes = Math.max(1, Math.round(minutes / 3));
  const plan = { ...rest, begin: begin - warmMinutes * 60_000, minutes: minutes + warmMinutes };
  return { plan, warmMinutes };
}
