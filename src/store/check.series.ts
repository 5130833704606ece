/** What a run wrote into a store, looked at bar by bar: each is there, or named as missing. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { countBars, isInterval, nextOpenTime } from '../../machines/model/interval.ts';
import { seriesKey } from '../../machines/model/kline.ts';
import type { Gap } from '../../machines/model/row.ts';
import type { Watermark } from './database.ts';
import {
  COUNT_CANDLES,
  GAP_AT,
  OPEN_GAPS_BETWEEN,
  READ_CANDLE,
  STORED_SERIES,
  WATERMARKS,
} from './schema.ts';

/** Series that a report names; more are counted. */
const NAMED_MAX = 3;

export interface SeriesFindings {
  readonly series: number;
  /** Bars and named bars of this run. */
  readonly bars: number;
  /** What is wrong, a sentence; undefined when nothing is. */
  readonly wrong: string | undefined;
}

/**
 * Holds the series of a store to where they stood `before` a run; without that, only whether each ends with a bar
 * or a gap. The caller has begun a read transaction.
 */
export function checkSeries(
  database: DatabaseSync,
  before: readonly Watermark[] | undefined,
): SeriesFindings {
  const look = new Look(database);
  const known = new Map(before?.map((mark) => [seriesKey(mark), mark.openTime]));
  // Where a series begins is read only when it matters: it costs a search for each.
  const sql = before === undefined ? WATERMARKS : STORED_SERIES;
  const now = database.prepare(sql).all() as unknown as (Watermark & { readonly firstOpenTime?: number })[];
  const problems: string[] = [];
  let bars = 0;
  for (const mark of now) {
    if (!isInterval(mark.interval)) continue;
    const key = seriesKey(mark);
    const was = known.get(key);
    known.delete(key);
    const from = was === undefined ? mark.firstOpenTime : nextOpenTime(mark.interval, was);
    const wanted =
      from === undefined ? 0 : countBars(mark.interval, from, nextOpenTime(mark.interval, mark.openTime));
    const missing = from === undefined || wanted === 0 ? 0 : wanted - look.count(mark, from);
    bars += wanted;
    // History from before it was wanted, and the run ended in the middle: what was there is there.
    const isRewound = was !== undefined && mark.openTime < was && look.has({ ...mark, openTime: was });
    if (isRewound) continue;
    if (was !== undefined && mark.openTime < was)
      problems.push(`${key} went back from ${was} to ${mark.openTime}`);
    else if (missing > 0) problems.push(`${key}: ${missing} of ${wanted} bars are neither stored nor named`);
    // Where it stood before is not for this run to answer.
    else if (mark.openTime !== was && !look.has(mark))
      problems.push(`${key}: its last bar, ${mark.openTime}, is neither stored nor named`);
  }
  for (const key of known.keys()) problems.push(`${key} is not there any more`);
  const more = problems.length - NAMED_MAX;
  const named = problems.slice(0, NAMED_MAX).join('; ');
  return {
    series: now.length,
    bars,
    wrong: problems.length === 0 ? undefined : more > 0 ? `${named}; and ${more} more` : named,
  };
}

class Look {
  readonly #candle: StatementSync;
  readonly #gap: StatementSync;
  readonly #candles: StatementSync;
  readonly #gaps: StatementSync;

  constructor(database: DatabaseSync) {
    this.#candle = database.prepare(READ_CANDLE);
    this.#gap = database.prepare(GAP_AT);
    this.#candles = database.prepare(COUNT_CANDLES);
    this.#gaps = database.prepare(OPEN_GAPS_BETWEEN);
  }

  /** Whether the last bar of a series is stored or named as missing. */
  has({ symbol, interval, openTime }: Watermark): boolean {
    const key = [symbol, interval, openTime] as const;
    return this.#candle.get(...key) !== undefined || this.#gap.get(...key) !== undefined;
  }

  /** Bars that are stored or named as missing, from `from` to where the series stands, each once. */
  count({ symbol, interval, openTime }: Watermark, from: number): number {
    const stored = (first: number, last: number): number =>
      Number(this.#candles.get(symbol, interval, first, last)?.['n']);
    let count = stored(from, openTime);
    for (const gap of this.#gaps.all(symbol, interval, from, openTime) as unknown as Gap[]) {
      const [first, last] = [Math.max(from, gap.fromOpenTime), Math.min(openTime, gap.toOpenTime)];
      // A bar may have come by another way than by filling its gap.
      count += countBars(interval, first, nextOpenTime(interval, last)) - stored(first, last);
    }
    return count;
  }
}
