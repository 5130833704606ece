import type { CandleBlock } from '../../../machines/model/block.ts';
import type { Series } from '../../../machines/model/kline.ts';
import type { Gap } from '../../../machines/model/row.ts';
import type { Span } from '../../../machines/model/spans.ts';
import { rowsIn } from './parts.ts';
import { type HistorySink, noCounts, type Taken } from './sinks.ts';

/** Bars of 88 bytes: about 350 MB. */
const BARS_MAX = 4_000_000;

/** Bars kept in memory, for who wants them at once. */
export class MemorySink implements HistorySink {
  readonly name = 'memory';
  readonly isOrdered = true;
  readonly barsMax: number;
  readonly counts = noCounts();
  readonly #blocks: CandleBlock[] = [];

  constructor(barsMax = BARS_MAX) {
    this.barsMax = barsMax;
  }

  /** All that was taken, ascending. */
  get blocks(): readonly CandleBlock[] {
    return this.#blocks;
  }

  async open(): Promise<void> {}

  async missing(_: Series, range: Span): Promise<readonly Span[]> {
    return [range];
  }

  async gaps(): Promise<readonly Gap[]> {
    return [];
  }

  async take({ blocks }: Taken): Promise<void> {
    this.#blocks.push(...blocks);
    this.counts.stored += rowsIn(blocks);
  }

  async finish(): Promise<void> {}

  async close(): Promise<void> {}
}
