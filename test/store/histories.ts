/** History as tests put it into a store: bars by their numbers. */
import { blockOf, type CandleBlock } from '../../machines/model/block.ts';
import { EXCHANGE_LACKS } from '../../machines/model/gap-reasons.ts';
import type { CandleSource } from '../../machines/model/kline.ts';
import type { Gap, Row } from '../../machines/model/row.ts';
import { StoreDatabase } from '../../src/store/database.ts';
import type { HistoryBatch } from '../../src/store/load.ts';
import { at, BTC, bar, MINUTE } from '../pipeline/candles.ts';

/** Bars [from, to) by their numbers. */
export type Numbers = readonly [from: number, to: number];

export const numbersOf = ([from, to]: Numbers): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

export const blockAt = (
  numbers: readonly number[],
  source: CandleSource = 'vision',
  series = BTC,
): CandleBlock =>
  blockOf(
    series,
    source,
    numbers.map((number) => bar(at(number), source, series)),
  );

export const gapAt = ([from, to]: Numbers, reason = EXCHANGE_LACKS, detectedAt = 7): Gap => ({
  ...BTC,
  fromOpenTime: at(from),
  toOpenTime: at(to - 1),
  reason,
  detectedAt,
});

export const spanAt = ([from, to]: Numbers) => ({ from: at(from), to: at(to) });

/** A part of the history: bars that were had, bars that lacked, and what is whole by that; all of it unless said. */
export function batchOf(
  had: readonly Numbers[],
  options: { readonly gaps?: readonly Gap[]; readonly collected?: readonly Numbers[] } = {},
): HistoryBatch {
  return {
    series: BTC,
    blocks: had.map((numbers) => blockAt(numbersOf(numbers))),
    gaps: options.gaps ?? [],
    collected: (options.collected ?? had).map(spanAt),
  };
}

/** A store that is open in this thread, for as long as `work` takes. */
export function withStore<Result>(path: string, work: (store: StoreDatabase) => Result): Result {
  const holder = { pid: process.pid, host: 'here', since: 0 };
  const { database } = StoreDatabase.open({ path, origin: 'simulator', holder });
  try {
    return work(database);
  } finally {
    database.close(at(0));
  }
}

/** What a collector stores of [from, to). */
export const collected = (numbers: Numbers): Row[] =>
  numbersOf(numbers).map((number) => ({ candle: bar(at(number)) }));

/** The number of the bar that opens then. */
export const numberOf = (openTime: unknown): number => (Number(openTime) - at(0)) / MINUTE;
