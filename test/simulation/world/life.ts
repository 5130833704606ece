/** One process in a simulated world: what it sees of time, and what can befall it. */
import type { Clock, Timer } from '../../../src/ports.ts';
import type { WorldClock } from './world-clock.ts';

interface Waiting {
  readonly callback: () => void;
  /** World time, ms. While the machine sleeps: what was left of the wait. */
  dueAt: number;
  timer: Timer;
  /** Its time came while the process stood still: it is held. */
  isDue: boolean;
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
  #isAsleep = false;
  #isThawing = false;
  /** By how much its monotonic clock is behind the world, ms: time that it slept. */
  #sleptMs = 0;
  #wallOffsetMs = 0;
  #latenessMs = 0;
  #isDead = false;
  readonly #heirs: (() => void)[] = [];

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
    // As Node's: whole milliseconds, one at least. What is left of a wait may be less than the clock can tell.
    const waitMs = Math.max(1, Math.trunc(Number.isFinite(delayMs) ? delayMs : 1)) + this.#latenessMs;
    const waiting: Waiting = { callback, dueAt: 0, timer: undefined, isDue: false };
    if (this.#isDead) return waiting;
    this.#timers.add(waiting);
    if (this.#isAsleep) waiting.dueAt = waitMs;
    else this.#arm(waiting, waitMs);
    return waiting;
  }

  clearTimeout(timer: Timer): void {
    const waiting = timer as Waiting | undefined;
    if (waiting !== undefined && this.#timers.delete(waiting)) this.#world.clearTimeout(waiting.timer);
  }

  /** Timers that it has. */
  get timers(): number {
    return this.#timers.size;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Whether it stands still or sleeps, or has not yet come to all that reached it meanwhile. */
  get isStill(): boolean {
    return this.#world.now() < this.#stillUntil || this.#held.length > 0;
  }

  /** Until when it stands still, or stood still last, world ms. */
  get stillUntil(): number {
    return this.#stillUntil;
  }

  /** Something reaches it: now, or when it runs again. */
  deliver(callback: () => void): void {
    if (this.#isDead) return;
    if (this.isStill) this.#held.push(callback);
    else callback();
  }

  /** Its event loop stands still so long, while time goes on (SIGSTOP, a blocking call). */
  freeze(ms: number): void {
    this.#stillUntil = Math.max(this.#stillUntil, this.#world.now() + ms);
    this.#world.setTimeout(() => this.#thaw(), ms);
  }

  /** The machine sleeps so long: the monotonic clock stands still too, and so do the timers. Nothing while it sleeps. */
  sleep(ms: number): void {
    if (this.#isDead || this.#isAsleep) return;
    const now = this.#world.now();
    this.#isAsleep = true;
    this.#stillUntil = Math.max(this.#stillUntil, now + ms);
    for (const waiting of this.#timers) {
      this.#world.clearTimeout(waiting.timer);
      waiting.dueAt -= now;
    }
    this.#world.setTimeout(() => this.#wake(ms), ms);
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
    for (const heir of this.#heirs.splice(0)) heir();
  }

  /** Is called once when it ends: what the kernel and the world do then. */
  onDeath(heir: () => void): void {
    this.#heirs.push(heir);
  }

  #arm(waiting: Waiting, waitMs: number): void {
    waiting.dueAt = this.#world.now() + waitMs;
    waiting.timer = this.#world.setTimeout(() => {
      waiting.isDue = true;
      this.deliver(() => {
        if (this.#timers.delete(waiting)) waiting.callback();
      });
    }, waitMs);
  }

  #wake(ms: number): void {
    if (this.#isDead) return;
    this.#isAsleep = false;
    this.#sleptMs += ms;
    for (const waiting of this.#timers) if (!waiting.isDue) this.#arm(waiting, waiting.dueAt);
    this.#thaw();
  }

  /** What was held comes one by one, each with the turns of the loop that it needs. */
  #thaw(): void {
    if (this.#isDead || this.#isThawing || this.#world.now() < this.#stillUntil) return;
    const next = this.#held[0];
    if (next === undefined) return;
    this.#isThawing = true;
    this.#world.setTimeout(() => {
      this.#isThawing = false;
      if (this.#world.now() >= this.#stillUntil) this.#thaw();
    }, 0);
    // It is held until it has happened: what happens meanwhile comes behind it.
    next();
    this.#held.shift();
  }
}
