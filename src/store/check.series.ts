/** What a run wrote into a store, looked at bar by bar: each is there, or named as missing. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { countBars, isInterval, nextOpenTime } from '../../machines/model/interval.ts';
import { seriesKey } from '../../machines/model/kline.ts';
import type { Span } from '../../machines/model/spans.ts';
import { Coverage } from './coverage.ts';
import type { StoredSeries, Watermark } from './marks.ts';
import { GAP_AT, READ_CANDLE, STORED_ONE, WATERMARKS } from './schema.ts';

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
  const now = database.prepare(WATERMARKS).all() as unknown as Watermark[];
  const problems: string[] = [];
  let bars = 0;
  for (const mark of now) {
    if (!isInterval(mark.interval)) continue;
    const key = seriesKey(mark);
    const was = known.get(key);
    known.delete(key);
    const end = nextOpenTime(mark.interval, mark.openTime);
    // Of a series that is new; history of other times may lie before that, behind a hole.
    const begin = was === undefined && before !== undefined ? look.wholeFrom(mark) : end;
    const from = was === undefined ? begin : nextOpenTime(mark.interval, was);
    const wanted = countBars(mark.interval, from, end);
    const missing = wanted === 0 ? 0 : look.lacks(mark, { from, to: end });
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
  readonly #database: DatabaseSync;
  readonly #candle: StatementSync;
  readonly #gap: StatementSync;
  readonly #coverage: Coverage;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#candle = database.prepare(READ_CANDLE);
    this.#gap = database.prepare(GAP_AT);
    this.#coverage = new Coverage(database);
  }

  /** Whether the last bar of a series is stored or named as missing. */
  has({ symbol, interval, openTime }: Watermark): boolean {
    const key = [symbol, interval, openTime] as const;
    return this.#candle.get(...key) !== undefined || this.#gap.get(...key) !== undefined;
  }

  /** Bars that are neither stored nor named as missing. */
  lacks(mark: Watermark, span: Span): number {
    return this.#coverage.lacks(mark, span);
  }

  /** From where on it is said to be whole. A store of an older version does not say so until it is opened. */
  wholeFrom({ symbol, interval }: Watermark): number {
    const found = this.#database.prepare(STORED_ONE).get(symbol, interval) as unknown as StoredSeries;
    return found.wholeFrom;
  }
}
