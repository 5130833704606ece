import type { Clock } from '../ports.ts';

interface Sample {
  /** The exchange's time in the answer, ms. */
  readonly serverTime: number;
  /** Monotonic ms before the request left and after the answer came: it was taken in between. */
  readonly sentAt: number;
  readonly receivedAt: number;
}

/** A better round trip is kept this long; then a worse but newer one replaces it, for clocks drift. */
const SAMPLE_LIFE_MS = 15 * 60_000;

/** Two sound clocks may come apart by so much within that life, ms: some hundred millionths. */
const DRIFT_MS = 500;

/**
 * The exchange's time, by round trips to `/time`. The local calendar is never asked: it may be 90 s off.
 * `timeScale` makes exchange time run faster than wall time, for simulated exchanges.
 */
export class ExchangeClock {
  readonly #clock: Clock;
  readonly #timeScale: number;
  #sample: Sample | undefined;

  constructor(clock: Clock, timeScale: number) {
    this.#clock = clock;
    this.#timeScale = timeScale;
  }

  /** How fast exchange time runs against wall time. */
  get timeScale(): number {
    return this.#timeScale;
  }

  /** Half the round trip of the sample in use, in exchange ms: how wrong `now` can be. */
  get uncertaintyMs(): number {
    const sample = this.#sample;
    return sample === undefined
      ? Number.POSITIVE_INFINITY
      : ((sample.receivedAt - sample.sentAt) / 2) * this.#timeScale;
  }

  /**
   * Takes an answer of `/time`. The one with the shortest round trip is used, for as long as it is fresh and no
   * later one contradicts it: a monotonic clock that stood still while the machine slept is no clock.
   */
  set(serverTime: number, sentAt: number, receivedAt: number): void {
    const old = this.#sample;
    const isBetter =
      old === undefined ||
      receivedAt - sentAt <= old.receivedAt - old.sentAt ||
      this.#contradicts(serverTime, sentAt, receivedAt) ||
      receivedAt - old.receivedAt > SAMPLE_LIFE_MS;
    if (isBetter) this.#sample = { serverTime, sentAt, receivedAt };
  }

  /** Whether the sample in use rules out, drift allowed, that the exchange answered so in that round trip. */
  #contradicts(serverTime: number, sentAt: number, receivedAt: number): boolean {
    const latest = this.at(receivedAt) + this.uncertaintyMs;
    const drift = DRIFT_MS * this.#timeScale;
    return serverTime < this.earliestAt(sentAt) - drift || serverTime > latest + drift;
  }

  /** Best guess of the exchange's time, ms since epoch; NaN before the first sample. */
  now(): number {
    return this.at(this.#clock.now());
  }

  /** Best guess at a monotonic instant. */
  at(instant: number): number {
    const sample = this.#sample;
    if (sample === undefined) return Number.NaN;
    return sample.serverTime + (instant - (sample.sentAt + sample.receivedAt) / 2) * this.#timeScale;
  }

  /**
   * A time that the exchange had certainly reached at a monotonic instant: what decides whether a bar that
   * REST returned was final.
   */
  earliestAt(instant: number): number {
    const sample = this.#sample;
    if (sample === undefined) return Number.NEGATIVE_INFINITY;
    return sample.serverTime + (instant - sample.receivedAt) * this.#timeScale;
  }
}
