/** What is stored, held against what the exchange or its archive says now. Nothing is written. */

import { setImmediate as turn } from 'node:timers/promises';
import type { BlockField, CandleBlock } from '../../../machines/model/block.ts';
import { barBefore, type Run } from '../../../machines/model/gaps.ts';
import { nextOpenTime } from '../../../machines/model/interval.ts';
import type { Series } from '../../../machines/model/kline.ts';
import type { Span } from '../../../machines/model/spans.ts';
import { ConfigurationError } from '../../errors.ts';
import { readBlocks } from '../../store/blocks.ts';
import type { HistoryPlan, HistoryQuery, HistorySource, Loaded } from '../types.ts';
import type { AbsenceKind, Differences } from './differences.ts';

export interface CompareOptions {
  /** Path of the store. */
  readonly path: string;
  readonly source: HistorySource;
  readonly by: 'vision' | 'rest';
  /** Where what differs is told. */
  readonly differences: Differences;
  readonly signal?: AbortSignal | undefined;
  /** Is told of every part that has been compared: how many bars that were. */
  readonly onProgress?: ((bars: number) => void) | undefined;
}

const ROWS_PER_BLOCK = 10_000;
/** Places in which the source lacks what is stored; as many are asked about at once. */
const DOUBTS_MAX = 1_000;

/** A bar of a block. */
interface Place {
  readonly block: CandleBlock;
  readonly row: number;
}

/**
 * Compares the stored bars of a series that open in `range`. A part is compared as it comes, so that memory is
 * bounded; what the source seems to lack is asked for again at the end.
 *
 * @throws what the source throws, and the signal's reason.
 */
export async function compareSeries(series: Series, range: Span, options: CompareOptions): Promise<void> {
  await new Comparison(series, range, options).run();
}

class Comparison {
  readonly #series: Series;
  readonly #query: HistoryQuery;
  readonly #options: CompareOptions;
  /** Up to where has been compared. */
  #at: number;
  /** Stored bars that the source seems to lack. */
  #doubts: Run[] = [];

  constructor(series: Series, range: Span, options: CompareOptions) {
    this.#series = series;
    this.#query = { ...series, ...range, source: options.by };
    this.#options = options;
    this.#at = range.from;
  }

  async run(): Promise<void> {
    const { source, signal, differences, onProgress } = this.#options;
    const plan = await this.#plan();
    if (plan === undefined) return this.#pass(this.#query.to, 'unpublished');
    differences.note(plan.notes);
    // The source says that the series begins later.
    await this.#pass(plan.range.from, 'here');
    for await (const loaded of source.load(plan, signal)) {
      differences.note(loaded.notes);
      await this.#pass(loaded.from, 'unpublished');
      const before = differences.counts.compared;
      this.#compare(loaded);
      this.#at = loaded.to;
      onProgress?.(differences.counts.compared - before);
      if (this.#doubts.length >= DOUBTS_MAX) await this.#confirm();
    }
    await this.#pass(this.#query.to, 'unpublished');
    await this.#confirm();
  }

  /** Undefined: the source does not know the symbol, as it may be with one that has ended. */
  async #plan(): Promise<HistoryPlan | undefined> {
    const { source, signal, differences } = this.#options;
    try {
      return await source.plan(this.#query, signal);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const { from, to } = this.#query;
      const found = 'the source does not know the symbol';
      differences.note([{ ...this.#series, kind: 'outside', from, to, found, done: 'not compared' }]);
      return undefined;
    }
  }

  /** Stored bars before a time that the source does not speak of. */
  async #pass(to: number, kind: AbsenceKind): Promise<void> {
    for (const block of this.#read(this.#at, to)) {
      for (const place of placesOf([block])) this.#miss(kind, timeOf(place));
      await turn();
      this.#options.signal?.throwIfAborted();
    }
    this.#at = Math.max(this.#at, to);
  }

  #compare({ from, to, blocks, unreached, notes }: Loaded): void {
    const unpublished = notes.filter(({ kind }) => kind === 'missing file');
    this.#merge(from, to, blocks, (openTime) => {
      if (unreached.some((run) => openTime >= run.fromOpenTime && openTime <= run.toOpenTime))
        this.#miss('unreached', openTime);
      else if (unpublished.some((note) => openTime >= note.from && openTime < note.to))
        this.#miss('unpublished', openTime);
      else this.#doubt(openTime);
    });
  }

  /** Both sides along their open times; `lacks` is called for stored bars that the others have not. */
  #merge(from: number, to: number, blocks: readonly CandleBlock[], lacks: (openTime: number) => void): void {
    const { differences } = this.#options;
    const ours = placesOf(this.#read(from, to));
    let one = ours.next();
    for (const theirs of placesOf(blocks)) {
      const openTime = timeOf(theirs);
      for (; one.done !== true && timeOf(one.value) < openTime; one = ours.next()) lacks(timeOf(one.value));
      if (one.done !== true && timeOf(one.value) === openTime) {
        differences.compare(this.#series, numbersOf(one.value), numbersOf(theirs));
        one = ours.next();
      } else this.#miss('there', openTime);
    }
    for (; one.done !== true; one = ours.next()) lacks(timeOf(one.value));
  }

  #read(from: number, to: number): Iterable<CandleBlock> {
    if (from >= to) return [];
    return readBlocks(this.#options.path, this.#series, { from, to, rowsPerBlock: ROWS_PER_BLOCK });
  }

  #doubt(openTime: number): void {
    const last = this.#doubts.at(-1);
    if (last?.toOpenTime === barBefore(this.#series.interval, openTime))
      this.#doubts[this.#doubts.length - 1] = { ...last, toOpenTime: openTime };
    else this.#doubts.push({ fromOpenTime: openTime, toOpenTime: openTime });
  }

  /** Asks again for what the source seemed to lack. */
  async #confirm(): Promise<void> {
    const doubts = this.#doubts;
    if (doubts.length === 0) return;
    this.#doubts = [];
    const { source, signal } = this.#options;
    const { blocks, unreached } = await source.confirm(this.#query, doubts, signal);
    for (const { fromOpenTime, toOpenTime } of doubts) {
      const [from, to] = [fromOpenTime, nextOpenTime(this.#series.interval, toOpenTime)];
      const found = blocks.filter(({ rows, columns }) => {
        const [first = Number.NaN, last = Number.NaN] = [columns.openTime[0], columns.openTime[rows - 1]];
        return last >= from && first < to;
      });
      this.#merge(from, to, found, (openTime) => {
        const isUnreached = unreached.some(
          (run) => openTime >= run.fromOpenTime && openTime <= run.toOpenTime,
        );
        this.#miss(isUnreached ? 'unreached' : 'here', openTime);
      });
    }
  }

  #miss(kind: AbsenceKind, openTime: number): void {
    const previous = barBefore(this.#series.interval, openTime);
    this.#options.differences.miss(kind, this.#series, openTime, previous);
  }
}

function* placesOf(blocks: Iterable<CandleBlock>): Generator<Place, void, undefined> {
  for (const block of blocks) for (let row = 0; row < block.rows; row++) yield { block, row };
}

const timeOf = ({ block, row }: Place): number => block.columns.openTime[row] as number;

const numbersOf =
  ({ block, row }: Place) =>
  (field: BlockField): number =>
    block.columns[field][row] as number;
