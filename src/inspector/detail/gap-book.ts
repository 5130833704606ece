import { nextOpenTime } from '../../../machines/model/interval.ts';
import { type Series, seriesKey } from '../../../machines/model/kline.ts';
import type { Watched } from '../options.ts';
import type { GapMark } from '../protocol.ts';

/** Marks of one kind that a series keeps; the newest. */
const PER_SERIES_MAX = 200;
/** Marks of one kind that all series together keep: whoever was marked longest ago loses its marks first. */
const TOTAL_MAX = 10_000;

/** Marks by series, bounded. */
class Marks<Mark> {
  readonly #bySeries = new Map<string, Mark[]>();
  #size = 0;

  of(series: string): readonly Mark[] {
    return this.#bySeries.get(series) ?? [];
  }

  /** Puts new marks in the place of those that a series has. */
  set(series: string, marks: readonly Mark[]): void {
    this.#size -= this.of(series).length;
    const kept = marks.slice(-PER_SERIES_MAX);
    // Anew at the end: the order of the map is the order in which series were marked last.
    this.#bySeries.delete(series);
    this.#bySeries.set(series, kept);
    this.#size += kept.length;
    for (const oldest of this.#bySeries.keys()) {
      if (this.#size <= TOTAL_MAX) break;
      this.#size -= this.of(oldest).length;
      this.#bySeries.delete(oldest);
    }
  }
}

/**
 * What befell the bars of each series that the bars themselves don't tell: gaps that turned up, and corrections. Of
 * this process, since the book was opened; gaps that are open are the collector's to tell.
 */
export class GapBook {
  readonly #collector: Watched;
  readonly #filled = new Marks<GapMark>();
  readonly #revised = new Marks<number>();

  constructor(collector: Watched) {
    this.#collector = collector;
  }

  /** Bars of a gap turned up. Runs that touch become one. */
  fill(series: Series, run: Omit<GapMark, 'status'>): void {
    const key = seriesKey(series);
    const marks = [...this.#filled.of(key)];
    const last = marks.at(-1);
    const touches =
      last !== undefined &&
      last.reason === run.reason &&
      nextOpenTime(series.interval, last.toOpenTime) === run.fromOpenTime;
    if (touches) marks[marks.length - 1] = { ...last, toOpenTime: run.toOpenTime };
    else marks.push({ ...run, status: 'filled' });
    this.#filled.set(key, marks);
  }

  /** The bar that opens then was corrected. */
  revise(series: Series, openTime: number): void {
    const key = seriesKey(series);
    const marks = this.#revised.of(key);
    if (!marks.includes(openTime)) this.#revised.set(key, [...marks, openTime]);
  }

  /** Open times of bars that were corrected. */
  revised(series: Series): ReadonlySet<number> {
    return new Set(this.#revised.of(seriesKey(series)));
  }

  /** Gaps of a series, open and filled, ascending; of each kind the newest 200. */
  gaps(series: Series): GapMark[] {
    const open = this.#collector
      .getOpenGaps(series.symbol, series.interval)
      .map(({ fromOpenTime, toOpenTime, reason }): GapMark => {
        return { fromOpenTime, toOpenTime, reason, status: 'open' };
      })
      .sort(byTime)
      .slice(-PER_SERIES_MAX);
    return [...open, ...this.#filled.of(seriesKey(series))].sort(byTime);
  }
}

const byTime = (one: GapMark, other: GapMark): number => one.fromOpenTime - other.fromOpenTime;
