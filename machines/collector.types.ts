/** What goes into the collector's chart and what it hears and tells, beside the reports of its children. */
import type { FeedInput, FeedOutput, FeedReport } from './feed.machine.ts';
import type { KlineStreamInput } from './kline-stream.machine.ts';
import type { Cleanup } from './model/cleanup.ts';
import type { RestReport, RestSessionInput } from './rest-session.machine.ts';
import type { StoreInput, StoreOutput, StoreReport } from './store.machine.ts';

export interface CollectorInput {
  readonly store: StoreInput;
  readonly rest: RestSessionInput;
  /** From START to `streaming`; undefined: as long as it takes. */
  readonly connectTimeoutMs: number | undefined;
  /** After the first attempt to prepare that failed, ms; then doubled. */
  readonly preparePauseMs: number;
  readonly stopTimeoutMs: number;
  /** Streams that one shard may carry. */
  readonly streamsPerSocket: number;
  /** What a shard is made of that is opened while the collector runs. */
  readonly newFeed: (id: string, streams: readonly KlineStreamInput[]) => FeedInput;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** Streams whose symbol has ended: no bar that opens at or after `endTime` (ms) is theirs. */
export interface RetiredStreams {
  readonly ids: readonly string[];
  readonly endTime: number;
}

/** What the exchange said about what was asked for: the shards to open, and which of their streams end already. */
export interface Prepared {
  readonly feeds: readonly FeedInput[];
  readonly retire: readonly RetiredStreams[];
}

/** What has become of symbols, for who listens. */
export interface SymbolNews {
  readonly code: 'SYMBOL_LISTED' | 'SYMBOL_HALTED' | 'SYMBOL_RESUMED' | 'SYMBOL_RETIRED' | 'SYMBOLS_GONE';
  readonly symbols: readonly string[];
}

/** From the watch over symbols. */
export interface SymbolsChanged {
  readonly type: 'SYMBOLS.CHANGED';
  readonly add: readonly KlineStreamInput[];
  readonly retire: readonly RetiredStreams[];
  readonly news: readonly SymbolNews[];
}

/** The machine slept or its clock was set: what was proved before proves nothing now. */
export interface TimeJumped {
  readonly type: 'TIME.JUMPED';
  readonly reason: string;
}

export type CollectorEvent =
  | { type: 'START' }
  | { type: 'STOP'; reason: string; timeoutMs?: number }
  | FeedReport
  | StoreReport
  | RestReport
  | SymbolsChanged
  | TimeJumped
  | { type: 'xstate.done.actor.*'; output: ChildDone; actorId: string }
  | { type: 'xstate.error.actor.*'; error: unknown; actorId: string };

/** Why a collector ended that nobody stopped. */
export interface Failure {
  readonly kind: 'connect-timeout' | 'prepare' | 'component';
  readonly message: string;
  readonly cause?: unknown;
}

export type ChildDone = Cleanup | StoreOutput | FeedOutput;
