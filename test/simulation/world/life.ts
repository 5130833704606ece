/** One process in a simulated world: what it sees of time, and what can befall it. */
import type { Clock, Timer } from '../../../src/ports.ts';
import type { WorldClock } from './world-clock.ts';

interface Waiting {
  callback: (() => void) | undefined;
  timer: Timer;
}

/**
 * The clock of a process that may stand still, sleep, be told a wrong calendar, or be killed. Everything that reaches the
 * process from outside goes through {@link deliver}, so that it does not run while it stands still, nor when it is dead.
 */
export class Life implements Clock {
  readonly #world: WorldClock;
  readonly #timers = new Set<Waiting>();
  /** What came while it stood still, in order. */
  #held: (() => void)[] = [];
  #stillUntil = 0;
  /** By how much its monotonic clock is behind the world, ms: time that it slept. */
  #sleptMs = 0;
  #wallOffsetMs = 0;
  #latenessMs = 0;
  #isDead = false;

  constructor(world: WorldClock) {
    this.#world = world;
  }

  now(): number {
    return this.#world.now() - this.#sleptMs;
  }

  wallNow(): number {
    return Math.floor(this.#world.wallNow() + this.#wallOffsetMs);
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    const waiting: Waiting = { callback, timer: undefined };
    if (this.#isDead) return waiting;
    this.#timers.add(waiting);
    const fire = (): void => {
      this.deliver(() => {
        if (!this.#timers.delete(waiting)) return;
        waiting.callback?.();
      });
    };
    waiting.timer = this.#world.setTimeout(fire, Math.max(0, delayMs) + this.#latenessMs);
    return waiting;
  }

  clearTimeout(timer: Timer): void {
    const waiting = timer as Waiting | undefined;
    if (waiting === undefined || !this.#timers.delete(waiting)) return;
    waiting.callback = undefined;
    this.#world.clearTimeout(waiting.timer);
  }

  /** Timers that it has. */
  get timers(): number {
    return this.#timers.size;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Something reaches it: now, or when it runs again. */
  deliver(callback: () => void): void {
    if (this.#isDead) return;
    if (this.#isStill) this.#held.push(callback);
    else callback();
  }

  /** Its event loop stands still so long, while time goes on (SIGSTOP, a blocking call). */
  freeze(ms: number): void {
    this.#stillUntil = Math.max(this.#stillUntil, this.#world.now() + ms);
    this.#world.setTimeout(() => this.#thaw(), ms);
  }

  /** The machine sleeps so long: the monotonic clock stands still too. Call it when nothing else is being slept. */
  sleep(ms: number): void {
    this.#stillUntil = Math.max(this.#stillUntil, this.#world.now() + ms);
    this.#world.setTimeout(() => {
      if (this.#isDead) return;
      this.#sleptMs += ms;
      // A timer counts the time that the process was awake.
      for (const waiting of [...this.#timers]) this.#postpone(waiting, ms);
      this.#thaw();
    }, ms);
  }

  /** The local calendar jumps. */
  stepWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** From now on each new timer fires so much later than it was asked for. */
  setLateness(ms: number): void {
    this.#latenessMs = ms;
  }

  /** Ends at once: nothing that it had asked for happens any more. */
  kill(): void {
    this.#isDead = true;
    this.#held = [];
    for (const waiting of this.#timers) this.#world.clearTimeout(waiting.timer);
    this.#timers.clear();
  }

  get #isStill(): boolean {
    return this.#world.now() < this.#stillUntil || this.#held.length > 0;
  }

  #postpone(waiting: Waiting, ms: number): void {
    // Those that came due meanwhile are held already; they fire as it wakes, as a busy machine would have it.
    const { callback } = waiting;
    if (callback === undefined) return;
    const due = (waiting.timer as { at?: number; callback?: unknown }) ?? {};
    if (due.callback === undefined || due.at === undefined) return;
    const leftMs = due.at - this.#world.now() + ms;
    this.#world.clearTimeout(waiting.timer);
    waiting.timer = this.#world.setTimeout(() => {
      this.deliver(() => {
        if (this.#timers.delete(waiting)) callback();
      });
    }, leftMs);
  }

  /** What was held comes one by one, each with the turns of the loop that it needs. */
  #thaw(): void {
    if (this.#isDead || this.#world.now() < this.#stillUntil) return;
    const next = this.#held.shift();
    if (next === undefined) return;
    next();
    this.#world.setTimeout(() => this.#thaw(), 0);
  }
}
