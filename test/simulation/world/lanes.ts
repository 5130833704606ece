/** The connections of an HTTP client: so many requests are under way at a time, the others wait in line. */
export class Lanes {
  readonly #width: number;
  /** Those under way, by what tells them apart. */
  readonly #running = new Set<object>();
  /** Those that wait, and how each begins. */
  readonly #waiting = new Map<object, () => void>();

  constructor(width: number) {
    this.#width = width;
  }

  enter(key: object, begin: () => void): void {
    this.#waiting.set(key, begin);
    this.#next();
  }

  leave(key: object): void {
    this.#waiting.delete(key);
    this.#running.delete(key);
    this.#next();
  }

  #next(): void {
    for (const [key, begin] of this.#waiting) {
      if (this.#running.size >= this.#width) return;
      this.#waiting.delete(key);
      this.#running.add(key);
      begin();
    }
  }
}
