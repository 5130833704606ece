import type { Clock } from '../ports.ts';

/** What happened at the simulated exchange's door. */
export type LogKind = 'http' | 'handshake' | 'open' | 'message' | 'ping' | 'pong' | 'close';

/** One line of the exchange's own log. */
export interface LogEntry {
  /** Exchange time, ms. */
  readonly at: number;
  /** Monotonic wall time of the clock, ms. */
  readonly wallMs: number;
  readonly kind: LogKind;
  /** Number of the socket, from 1. */
  readonly socket?: number;
  /** Path with query. */
  readonly path?: string;
  /** HTTP status; 0 when the connection was destroyed or left without an answer. */
  readonly status?: number;
  /** Weight that the request cost. */
  readonly weight?: number;
  /** Text of a message, cut at 4,200 characters. */
  readonly text?: string;
  /** WebSocket close code. */
  readonly code?: number;
  readonly bytes?: number;
}

const KEPT = 10_000;
const TEXT_MAX = 4200;

/** Bounded log: the oldest entries make room. */
export class Journal {
  readonly #clock: Clock;
  readonly #now: () => number;
  #entries: LogEntry[] = [];

  constructor(clock: Clock, now: () => number) {
    this.#clock = clock;
    this.#now = now;
  }

  add(kind: LogKind, fields: Omit<LogEntry, 'at' | 'wallMs' | 'kind'>): void {
    const text = fields.text === undefined ? {} : { text: fields.text.slice(0, TEXT_MAX) };
    this.#entries.push({ at: this.#now(), wallMs: this.#clock.now(), kind, ...fields, ...text });
    // Cut in bulk: shifting an array at each entry would cost its whole length.
    if (this.#entries.length >= 2 * KEPT) this.#entries = this.#entries.slice(-KEPT);
  }

  /** The newest entries, oldest first. */
  entries(): readonly LogEntry[] {
    return this.#entries.slice(-KEPT);
  }

  clear(): void {
    this.#entries = [];
  }
}
