/** What is wrong, by invariant of the fault matrix, with the time at which it was seen first. */
export type InvariantId = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10' | 'liveness';

export interface Violation {
  readonly invariant: InvariantId;
  /** Which clause of it. */
  readonly name: string;
  readonly detail: string;
  /** World ms. */
  readonly atMs: number;
}

/** More are not kept: the first ones say what is wrong. */
const KEPT_MAX = 50;

export class Violations {
  readonly #now: () => number;
  readonly #found: Violation[] = [];
  readonly #seen = new Set<string>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Each clause about the same thing is told once. */
  add(invariant: InvariantId, name: string, detail: string): void {
    const key = `${invariant} ${name} ${detail}`;
    if (this.#seen.has(key) || this.#found.length >= KEPT_MAX) return;
    this.#seen.add(key);
    this.#found.push({ invariant, name, detail, atMs: this.#now() });
  }

  get all(): readonly Violation[] {
    return this.#found;
  }

  get any(): boolean {
    return this.#found.length > 0;
  }
}
