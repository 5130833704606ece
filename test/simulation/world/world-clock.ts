/** Time of a simulated world: it stands still while something happens, and jumps to what happens next. */
import type { Clock, Timer } from '../../../src/ports.ts';

interface Due {
  readonly at: number;
  /** Of two at the same time the one that was asked for first comes first. */
  readonly order: number;
  /** Nothing that it does waits for a promise. */
  readonly isQuiet: boolean;
  callback: (() => void) | undefined;
}

const isBefore = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** The one queue of everything that is to happen in a world, in the order of its time. */
export class WorldClock implements Clock {
  /** A binary heap: the earliest is first. */
  readonly #heap: Due[] = [];
  readonly #epoch: number;
  #now = 0;
  #orders = 0;
  #pending = 0;
  /** The last thing that happened was a quiet one. */
  #isQuiet = false;

  /** @param epoch calendar time at which the world begins, ms since 1970. */
  constructor(epoch: number) {
    this.#epoch = epoch;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#epoch + this.#now;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    return this.#plan(callback, delayMs, false);
  }

  /**
   * The same time for what settles no promise and reaches no process, as what an exchange does by itself: the next thing
   * follows at once. A turn of the loop costs more than most of what happens in it.
   */
  readonly quiet: Clock = {
    now: () => this.#now,
    wallNow: () => this.wallNow(),
    setTimeout: (callback, delayMs) => this.#plan(callback, delayMs, true),
    clearTimeout: (timer) => this.clearTimeout(timer),
  };

  clearTimeout(timer: Timer): void {
    const due = timer as Due | undefined;
    if (due?.callback === undefined) return;
    due.callback = undefined;
    this.#pending -= 1;
  }

  /** How many things are to happen. */
  get pending(): number {
    return this.#pending;
  }

  /** When the next thing happens; Infinity: nothing will. */
  get nextAt(): number {
    return this.#first()?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Lets the next thing happen, if it is due by then. */
  step(until: number): boolean {
    const first = this.#first();
    if (first === undefined || first.at > until) return false;
    this.#pop();
    this.#now = Math.max(this.#now, first.at);
    const { callback } = first;
    first.callback = undefined;
    this.#pending -= 1;
    this.#isQuiet = first.isQuiet;
    callback?.();
    return true;
  }

  /**
   * Runs until that time. After each thing that happens, unless it is a quiet one, every promise that can settle does so;
   * and `after` is called.
   * It ends early when `after` returns false.
   */
  run(until: number, after: () => boolean = () => true): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (hasStepped: boolean): void => {
        try {
          let goesOn = !hasStepped || after();
          let isOn = goesOn && this.step(until);
          while (isOn && this.#isQuiet) {
            goesOn = after();
            isOn = goesOn && this.step(until);
          }
          // Between two of them come promises, and then who waits for the next turn of the loop: that takes no time.
          if (isOn) setImmediate(() => setImmediate(turn, true));
          else {
            if (goesOn) this.#now = Math.max(this.#now, until);
            resolve();
          }
        } catch (error) {
          reject(error);
        }
      };
      setImmediate(turn, false);
    });
  }

  #plan(callback: () => void, delayMs: number, isQuiet: boolean): Due {
    const at = this.#now + Math.max(0, Number.isFinite(delayMs) ? delayMs : 0);
    const due: Due = { at, order: this.#orders++, isQuiet, callback };
    this.#pending += 1;
    this.#push(due);
    return due;
  }

  #first(): Due | undefined {
    while (this.#heap[0] !== undefined && this.#heap[0].callback === undefined) this.#pop();
    return this.#heap[0];
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Due;
      if (!isBefore(due, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Due;
    const length = heap.length;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= length) break;
      if (below + 1 < length && isBefore(heap[below + 1] as Due, heap[below] as Due)) below += 1;
      if (!isBefore(heap[below] as Due, last)) break;
      heap[at] = heap[below] as Due;
      at = below;
    }
    heap[at] = last;
  }
}
