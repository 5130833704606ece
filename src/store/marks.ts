import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { barBefore, type Run } from '../../machines/model/gaps.ts';
import { nextOpenTime } from '../../machines/model/interval.ts';
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import type { Rewind } from '../../machines/model/row.ts';
import { type Span, unite } from '../../machines/model/spans.ts';
import type { Coverage } from './coverage.ts';
import {
  ADD_BEGINNINGS,
  HAS_BEGINNINGS,
  LACKS_BEGINNINGS,
  PUT_WATERMARK,
  REWIND,
  SET_BEGINNINGS,
  SET_WATERMARK,
  STORED_ONE,
  STORED_SERIES,
} from './schema.ts';

/** Where a series stands in the store. */
export interface Watermark extends Series {
  /** Open time of the last bar stored or named as missing, ms. */
  readonly openTime: number;
}

/** A series as the store has it. */
export interface StoredSeries extends Watermark {
  /**
   * Open time from which on every bar up to the watermark is stored or named as missing, ms. There may be more before it,
   * behind a hole. One bar behind the watermark: nothing is known to be whole.
   */
  readonly wholeFrom: number;
}

/** What was collected of a series by a batch, without a hole. */
type Stretch = Series & Run;

/**
 * Where series stand: up to which bar, and from which on, without a hole between. Inside the transactions of the caller.
 * Whoever collects starts from there; so a mark may say too little, and never too much.
 */
export class Marks {
  readonly #coverage: Coverage;
  readonly #all: StatementSync;
  readonly #one: StatementSync;
  readonly #set: StatementSync;
  readonly #put: StatementSync;
  readonly #rewind: StatementSync;
  /** Series of which bars have been collected since this store was opened. */
  readonly #begun = new Set<string>();

  constructor(database: DatabaseSync, coverage: Coverage) {
    this.#coverage = coverage;
    this.#all = database.prepare(STORED_SERIES);
    this.#one = database.prepare(STORED_ONE);
    this.#set = database.prepare(SET_WATERMARK);
    this.#put = database.prepare(PUT_WATERMARK);
    this.#rewind = database.prepare(REWIND);
  }

  /** Makes a store of an older version tell where its series begin; one that does is not written. */
  static prepare(database: DatabaseSync): void {
    const count = (sql: string): number => Number(database.prepare(sql).get()?.['n']);
    if (count(HAS_BEGINNINGS) === 0) database.exec(ADD_BEGINNINGS);
    if (count(LACKS_BEGINNINGS) > 0) database.exec(SET_BEGINNINGS);
  }

  all(): StoredSeries[] {
    return this.#all.all().map((row) => consistent(row as unknown as StoredSeries));
  }

  /**
   * Bars were collected behind the mark. The first ones since the store was opened may lie further on, where history was
   * loaded for a series that nobody had collected: then it is whole from there on.
   */
  collected(stretches: Iterable<Stretch>): void {
    for (const one of stretches) {
      const { symbol, interval, fromOpenTime, toOpenTime } = one;
      const anew = this.#begun.has(seriesKey(one)) ? null : barBefore(interval, fromOpenTime);
      this.#set.run(symbol, interval, fromOpenTime, toOpenTime, anew);
    }
  }

  /** What was said to {@link collected} has been committed. */
  committed(stretches: Iterable<Stretch>): void {
    for (const one of stretches) this.#begun.add(seriesKey(one));
  }

  rewind({ symbol, interval, openTime }: Rewind): void {
    this.#rewind.run(symbol, interval, openTime, nextOpenTime(interval, openTime));
  }

  /**
   * History was loaded. A mark moves only when that touches it, and then over all that lies there without a hole; one is
   * made for a series that had none. What is said to be collected is looked for, and does not count where it is not.
   */
  loaded(series: Series, collected: readonly Span[]): void {
    for (const span of unite(collected)) {
      const before = this.#find(series);
      const after = before === undefined ? this.#begin(series, span) : this.#grown(before, span);
      if (after === undefined) continue;
      this.#put.run(series.symbol, series.interval, after.wholeFrom, after.openTime);
    }
  }

  #find({ symbol, interval }: Series): StoredSeries | undefined {
    const found = this.#one.get(symbol, interval);
    return found === undefined ? undefined : consistent(found as unknown as StoredSeries);
  }

  #begin(series: Series, span: Span): StoredSeries | undefined {
    const first = this.#coverage.firstIn(series, span);
    if (first === undefined) return undefined;
    const openTime = barBefore(series.interval, this.#coverage.wholeUntil(series, first));
    return { ...series, openTime, wholeFrom: this.#coverage.wholeFrom(series, first) };
  }

  #grown(mark: StoredSeries, span: Span): StoredSeries {
    const { interval } = mark;
    const due = nextOpenTime(interval, mark.openTime);
    let { openTime, wholeFrom } = mark;
    if (span.from <= due && span.to >= due)
      openTime = barBefore(interval, this.#coverage.wholeUntil(mark, due));
    if (span.from < wholeFrom && span.to >= wholeFrom) wholeFrom = this.#coverage.wholeFrom(mark, wholeFrom);
    return { ...mark, openTime, wholeFrom };
  }
}

/** A version that did not know of beginnings may have taken the mark back to before one. */
const consistent = (mark: StoredSeries): StoredSeries => ({
  ...mark,
  wholeFrom: Math.min(mark.wholeFrom, nextOpenTime(mark.interval, mark.openTime)),
});
