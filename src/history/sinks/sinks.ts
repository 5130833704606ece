/** Where bars go. */

import type { CandleBlock } from '../../../machines/model/block.ts';
import type { Series } from '../../../machines/model/kline.ts';
import type { Gap } from '../../../machines/model/row.ts';
import type { Span } from '../../../machines/model/spans.ts';

/** What is handed over at a time. */
export interface Taken {
  /** Ascending. */
  readonly blocks: readonly CandleBlock[];
  readonly gaps: readonly Gap[];
  /** What is whole by it: every bar is there or named. */
  readonly collected: readonly Span[];
}

/** Since it was opened, in bars. */
export interface SinkCounts {
  /** New there. */
  stored: number;
  /** Of these, bars of gaps that had been named. */
  filled: number;
  /** Taken, and not kept in the end. */
  unwritten: number;
}

export const noCounts = (): SinkCounts => ({ stored: 0, filled: 0, unwritten: 0 });

export interface HistorySink {
  readonly name: 'store' | 'file' | 'memory';
  /**
   * It takes bars in the order of time alone. What lacks is then asked for again before anything behind it is handed
   * over.
   */
  readonly isOrdered: boolean;
  /** Bars that it can hold. */
  readonly barsMax: number;
  readonly counts: Readonly<SinkCounts>;
  /** Makes it ready. A dry run never changes what is there. */
  open(isDryRun: boolean): Promise<void>;
  /** What of the range is neither there nor named, ascending. */
  missing(series: Series, range: Span): Promise<readonly Span[]>;
  /** Gaps that it has named before and that are open, of bars of the range and perhaps beyond. */
  gaps(series: Series, range: Span): Promise<readonly Gap[]>;
  /**
   * Takes bars; they are not the caller's any more. Resolves when it has room for the next ones, which may be before
   * these are kept. Rejects when they, or earlier ones, can't be kept.
   */
  take(part: Taken): Promise<void>;
  /** Resolves when all that was taken is kept: committed, or in a file under its own name. */
  finish(): Promise<void>;
  /**
   * Keeps of what was taken what can be kept, and lets go of everything, also in the middle of an opening or a taking.
   * When the signal is aborted nobody waits any more: then it lets go at once.
   */
  close(signal: AbortSignal): Promise<void>;
}
