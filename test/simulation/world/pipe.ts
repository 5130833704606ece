/** One direction of a simulated connection. */
import type { Timer } from '../../../src/ports.ts';
import type { WorldClock } from './world-clock.ts';

/** What is read at a time, bytes: as much as a read of a socket gives. */
const READ_BYTES = 65_536;

export interface PipeOptions<T> {
  readonly world: WorldClock;
  /** How long what is sent now takes, ms. */
  readonly latency: () => number;
  /** Has the reader read: at once, or when it runs again. */
  readonly wake: (read: () => void) => void;
  readonly out: (item: T) => void;
}

/**
 * What goes in comes out in the same order, later. What goes in at one moment arrives together, so that a thousand frames
 * cost no more events of the world than one.
 */
export class Pipe<T> {
  readonly #options: PipeOptions<T>;
  #items: T[] = [];
  #sizes: number[] = [];
  /** When each arrives, world ms; never falling. */
  #times: number[] = [];
  /** How many of them have come out. */
  #read = 0;
  #bytes = 0;
  #lastAt = 0;
  #pushedAt = -1;
  #bytesPerMs: number | undefined;
  #timer: Timer | undefined;
  /** The reader has been told, and has not read yet. */
  #isAwaited = false;
  #isPaused = false;
  #isShut = false;

  constructor(options: PipeOptions<T>) {
    this.#options = options;
  }

  /** What is on its way or has not been read, bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  push(item: T, bytes: number): void {
    if (this.#isShut) return;
    const { world, latency } = this.#options;
    const now = world.now();
    if (this.#pushedAt !== now) {
      this.#pushedAt = now;
      this.#lastAt = Math.max(this.#lastAt, now + latency());
    }
    if (this.#bytesPerMs !== undefined) this.#lastAt += bytes / this.#bytesPerMs;
    this.#items.push(item);
    this.#sizes.push(bytes);
    this.#times.push(this.#lastAt);
    this.#bytes += bytes;
    this.#arm();
  }

  /** Nothing arrives before that time of the world. */
  hold(until: number): void {
    this.#lastAt = Math.max(this.#lastAt, until);
    for (let i = this.#read; i < this.#times.length; i++) {
      if ((this.#times[i] as number) < until) this.#times[i] = until;
    }
  }

  /** From now on so much passes; undefined: all of it at once, with what waits. */
  setRate(bytesPerSecond: number | undefined): void {
    const wasSlow = this.#bytesPerMs !== undefined;
    this.#bytesPerMs = bytesPerSecond === undefined ? undefined : bytesPerSecond / 1000;
    if (!wasSlow) return;
    const at = this.#options.world.now() + this.#options.latency();
    this.#times = this.#times.map((time) => Math.min(time, at));
    this.#lastAt = Math.min(this.#lastAt, at);
    this.#disarm();
    this.#arm();
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#arm();
  }

  /** Nothing comes out any more, and what is put in is lost. */
  shut(): void {
    this.#isShut = true;
    this.#disarm();
    this.#items = [];
    this.#sizes = [];
    this.#times = [];
    this.#read = this.#bytes = 0;
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#isAwaited || this.#isPaused) return;
    const first = this.#times[this.#read];
    if (first === undefined) return;
    const { world } = this.#options;
    this.#timer = world.setTimeout(this.#due, Math.max(0, first - world.now()));
  }

  #disarm(): void {
    this.#options.world.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #due = (): void => {
    this.#timer = undefined;
    if ((this.#times[this.#read] as number) > this.#options.world.now()) this.#arm();
    else if (!this.#isPaused) {
      this.#isAwaited = true;
      this.#options.wake(this.#take);
    }
  };

  readonly #take = (): void => {
    this.#isAwaited = false;
    const now = this.#options.world.now();
    let left = READ_BYTES;
    while (left > 0 && !this.#isPaused && (this.#times[this.#read] as number) <= now) {
      const at = this.#read++;
      const size = this.#sizes[at] as number;
      this.#bytes -= size;
      left -= size;
      this.#options.out(this.#items[at] as T);
    }
    if (this.#read === this.#items.length)
      this.#items.length = this.#sizes.length = this.#times.length = this.#read = 0;
    this.#arm();
  };
}
