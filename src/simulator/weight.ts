import type { Clock } from '../ports.ts';

const MINUTE = 60_000;
/** Bans grow up to this multiple of the first: from 2 minutes to 3 days. Source: General Info, 2026-05-28. */
const BAN_GROWTH_MAX = 2160;

/**
 * Weight of a klines request by its `limit`, as measured on 2026-10-07; without a limit it is 5. The
 * documentation has other edges (100 and 500 count as the next step there).
 */
export function measuredKlinesWeight(limit: number | undefined): number {
  if (limit === undefined) return 5;
  if (limit <= 100) return 1;
  if (limit <= 500) return 2;
  return limit <= 1000 ? 5 : 10;
}

/** A ban of the one client there is, as it is told. */
export interface Ban {
  /** Wall ms that are left. */
  readonly leftMs: number;
  /** End by the wall clock, ms since epoch. */
  readonly until: number;
  /** Whether answers have a `Retry-After`. */
  readonly retryAfter: boolean;
  /** Whether the message says until when. */
  readonly text: boolean;
}

/** The `Retry-After` header of a ban, if it has one. */
export const retryAfterOf = (ban: Ban): Record<string, string> =>
  ban.retryAfter ? { 'Retry-After': String(Math.ceil(ban.leftMs / 1000)) } : {};

export interface WeightOptions {
  /** Weight per UTC minute. */
  readonly limit: number;
  /** So many requests of one minute are answered 429 before the client is banned. */
  readonly banAfter: number;
  /** Length of the first ban, wall ms; each one is twice as long as the one before. */
  readonly banMs: number;
}

/** The request weight of the one client there is, by the UTC minute of the wall clock, and its bans. */
export class WeightMeter {
  readonly #clock: Clock;
  readonly #options: WeightOptions;
  #minute = Number.NaN;
  #used = 0;
  /** Requests of this minute that were answered 429. */
  #ignored = 0;
  #bans = 0;
  /** Monotonic wall ms. */
  #bannedUntil = -Infinity;
  #told = { retryAfter: true, text: true };

  constructor(clock: Clock, options: WeightOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  get limit(): number {
    return this.#options.limit;
  }

  get used(): number {
    this.#turn();
    return this.#used;
  }

  get ban(): Ban | undefined {
    const leftMs = this.#bannedUntil - this.#clock.now();
    if (leftMs <= 0) return undefined;
    return { leftMs, until: Math.ceil(this.#clock.wallNow() + leftMs), ...this.#told };
  }

  /** Books a request, also one that is refused; what the exchange makes of it. */
  book(weight: number): 'answered' | 'limited' | 'banned' {
    this.#turn();
    this.#used += weight;
    if (this.ban) return 'banned';
    if (this.#used <= this.limit) return 'answered';
    if (this.#ignored < this.#options.banAfter) {
      this.#ignored++;
      return 'limited';
    }
    this.banFor(this.#options.banMs * Math.min(BAN_GROWTH_MAX, 2 ** this.#bans));
    this.#bans++;
    this.#ignored = 0;
    return 'banned';
  }

  /** Bans the client for so many wall ms from now on. */
  banFor(ms: number, told: { readonly retryAfter?: boolean; readonly text?: boolean } = {}): void {
    this.#bannedUntil = this.#clock.now() + ms;
    this.#told = { retryAfter: true, text: true, ...told };
  }

  /** Ends a ban. */
  pardon(): void {
    this.#bannedUntil = -Infinity;
  }

  /** Others on the same IP used so much of this minute that the counter stands at `used`. */
  jump(used: number): void {
    this.#turn();
    this.#used = used;
  }

  /** Seconds until the minute ends. */
  retryAfter(): number {
    return Math.ceil((MINUTE - (this.#clock.wallNow() % MINUTE)) / 1000);
  }

  #turn(): void {
    const minute = Math.floor(this.#clock.wallNow() / MINUTE);
    if (minute === this.#minute) return;
    this.#minute = minute;
    this.#used = 0;
    this.#ignored = 0;
  }
}
