/** How often something took how long. Cumulative over the life of a collector. */
export interface Distribution {
  /** Upper bounds of the buckets, inclusive, ascending; one more bucket is above all. */
  readonly bounds: readonly number[];
  /** How many fell into each bucket; one more than there are bounds. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
  /** The newest; absent: there was none. */
  readonly last?: number;
}

/** Wall ms: from what a socket nearby takes to what an operator is woken for. */
const BOUNDS_MS: readonly number[] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];

/** Counts durations by size: the same few numbers however many there were. */
export class Durations {
  readonly #counts = new Array<number>(BOUNDS_MS.length + 1).fill(0);
  #count = 0;
  #sum = 0;
  #last: number | undefined;

  /** One more took so long, wall ms. Clocks that disagree may make it less than nothing: then it took no time. */
  observe(ms: number): void {
    const took = Math.max(0, ms);
    let bucket = 0;
    while (bucket < BOUNDS_MS.length && took > BOUNDS_MS[bucket]!) bucket += 1;
    this.#counts[bucket]! += 1;
    this.#count += 1;
    this.#sum += took;
    this.#last = took;
  }

  read(): Distribution {
    const last = this.#last === undefined ? {} : { last: this.#last };
    return { bounds: BOUNDS_MS, counts: [...this.#counts], count: this.#count, sum: this.#sum, ...last };
  }
}
