/** A range of the past in memory: what is stored, and of the rest what the sources have. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { candlesIn } from '../../machines/model/block.ts';
import { joinRuns } from '../../machines/model/block-runs.ts';
import type { Run } from '../../machines/model/gaps.ts';
import { countBars, nextOpenTime } from '../../machines/model/interval.ts';
import { type Candle, type Series, seriesKey } from '../../machines/model/kline.ts';
import type { Span } from '../../machines/model/spans.ts';
import { ExchangeError } from '../errors.ts';
import type { HistoryNote, HistoryQuery, HistorySource } from './types.ts';

/** Closed candles of the past. */
export interface Gathered {
  /** Ascending, each open time once, final values. */
  readonly candles: Candle[];
  /** Bars of the range that no source has, by their open times, both inclusive, ms; ascending. */
  readonly missing: readonly Run[];
  /** What was odd about the archive's files, and what was done about it. */
  readonly notes: readonly HistoryNote[];
}

/** Rows of a store that are read in one go: a page takes about two milliseconds. */
const PAGE_ROWS = 1_000;
/** Bars that are put together in one go: a millisecond or two. */
const MERGED_PER_TURN = 10_000;

/** Candles of a series that open after a time, oldest first, so many at most. */
export type ReadStore = (series: Series, afterOpenTime: number, rowsMax: number) => readonly Candle[];

/** What a store holds of [from, to), ascending. */
export async function readRange(
  read: ReadStore,
  series: Series,
  { from, to }: Span,
  signal: AbortSignal,
): Promise<Candle[]> {
  const found: Candle[] = [];
  for (let after = from - 1; ; ) {
    signal.throwIfAborted();
    const page = read(series, after, PAGE_ROWS);
    for (const candle of page) if (candle.openTime < to) found.push(candle);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ROWS || last.openTime >= to) return found;
    after = last.openTime;
    await nextTurn();
  }
}

/** What of a range is in none of the bars, which ascend. */
export function rangesWithout({ from, to }: Span, bars: readonly Candle[]): Span[] {
  const ranges: Span[] = [];
  let at = from;
  for (const { openTime, closeTime } of bars) {
    if (at < openTime) ranges.push({ from: at, to: openTime });
    at = Math.max(at, closeTime + 1);
  }
  if (at < to) ranges.push({ from: at, to });
  return ranges;
}

/**
 * Loads what is missing beside `stored`.
 *
 * @throws {ExchangeError} `HISTORY_UNREACHED` when a source could not be asked: then nobody knows what there is.
 */
export async function gather(
  reach: () => HistorySource,
  query: HistoryQuery,
  stored: readonly Candle[],
  signal: AbortSignal,
): Promise<Gathered> {
  const wanted = rangesWithout(query, stored);
  if (wanted.length === 0) return { candles: [...stored], missing: [], notes: [] };
  const source = reach();
  const plan = await source.plan({ ...query, missing: wanted }, signal);
  const loaded: Candle[] = [];
  const missing: Run[] = [];
  const notes = [...plan.notes];
  for await (const part of source.load(plan, signal)) {
    const [unreached] = part.unreached;
    if (unreached !== undefined) throw couldNotAsk(query, unreached);
    for (const block of part.blocks) for (const candle of candlesIn(block)) loaded.push(candle);
    missing.push(...part.lacking);
    notes.push(...part.notes);
  }
  return {
    candles: await merged(stored, loaded, signal),
    missing: joinRuns(query.interval, missing),
    notes,
  };
}

/** Two that ascend as one that does; of a bar that both have, the first counts. Live bars have their turns meanwhile. */
async function merged(
  first: readonly Candle[],
  second: readonly Candle[],
  signal: AbortSignal,
): Promise<Candle[]> {
  const all: Candle[] = [];
  let [one, other, last] = [0, 0, Number.NEGATIVE_INFINITY];
  while (one < first.length || other < second.length) {
    const isFirst =
      other === second.length ||
      (one < first.length && (first[one] as Candle).openTime <= (second[other] as Candle).openTime);
    const candle = (isFirst ? first[one++] : second[other++]) as Candle;
    if (candle.openTime !== last) all.push(candle);
    last = candle.openTime;
    if ((one + other) % MERGED_PER_TURN === 0) {
      await nextTurn();
      signal.throwIfAborted();
    }
  }
  return all;
}

/** How many bars the runs are. */
export const barsIn = ({ interval }: Series, runs: readonly Run[]): number =>
  runs.reduce(
    (sum, run) => sum + countBars(interval, run.fromOpenTime, nextOpenTime(interval, run.toOpenTime)),
    0,
  );

const couldNotAsk = (series: Series, run: Run): ExchangeError =>
  new ExchangeError(
    `bars of ${seriesKey(series)} from ${new Date(run.fromOpenTime).toISOString()} on could not be asked for`,
    { code: 'HISTORY_UNREACHED', status: 0, retryable: true },
  );
