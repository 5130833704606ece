import { Durations } from './durations.ts';

/** When rows were committed, and how long each batch took. All instants are monotonic ms. */
export class CommitTimes {
  readonly took = new Durations();
  /** When the oldest batch that is not committed yet was first tried. */
  #triedSince: number | undefined;
  #doneAt: number | undefined;

  /** A batch is tried, perhaps again. */
  begin(now: number): void {
    this.#triedSince ??= now;
  }

  /** It is committed, by the trial that began at `begunAt`. */
  done(begunAt: number, now: number): void {
    this.took.observe(now - begunAt);
    this.#triedSince = undefined;
    this.#doneAt = now;
  }

  /** Since the last commit, ms; undefined: there was none. */
  lastAgoMs(now: number): number | undefined {
    return this.#doneAt === undefined ? undefined : now - this.#doneAt;
  }

  /** How long the batch that is tried now has been tried, ms, whether it fails or hangs; 0: none is. */
  stuckMs(now: number): number {
    return this.#triedSince === undefined ? 0 : now - this.#triedSince;
  }
}
