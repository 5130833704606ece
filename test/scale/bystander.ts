/** How late a process is that has nothing to do: what of a latency is the machine's, and nobody's who is measured. */
const TICK_MS = 5;

export class Bystander implements Disposable {
  #dueAt = performance.now() + TICK_MS;
  #latestMs = 0;
  readonly #timer = setInterval(() => {
    const now = performance.now();
    this.#latestMs = Math.max(this.#latestMs, now - this.#dueAt);
    this.#dueAt = now + TICK_MS;
  }, TICK_MS);

  /** The longest since the last asking, ms. */
  take(): number {
    const latest = this.#latestMs;
    this.#latestMs = 0;
    return latest;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
