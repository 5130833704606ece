/** What goes into a connection and out of it. */
import { type BackoffPolicy, DEFAULT_BACKOFF, type Ending } from './model/backoff.ts';
import type { ReconnectCause } from './model/reconnect.ts';

/** What the machine may ask of the data path: a liveness stamp, read when a heartbeat is due. */
export interface Activity {
  /** Ms since the last data frame, or since the socket opened. */
  silentMs(): number;
}

export interface ConnectionTiming {
  readonly openTimeoutMs: number;
  readonly ackTimeoutMs: number;
  /** How long a fresh socket may be silent before REST is asked. */
  readonly proofDelayMs: number;
  /** Between the two REST readings that tell quiet from mute. */
  readonly proofSpacingMs: number;
  /** When neither frame nor REST has decided by then, the socket is given up. */
  readonly proofDeadlineMs: number;
  readonly pingIntervalMs: number;
  readonly pongTimeoutMs: number;
  /** Silence on a live socket that calls for REST. */
  readonly silenceMs: number;
  /** Live this long resets the backoff; an open alone never does. */
  readonly stableMs: number;
  /** A connection this old is replaced by a new one: below the 24 h after which the venue ends it. */
  readonly rotateMs: number;
  /** Up to this much earlier, at random, so that many connections are not replaced at once. */
  readonly rotateSpreadMs: number;
  /** How long the old connection and its successor both carry the streams. */
  readonly overlapMs: number;
  readonly backoff: BackoffPolicy;
}

export const DEFAULT_TIMING: ConnectionTiming = {
  openTimeoutMs: 10_000,
  ackTimeoutMs: 10_000,
  proofDelayMs: 2_000,
  proofSpacingMs: 3_000,
  proofDeadlineMs: 60_000,
  pingIntervalMs: 20_000,
  pongTimeoutMs: 5_000,
  silenceMs: 60_000,
  stableMs: 30_000,
  rotateMs: 23 * 3_600_000,
  rotateSpreadMs: 30 * 60_000,
  overlapMs: 5_000,
  backoff: DEFAULT_BACKOFF,
};

/** What all connections of a feed have in common. */
export interface ConnectionTemplate {
  readonly timing: ConnectionTiming;
  /** The venue's route that they dial, to be named where it turns out to be mute. */
  readonly route: string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Monotonic ms. */
  readonly now: () => number;
}

export interface ConnectionInput extends ConnectionTemplate {
  readonly id: string;
  /** Streams to subscribe, by the venue's names. */
  readonly streams: readonly string[];
  readonly activity: Activity;
}

/** A change of what is subscribed, by the venue's names. RESUBSCRIBE: those that are, once more. */
export type SubscriptionCommand =
  | { type: 'SUBSCRIBE'; streams: readonly string[] }
  | { type: 'UNSUBSCRIBE'; streams: readonly string[] }
  | { type: 'RESUBSCRIBE'; streams: readonly string[] };

/** From the feed. PROBE: the machine slept, so ask for a sign of life now. RECYCLE: give the socket up, with an alarm. */
export type ConnectionCommand =
  | SubscriptionCommand
  | { type: 'CLOSE'; withinMs: number }
  | { type: 'PROBE' }
  | { type: 'RECYCLE'; reason: string };

export interface PermitInput {
  readonly id: string;
}

export interface SocketInput {
  readonly id: string;
  /** How long the acknowledgement of a control message may take, ms. */
  readonly ackTimeoutMs: number;
}

/** To the socket actor. WATCH: report the next data frame. PING: send one, report the next sign of life. */
export type SocketCommand = SubscriptionCommand | { type: 'WATCH' } | { type: 'PING' } | { type: 'CLOSE' };

/** From the socket actor: edges only. NOTICE: the server says that it is about to go. CLOSED: it is gone, or useless. */
export type SocketEvent =
  | { type: 'SOCKET.OPENED' }
  | { type: 'SOCKET.ACKED' }
  | { type: 'SOCKET.REFUSED'; reason: string }
  | { type: 'SOCKET.FRAME' }
  | { type: 'SOCKET.ALIVE' }
  | { type: 'SOCKET.NOTICE'; reason: string }
  | { type: 'SOCKET.CLOSED'; end: Ending; cause: ReconnectCause; reason: string };

export interface ProofInput {
  readonly streams: readonly string[];
  readonly spacingMs: number;
}

/** What REST says about a silent socket: its symbols do not trade, or they do and it withholds them. */
export type Proof = 'quiet' | 'mute';

/** To the feed. `openedAt`: monotonic ms. DOWN: again for every attempt that failed. LEAVING: it is up still and will not be for long. */
export type ConnectionReport =
  | { type: 'CONNECTION.UP'; id: string; proof: 'frame' | 'quiet'; openedAt: number }
  | {
      type: 'CONNECTION.DOWN';
      id: string;
      cause: ReconnectCause;
      reason: string;
      retryMs: number;
      alarming: boolean;
    }
  | { type: 'CONNECTION.LEAVING'; id: string; reason: string };
