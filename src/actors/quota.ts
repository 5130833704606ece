import {
  type Held,
  type Hold,
  type HoldKind,
  heldBy,
  holdsLeft,
  refusalPause,
  withHold,
} from '../../machines/model/hold.ts';
import {
  emptyBudget,
  ended,
  type Heard,
  type Priority,
  sent,
  usedNow,
  type WeightBudget,
  waitFor,
} from '../../machines/model/weight-budget.ts';
import type { QuotaPort } from '../../machines/rest-session.machine.ts';
import type { Imposed } from '../binance/patience.ts';
import { LIMITS } from '../binance/venue.ts';
import type { Clock } from '../ports.ts';

/** How long to wait for the answer to the first request behind a pause before looking again, ms. */
const PROBE_MS = 200;

/** A pause whose length the exchange told. */
export type Told = Held & { readonly kind: 'banned' | 'limited' };

/** Whether the exchange says how long such a pause is. What a firewall or a country refuses may change any time. */
const isTold = <T extends { readonly kind: HoldKind }>(one: T): one is T & { readonly kind: Told['kind'] } =>
  one.kind === 'banned' || one.kind === 'limited';

/** Who is told of pauses, to write them down. */
export interface HoldListener {
  /** The exchange imposed a pause and said how long: what is left of all such pauses. */
  imposed(told: Told): void;
  /** The last pause is over, and the exchange has answered a request after it. */
  over(): void;
}

/**
 * What everything in this process may ask of one exchange: the weight of a minute, and the pauses that the
 * exchange imposed. The exchange counts by address, so all collectors share it ({@link quotaOf}).
 */
export class Quota implements QuotaPort {
  readonly #clock: Clock;
  readonly #listeners = new Set<HoldListener>();
  #budget: WeightBudget = emptyBudget(LIMITS.weightPerMinute);
  /** Those that are over stay until the exchange has served us again. */
  #holds: readonly Hold[] = [];
  /** Refusals by firewall or country since the last good answer. */
  #refusals = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  held(): Held | undefined {
    return heldBy(this.#holds, this.#clock.now());
  }

  waitMs(weight: number, priority: Priority): number {
    // Behind a pause one request goes ahead: whether the exchange serves us again is what its answer tells.
    if (this.#holds.length > 0 && this.#budget.flights.some(({ sentAt }) => sentAt >= this.#heldUntil))
      return PROBE_MS;
    return waitFor(this.#budget, weight, priority, this.#clock.now());
  }

  /** When the last pause ends or ended, monotonic ms. */
  get #heldUntil(): number {
    return Math.max(...this.#holds.map(({ until }) => until));
  }

  begin(call: object, weight: number): void {
    this.#budget = sent(this.#budget, call, weight, this.#clock.now());
  }

  /** A call has ended, with what its answer says of the count, if there was one. */
  end(call: object, heard: Heard = {}): void {
    this.#budget = ended(this.#budget, call, this.#clock.now(), heard);
  }

  /** The exchange serves us: what it imposed is over, as far as its time is, and a refusal that comes is a new one. */
  served(): void {
    this.#refusals = 0;
    if (this.#holds.length === 0 || this.held() !== undefined) return;
    this.#holds = [];
    for (const listener of this.#listeners) listener.over();
  }

  /** Weight of this minute, as the exchange counts it, with what is under way. */
  get used(): number {
    return usedNow(this.#budget, this.#clock.now());
  }

  /** Weight per minute that the exchange grants. */
  get limit(): number {
    return this.#budget.limit;
  }

  set limit(limit: number) {
    this.#budget = { ...this.#budget, limit };
  }

  /** The exchange wants to be left alone. */
  impose({ kind, forMs, reason }: Imposed): void {
    const now = this.#clock.now();
    const pauseMs = Math.max(forMs, this.#refusalMs(kind, now));
    const holds = withHold(this.#holds, { kind, until: now + pauseMs, reason });
    if (holds === this.#holds) return;
    this.#holds = holds;
    const told = heldBy(holds.filter(isTold), now);
    if (told !== undefined && isTold(told) && isTold({ kind }))
      for (const listener of this.#listeners) listener.imposed(told);
  }

  /** A firewall does not say for how long. What was under way together is refused together: that is one refusal. */
  #refusalMs(kind: HoldKind, now: number): number {
    if (kind === 'banned' || kind === 'limited') return 0;
    if (holdsLeft(this.#holds, now).some((hold) => hold.kind === kind)) return 0;
    return refusalPause(this.#refusals++);
  }

  /** The address is banned, as a refused handshake said; ms. */
  ban(ms: number, reason: string): void {
    this.impose({ kind: 'banned', forMs: ms, reason });
  }

  /** How long no socket may be dialled, ms: while the address is banned. A refusal by a firewall is REST's alone. */
  dialWaitMs(): number {
    const now = this.#clock.now();
    return Math.max(0, ...this.#holds.map((hold) => (hold.kind === 'banned' ? hold.until - now : 0)));
  }

  /** Tells of pauses until the answer is called. */
  listen(listener: HoldListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** More exchanges than any process talks to: tests and embedded ones have a new address each time. */
const ORIGINS_MAX = 100;

const quotas = new WeakMap<Clock, Map<string, Quota>>();

/** The quota of everybody in this process who asks that exchange and lives by that clock. */
export function quotaOf(clock: Clock, restUrl: string): Quota {
  const { origin } = new URL(restUrl);
  const ofClock = quotas.get(clock) ?? new Map<string, Quota>();
  quotas.set(clock, ofClock);
  const quota = ofClock.get(origin) ?? new Quota(clock);
  // What was asked for last is dropped last.
  ofClock.delete(origin);
  ofClock.set(origin, quota);
  for (const oldest of ofClock.keys()) {
    if (ofClock.size <= ORIGINS_MAX) break;
    ofClock.delete(oldest);
  }
  return quota;
}
