/** What goes into a kline stream and out of it. */
import type { Cleanup } from './model/cleanup.ts';
import type { Series } from './model/kline.ts';

/** Wall ms. */
export interface StreamTiming {
  /** How long a stream may be without a frame, once subscribed, before REST is asked about it. */
  readonly proofDelayMs: number;
  /** Between the two REST readings that tell quiet from mute; also what a frame may be under way. */
  readonly proofSpacingMs: number;
  /** Silence of a live stream that calls for REST. */
  readonly silenceMs: number;
}

export interface KlineStreamInput {
  readonly id: string;
  readonly series: Series;
  /** The venue's name of it, as `btcusdt@kline_1m`. */
  readonly stream: string;
  readonly timing: StreamTiming;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * From the cursor. FIRST_FRAME: the first of a connection. FRAME_AGAIN: the first after SILENT, QUIET or GARBLED was told, of a
 * connection that had spoken before. QUIET:
 * REST shows that the symbol does not trade, so silence is all right. SILENT: no frame for `silenceMs`. GARBLED:
 * many frames in a row could not be understood. HOLE: a bar is owed. ENDED: a retired series is whole. FAILED:
 * there is none for the series.
 */
export type CursorEvent =
  | { type: 'CURSOR.FIRST_FRAME' }
  | { type: 'CURSOR.FRAME_AGAIN' }
  | { type: 'CURSOR.QUIET' }
  | { type: 'CURSOR.SILENT' }
  | { type: 'CURSOR.GARBLED' }
  | { type: 'CURSOR.HOLE' }
  | { type: 'CURSOR.ENDED' }
  | { type: 'CURSOR.FAILED'; error: unknown };

/** The symbol ends: bars that open at or after `endTime` (exchange ms) are not there. */
export interface Retirement {
  readonly type: 'RETIRE';
  readonly endTime: number;
}

/**
 * A second connection is being made. What comes first on those that there are is a FRAME_AGAIN from now on; `isLive`: it is
 * live by one of them, and a frame of it is no news.
 */
export interface Succession {
  readonly type: 'SUCCESSION';
  readonly isLive: boolean;
}

/** To the cursor. */
export type CursorCommand = Retirement | Succession;

/**
 * From the feed. UP: the connection is proved and the stream subscribed. ROTATING: a second connection is being made.
 * SWITCHED: it carries on alone.
 */
export type StreamCommand =
  | { type: 'FEED.UP' }
  | { type: 'FEED.DOWN' }
  | { type: 'FEED.ROTATING' }
  | { type: 'FEED.SWITCHED' }
  | Retirement
  | { type: 'CLOSE' };

/** To the feed: the symbol trades while its frames stay out. `again`: though the stream was subscribed once more. */
export interface StreamMute {
  readonly type: 'STREAM.MUTE';
  readonly id: string;
  /** The venue's name. */
  readonly stream: string;
  readonly again: boolean;
}

/** What a repair left: bars that are closed on the exchange and still missing here. */
export interface RepairResult {
  readonly owed: number;
  /** Bars that it brought. */
  readonly taken: number;
}

/**
 * What REST is asked about a stream without frames. `since` what its symbol's trades are counted: `now`, by two
 * readings; or `last`, the last that was known of it on this connection.
 */
export interface ProveStreamInput {
  readonly series: Series;
  readonly since: 'now' | 'last';
  readonly spacingMs: number;
}

/** The symbol does not trade, or it does and its frames stay out. */
export type StreamProof = 'quiet' | 'mute';

/** `retired`: it ended because its symbol did, which is no fault. */
export type StreamEnd = Cleanup & { readonly retired?: true };
