/** What goes into a feed and out of it. */
import type { Activity, ConnectionTemplate } from './connection.types.ts';
import type { KlineStreamInput } from './kline-stream.machine.ts';
import type { Cleanup } from './model/cleanup.ts';
import type { ReconnectCause } from './model/reconnect.ts';

export interface FeedInput {
  readonly id: string;
  /** What its connections have in common. They are named after the feed: `feed0.a` and `feed0.b`. */
  readonly connection: ConnectionTemplate;
  /** The liveness stamp of the connection of that name. */
  readonly activityOf: (connectionId: string) => Activity;
  readonly streams: readonly KlineStreamInput[];
  /** Names that are subscribed besides, as `!contractInfo`, and have no stream of their own. */
  readonly extra?: readonly string[];
  /** Pause before children are started afresh after one of them failed, ms. */
  readonly mendMs: number;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Hears of every connection that was given up and is dialled anew, to count them. */
  readonly onReconnect?: (cause: ReconnectCause) => void;
}

/**
 * From the collector. ADD: more streams for this shard. RETIRE: these streams end with their symbol, whose last bar
 * ends at `endTime`, exchange ms. PROBE: the machine slept, so ask every connection for a sign of life.
 */
export type FeedCommand =
  | { type: 'CLOSE'; withinMs: number }
  | { type: 'PROBE' }
  | { type: 'ADD'; streams: readonly KlineStreamInput[] }
  | { type: 'RETIRE'; ids: readonly string[]; endTime: number };

/** To the collector. DOWN comes again for every failed attempt. ALARM: somebody should look at it. */
export type FeedReport =
  | { type: 'FEED.UP'; id: string; proof: 'frame' | 'quiet' }
  | { type: 'FEED.DOWN'; id: string; reason: string; retryMs: number; alarming: boolean }
  | {
      type: 'FEED.ALARM';
      id: string;
      /** `ROTATION_FAILS`, `STREAM_MUTE`. */
      code: string;
      message: string;
      fields: Readonly<Record<string, unknown>>;
    }
  | { type: 'FEED.ROTATED'; id: string; reason: string };

/** Everything a feed was made of has ended; `lines` says how each did, its own line first. */
export interface FeedOutput {
  readonly name: string;
  readonly lines: readonly Cleanup[];
}
