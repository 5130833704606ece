/** What becomes of a gap when some of its bars turn up. Total functions over plain data. */
import { DAY_MS, type Interval, previousOpenTime } from './interval.ts';
import type { Candle } from './kline.ts';
import type { Gap } from './row.ts';

/** Bars that follow each other without a hole, by their open times, both inclusive, ms. */
export type Run = Pick<Gap, 'fromOpenTime' | 'toOpenTime'>;
type Bar = Pick<Candle, 'openTime' | 'closeTime'>;

/** A gap, cut where bars of it are there now. */
export interface Split {
  readonly filled: readonly Run[];
  readonly open: readonly Run[];
}

/** Bars, ascending, as the runs that they make. */
export function runsOf(bars: readonly Bar[]): Run[] {
  const runs: Run[] = [];
  let end = Number.NaN;
  for (const { openTime, closeTime } of bars) {
    const last = runs.at(-1);
    if (last !== undefined && openTime === end) runs[runs.length - 1] = { ...last, toOpenTime: openTime };
    else runs.push({ fromOpenTime: openTime, toOpenTime: openTime });
    end = closeTime + 1;
  }
  return runs;
}

/** Cuts a gap at those of `bars`, ascending, that lie in it. */
export function splitGap(interval: Interval, gap: Run, bars: readonly Bar[]): Split {
  const within = bars.filter(({ openTime }) => openTime >= gap.fromOpenTime && openTime <= gap.toOpenTime);
  const open: Run[] = [];
  let at = gap.fromOpenTime;
  for (const { openTime, closeTime } of within) {
    if (at < openTime) open.push({ fromOpenTime: at, toOpenTime: barBefore(interval, openTime) });
    at = Math.max(at, closeTime + 1);
  }
  if (at <= gap.toOpenTime) open.push({ fromOpenTime: at, toOpenTime: gap.toOpenTime });
  return { filled: runsOf(within), open };
}

/** From which day the exchange counts its three is not established: the series itself says. */
export const barBefore = (interval: Interval, openTime: number): number =>
  interval === '3d' ? openTime - 3 * DAY_MS : previousOpenTime(interval, openTime);
