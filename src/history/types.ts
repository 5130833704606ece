/** What the parts of the history say to each other. */
import type { CandleBlock } from '../../machines/model/block.ts';
import type { Run } from '../../machines/model/gaps.ts';
import type { Series } from '../../machines/model/kline.ts';
import type { Span } from '../../machines/model/spans.ts';
import type { ArchiveFile } from '../binance/archive.ts';

/** Where history may come from: `auto` is the archive where it has files, and REST for what it lacks. */
export type HistorySourceName = 'auto' | 'vision' | 'rest';

/** What became of a file that was asked for. */
export type Fetched =
  /** It is on this disk, its checksum verified. Whoever took it calls `release` when it has been read. */
  | {
      readonly status: 'there';
      /** Path of the zip file on this disk. */
      readonly path: string;
      readonly bytes: number;
      /** Whether it was on this disk before. */
      readonly isHit: boolean;
      /** SHA-256, hex. Undefined: a local folder without a checksum beside the file. */
      readonly sha256: string | undefined;
      release(): Promise<void>;
    }
  /** The archive has no such file. */
  | { readonly status: 'absent' }
  /** It may not be read: why, a sentence. */
  | { readonly status: 'refused'; readonly reason: string };

/** Statistics of the cache, since it was opened. */
export interface CacheCounts {
  /** Files that were there. */
  hits: number;
  /** Files that had to be fetched. */
  misses: number;
  /** Files of the cache that were damaged, or could not be written. */
  errors: number;
  /** Bytes fetched from the network, and read from the cache. */
  bytesFetched: number;
  bytesRead: number;
}

/** Files of an archive: by network through a cache, or from a local folder. */
export interface ArchiveFiles {
  readonly counts: Readonly<CacheCounts>;
  /**
   * Rejects with an `ExchangeError` when the archive can't be reached, after it was tried again, or with the
   * signal's reason.
   */
  get(file: ArchiveFile, signal?: AbortSignal): Promise<Fetched>;
  /** Lets go of connections, temporary files and locks. */
  close(): Promise<void>;
}

/** Something about the data that its user should know: where, and what was done about it. */
export interface HistoryNote extends Series {
  readonly kind: 'missing file' | 'refused file' | 'unreachable' | 'defect' | 'doubtful' | 'outside';
  readonly from: number;
  readonly to: number;
  /** What was found. */
  readonly found: string;
  /** What was done. */
  readonly done: string;
}

/** Part of a plan. */
export interface Piece extends Span {
  readonly by: 'day' | 'month' | 'rest';
  /** Of `day` and `month`. */
  readonly file?: ArchiveFile;
  /** The folder does not have the file, and nobody else may be asked. */
  readonly isLacking?: true;
}

/** A part of the range, as it was found. */
export interface Loaded extends Span {
  readonly piece: Piece;
  /** Bars that open in [from, to), final, ascending over all blocks. */
  readonly blocks: readonly CandleBlock[];
  /** Bars of [from, to) that no source had, by their open times. */
  readonly lacking: readonly Run[];
  /** Bars of [from, to) that could not be asked for: they are owed, not lacking. */
  readonly unreached: readonly Run[];
  readonly notes: readonly HistoryNote[];
}

/** What is wanted. */
export interface HistoryQuery extends Series, Span {
  readonly source: HistorySourceName;
  /** The parts of [from, to) that are to be loaded, ascending. Default: all of it. */
  readonly missing?: readonly Span[];
}

/** What will be done, before anything of it is. */
export interface HistoryPlan {
  readonly query: HistoryQuery;
  /** The range without what can't be: bars before the first one of the series, and those that have not ended. */
  readonly range: Span;
  /** Ascending, none overlaps another. */
  readonly pieces: readonly Piece[];
  /** Bars that the pieces hold when nothing lacks. */
  readonly bars: number;
  readonly notes: readonly HistoryNote[];
}

/** What came of asking again for bars that no source had. */
export interface Confirmed {
  readonly blocks: readonly CandleBlock[];
  /** Bars that the exchange has not: gaps, with the reason to name them by. */
  readonly lacking: readonly (Run & { readonly reason: string })[];
  readonly unreached: readonly Run[];
  /** The symbol has ended: its last bar opens before this, ms, and what lacks from there on is no gap. */
  readonly endsAt?: number;
}

/** Archive and REST as one. */
export interface HistorySource {
  /** Reads what must be known for it: the exchange's time, the first bar. @throws {ExchangeError} {ConfigurationError} */
  plan(query: HistoryQuery, signal?: AbortSignal): Promise<HistoryPlan>;
  /** Every piece of the plan once, in order; a few are fetched ahead. What one source has not is taken from the other. */
  load(plan: HistoryPlan, signal?: AbortSignal): AsyncIterable<Loaded>;
  /** Asks again: what lacks is asked for three times in all, over ten seconds at least. */
  confirm(query: HistoryQuery, lacking: readonly Run[], signal?: AbortSignal): Promise<Confirmed>;
}
