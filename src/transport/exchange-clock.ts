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

/** How long a stamp of a stream is a witness of its time, wall ms. */
const STAMP_LIFE_MS = 10_000;

/** Two sound clocks may come apart by so much within that life, ms: some hundred millionths. */
const DRIFT_MS = 500;

/**
 * The exchange's time, by round trips to `/time`. The local calendar is never asked: it may be 90 s off.
 * `timeScale` makes exchange time run faster than wall time, for simulated exchanges.
 */
export class ExchangeClock {
  readonly #clock: Clock;
  readonly #timeScale: number;
  /** The newest stamp that a stream brought, and when, monotonic ms. */
  #stampTime = 0;
  #stampAt = Number.NEGATIVE_INFINITY;
  /** When a stream brought any stamp, monotonic ms. */
  #stampedAt = Number.NaN;
  #sample: Sample | undefined;
  /** The last answer when it contradicted the sample in use: believed once another agrees with it. */
  #doubt: Sample | undefined;

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
   * Takes an answer of `/time`. The one with the shortest round trip is used, for as long as it is fresh. One that
   * the sample in use contradicts is believed only when a second agrees with it: a monotonic clock that stood
   * still while the machine slept is no clock, but one wrong answer must not make open bars look closed either.
   *
   * @returns false when the answer is in doubt: ask once more.
   */
  set(serverTime: number, sentAt: number, receivedAt: number): boolean {
    const fresh = { serverTime, sentAt, receivedAt };
    const old = this.#sample;
    if (old !== undefined && this.#contradict(old, fresh)) {
      const isConfirmed = this.#doubt !== undefined && !this.#contradict(this.#doubt, fresh);
      this.#doubt = isConfirmed ? undefined : fresh;
      if (isConfirmed) this.#sample = fresh;
      return isConfirmed;
    }
    this.#doubt = undefined;
    const isBetter =
      old === undefined ||
      receivedAt - sentAt <= old.receivedAt - old.sentAt ||
      receivedAt - old.receivedAt > SAMPLE_LIFE_MS;
    if (isBetter) this.#sample = fresh;
    return true;
  }

  /** Whether an earlier sample rules out, drift allowed, that the exchange answered so in a later round trip. */
  #contradict(earlier: Sample, later: Sample): boolean {
    const since = (instant: number, from: number): number =>
      earlier.serverTime + (instant - from) * this.#timeScale;
    const drift = DRIFT_MS * this.#timeScale;
    return (
      later.serverTime < since(later.sentAt, earlier.receivedAt) - drift ||
      later.serverTime > since(later.receivedAt, earlier.sentAt) + drift
    );
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

  /** A frame of a stream was stamped so by the exchange, and came at a monotonic instant. Frames that lag say nothing. */
  stamped(time: number, at: number): void {
    this.#stampedAt = at;
    if (time < this.#stampTime && at - this.#stampAt <= STAMP_LIFE_MS) return;
    this.#stampTime = time;
    this.#stampAt = at;
  }

  /** Since the newest frame of any stream, however old its stamp, wall ms; undefined: none has come. */
  get sinceStampMs(): number | undefined {
    const since = this.#clock.now() - this.#stampedAt;
    return Number.isNaN(since) ? undefined : Math.round(since);
  }

  /**
   * A time that the exchange had certainly reached at a monotonic instant, by its answers and, while frames come, by
   * their stamps: `/time` that runs ahead of them must not make an open bar look closed.
   */
  provenAt(instant: number): number {
    const earliest = this.earliestAt(instant);
    const since = instant - this.#stampAt;
    if (Math.abs(since) > STAMP_LIFE_MS) return earliest;
    return Math.min(earliest, this.#stampTime + since * this.#timeScale);
  }
}
