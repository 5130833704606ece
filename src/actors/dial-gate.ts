import { fromPromise } from 'xstate';
import type { PermitInput } from '../../machines/connection.types.ts';
import { LIMITS } from '../binance/venue.ts';
import { ExchangeError } from '../errors.ts';
import type { Clock, Timer } from '../ports.ts';
import { MAX_TIMER_MS } from '../transport/clock.ts';

export interface PermitPorts {
  readonly clock: Clock;
  /** Base URL of the sockets; its host is what the limit is about. */
  readonly wsUrl: () => string;
  /** How long this IP is to leave the exchange alone, ms; 0 when it is not banned. */
  readonly dialWaitMs: () => number;
}

/** With the burst on top, a whole window holds what the venue allows and no more. */
const PAUSE_MS = LIMITS.dialsWindowMs / (LIMITS.dialsMax - LIMITS.dialBurst - 1);
/** Dials that wait; many more than a process has sockets. */
const WAITING_MAX = 1_000;

interface Waiting {
  readonly dialWaitMs: () => number;
  readonly go: () => void;
}

/**
 * Paces the dials of a process to one host: a few at once, then one a second, in the order in which they came. All
 * sockets that fell together come back one after the other, and a server that ends each at once is not stormed.
 */
export class DialGate {
  readonly #clock: Clock;
  readonly #queue: Waiting[] = [];
  #permits: number = LIMITS.dialBurst;
  #countedAt: number;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#countedAt = clock.now();
  }

  /** Nobody waits, and nobody came lately: it is as good as a new one. */
  get isIdle(): boolean {
    this.#count();
    return this.#queue.length === 0 && this.#permits === LIMITS.dialBurst;
  }

  /** Resolves when it is this caller's turn to dial; rejects with the signal's reason when it is aborted. */
  pass(dialWaitMs: () => number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.#queue.length >= WAITING_MAX)
        return reject(
          new ExchangeError('too many connections wait to be dialled; use fewer streams or more per socket', {
            code: 'DIAL_QUEUE_FULL',
            status: 0,
            retryable: true,
          }),
        );
      const leave = (): void => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        this.#next();
        reject(signal.reason);
      };
      const waiting: Waiting = {
        dialWaitMs,
        go: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#queue.push(waiting);
      this.#next();
    });
  }

  /** Lets go who may, and comes again when the next one may. */
  #next(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      const waitMs = Math.max(first.dialWaitMs(), this.#untilPermit());
      if (waitMs > 0) {
        const piece = Math.min(MAX_TIMER_MS, Math.max(1, Math.ceil(waitMs)));
        this.#timer = this.#clock.setTimeout(() => this.#next(), piece);
        return;
      }
      this.#permits -= 1;
      this.#queue.shift();
      first.go();
    }
  }

  #untilPermit(): number {
    this.#count();
    return (1 - this.#permits) * PAUSE_MS;
  }

  #count(): void {
    const now = this.#clock.now();
    this.#permits = Math.min(LIMITS.dialBurst, this.#permits + (now - this.#countedAt) / PAUSE_MS);
    this.#countedAt = now;
  }
}

/** Gates by clock and host: what the exchange counts is dials of an IP, whichever collector made them. */
const gates = new WeakMap<Clock, Map<string, DialGate>>();

/** The one gate of this process to the host of that URL. */
export function dialGate(clock: Clock, wsUrl: string): DialGate {
  const byHost = gates.get(clock) ?? new Map<string, DialGate>();
  gates.set(clock, byHost);
  const { host } = new URL(wsUrl);
  const gate = byHost.get(host) ?? new DialGate(clock);
  for (const [other, old] of byHost) if (other !== host && old.isIdle) byHost.delete(other);
  byHost.set(host, gate);
  return gate;
}

/** A connection's turn to dial. */
export const permitActor = ({ clock, wsUrl, dialWaitMs }: PermitPorts) =>
  fromPromise<void, PermitInput>(async ({ signal }) => dialGate(clock, wsUrl()).pass(dialWaitMs, signal));
