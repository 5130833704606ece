import type { Clock, Timer } from '../ports.ts';

/**
 * What ends a request before its answer: its deadline, or one of several signals. By hand, and whoever waits is told
 * in any case: signals of `AbortSignal.any` and `AbortSignal.timeout`, and a request whose body still comes, are held
 * by nobody, and once the garbage collector has taken them nothing ends the wait (seen on Node 24).
 */
export class Ending {
  readonly #controller = new AbortController();
  readonly #over = Promise.withResolvers<never>();
  readonly #signals: readonly AbortSignal[];
  readonly #clock: Clock;
  #timer: Timer | undefined;
  readonly #kept = new Set<Request>();
  isLate = false;

  constructor(clock: Clock, timeoutMs: number, signals: readonly AbortSignal[]) {
    this.#clock = clock;
    this.#signals = signals;
    // Without a deadline or a signal nobody waits for it.
    this.#over.promise.catch(() => {});
    for (const signal of signals) {
      if (signal.aborted) this.#abort();
      else signal.addEventListener('abort', this.#abort, { once: true });
    }
    this.expectWithin(timeoutMs);
  }

  /** From now on it is late after this time, ms, and not after the one before. */
  expectWithin(timeoutMs: number): void {
    this.expectNothing();
    this.#timer = this.#clock.setTimeout(() => {
      this.isLate = true;
      this.#abort();
    }, timeoutMs);
  }

  /** Nothing is expected for now: it can't be late. */
  expectNothing(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Ends the request now; nothing when it has been answered to its end. */
  abort(): void {
    this.#abort();
  }

  /** Rejects when it is over. */
  get over(): Promise<never> {
    return this.#over.promise;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A request that is collected as garbage does not hear of its signal any more, though its body still comes. */
  keep(request: Request): void {
    this.#kept.add(request);
  }

  release(): void {
    this.#kept.clear();
    this.expectNothing();
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#abort);
  }

  readonly #abort = (): void => {
    this.#controller.abort();
    this.#over.reject(this.#controller.signal.reason);
  };
}
