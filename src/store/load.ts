import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BLOCK_FIELDS, type CandleBlock } from '../../machines/model/block.ts';
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import type { Gap } from '../../machines/model/row.ts';
import type { Span } from '../../machines/model/spans.ts';
import type { Corrections } from './corrections.ts';
import type { Marks } from './marks.ts';
import { insertBars } from './schema.ts';

/** A part of the history of one series. */
export interface HistoryBatch {
  readonly series: Series;
  /** Bars of it, in any order. Their buffers go to the store's thread, with every other block that shares one. */
  readonly blocks: readonly CandleBlock[];
  /** Bars of it that are missing. Of those that are there no gap is made. */
  readonly gaps: readonly Gap[];
  /** What is whole now by all that was asked: bars that open in [from, to), open times, ms. */
  readonly collected: readonly Span[];
  /** When open gaps count as filled, ms. Default: the exchange's time; needed when that is not known. */
  readonly foundAt?: number;
}

/** What a batch has changed. */
export interface LoadResult {
  /** Bars that were not there before. */
  readonly inserted: number;
  /** Bars of open gaps that are there now. */
  readonly filled: number;
}

/** Rows of one statement. Twice as fast as one at a time; more of them gain nothing. */
const ROWS_PER_INSERT = 32;
const HEAD = 3;

/** Writes history, inside the transaction of the caller: what is stored is never changed. */
export class Loader {
  readonly #many: StatementSync;
  readonly #one: StatementSync;
  readonly #corrections: Corrections;
  readonly #marks: Marks;

  constructor(database: DatabaseSync, corrections: Corrections, marks: Marks) {
    this.#many = database.prepare(insertBars(ROWS_PER_INSERT));
    this.#one = database.prepare(insertBars(1));
    this.#corrections = corrections;
    this.#marks = marks;
  }

  load({ series, blocks, gaps, collected, foundAt }: HistoryBatch, exchangeTime: number): LoadResult {
    const filledAt = Math.round(foundAt ?? exchangeTime);
    for (const one of [...blocks, ...gaps])
      if (seriesKey(one) !== seriesKey(series))
        throw new Error(`${seriesKey(one)} in a batch of ${seriesKey(series)}`);
    let inserted = 0;
    let filled = 0;
    for (const block of blocks) {
      inserted += this.#insert(block);
      filled += this.#corrections.fillFrom(series, rangeOf(block), filledAt);
    }
    for (const gap of gaps) this.#corrections.nameWhatLacks(gap);
    this.#marks.loaded(series, collected);
    return { inserted, filled };
  }

  #insert(block: CandleBlock): number {
    const { symbol, interval, source, rows } = block;
    const columns = BLOCK_FIELDS.map((field) => block.columns[field]);
    const values = new Array<string | number>(HEAD + ROWS_PER_INSERT * columns.length);
    [values[0], values[1], values[2]] = [symbol, interval, source];
    const take = (from: number, to: number): void => {
      let at = HEAD;
      for (let row = from; row < to; row++)
        for (const column of columns) values[at++] = column[row] as number;
    };
    let inserted = 0;
    let row = 0;
    for (; row + ROWS_PER_INSERT <= rows; row += ROWS_PER_INSERT) {
      take(row, row + ROWS_PER_INSERT);
      inserted += Number(this.#many.run(...values).changes);
    }
    values.length = HEAD + columns.length;
    for (; row < rows; row++) {
      take(row, row + 1);
      inserted += Number(this.#one.run(...values).changes);
    }
    return inserted;
  }
}

/** The first and the last open time of a block, both inclusive. */
function rangeOf({ rows, columns }: CandleBlock): { fromOpenTime: number; toOpenTime: number } {
  let [fromOpenTime, toOpenTime] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let row = 0; row < rows; row++) {
    const openTime = columns.openTime[row] as number;
    if (openTime < fromOpenTime) fromOpenTime = openTime;
    if (openTime > toOpenTime) toOpenTime = openTime;
  }
  return { fromOpenTime, toOpenTime };
}
