/** What goes into a connection and out of it. */
import { type BackoffPolicy, DEFAULT_BACKOFF, type Ending } from './model/backoff.ts';

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
  backoff: DEFAULT_BACKOFF,
};

export interface ConnectionInput {
  readonly id: string;
  /** Streams to subscribe, by the venue's names. */
  readonly streams: readonly string[];
  readonly timing: ConnectionTiming;
  readonly activity: Activity;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Monotonic ms. */
  readonly now: () => number;
}

export interface SocketInput {
  readonly id: string;
  readonly streams: readonly string[];
}

/** To the socket actor. WATCH: report the next data frame. PING: send one, report the next sign of life. */
export type SocketCommand =
  | { type: 'SUBSCRIBE'; streams: readonly string[] }
  | { type: 'WATCH' }
  | { type: 'PING' }
  | { type: 'CLOSE' };

/** From the socket actor: edges only. */
export type SocketEvent =
  | { type: 'SOCKET.OPENED' }
  | { type: 'SOCKET.ACKED' }
  | { type: 'SOCKET.REFUSED'; reason: string }
  | { type: 'SOCKET.FRAME' }
  | { type: 'SOCKET.ALIVE' }
  | { type: 'SOCKET.CLOSED'; end: Ending; reason: string };

export interface ProofInput {
  readonly streams: readonly string[];
  readonly spacingMs: number;
}

/** What REST says about a silent socket: its symbols do not trade, or they do and it withholds them. */
export type Proof = 'quiet' | 'mute';

/** To the feed. */
export type ConnectionReport =
  | { type: 'CONNECTION.UP'; id: string; proof: 'frame' | 'quiet' }
  | { type: 'CONNECTION.DOWN'; id: string; reason: string; retryMs: number; alarming: boolean };
