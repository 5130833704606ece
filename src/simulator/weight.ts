import type { Clock } from '../ports.ts';

const MINUTE = 60_000;

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

/** The request weight of the one client there is, by the UTC minute of the wall clock. */
export class WeightMeter {
  readonly #clock: Clock;
  readonly limit: number;
  #minute = Number.NaN;
  #used = 0;

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.limit = limit;
  }

  /** Books a request; undefined when the limit is passed, else what is used now. */
  book(weight: number): number | undefined {
    const minute = Math.floor(this.#clock.wallNow() / MINUTE);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#used = 0;
    }
    this.#used += weight;
    return this.#used > this.limit ? undefined : this.#used;
  }

  get used(): number {
    return this.#used;
  }

  /** Seconds until the minute ends. */
  retryAfter(): number {
    return Math.ceil((MINUTE - (this.#clock.wallNow() % MINUTE)) / 1000);
  }
}
