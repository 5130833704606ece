/** The way between a simulated process and the exchange, and what befalls it. */
import type { Random } from '../../../src/ports.ts';
import { netError } from './frames.ts';
import type { WorldClock } from './world-clock.ts';

/** How a way is troubled. */
export class Path {
  readonly world: WorldClock;
  readonly #random: Random;
  #latencyMs = 20;
  #jitterMs = 10;
  /** World times until which each lasts, ms. */
  #namelessUntil = 0;
  #refusedUntil = 0;
  #cutUntil = 0;

  constructor(world: WorldClock, random: Random) {
    this.world = world;
    this.#random = random;
  }

  /** How long the next thing takes in one direction, ms: whole ones, so that what happens together stays together. */
  readonly latency = (): number => this.cutMs + this.#draw();

  /** How long a connection takes to be there, and its first request to arrive, ms. */
  connecting(): number {
    return this.cutMs + this.#draw() + this.#draw() + this.#draw();
  }

  setLatency(ms: number, jitterMs: number): void {
    this.#latencyMs = ms;
    this.#jitterMs = jitterMs;
  }

  /** Names cannot be looked up. */
  dnsFails(forMs: number): void {
    this.#namelessUntil = Math.max(this.#namelessUntil, this.world.now() + forMs);
  }

  /** Connections are refused. */
  refuseConnections(forMs: number): void {
    this.#refusedUntil = Math.max(this.#refusedUntil, this.world.now() + forMs);
  }

  /** Nothing arrives; what was sent is sent again until it does. */
  cut(forMs: number): void {
    this.#cutUntil = Math.max(this.#cutUntil, this.world.now() + forMs);
  }

  /** How long nothing will arrive yet, ms. */
  get cutMs(): number {
    return Math.max(0, this.#cutUntil - this.world.now());
  }

  /** Ends what lasts. */
  relieve(): void {
    this.#namelessUntil = this.#refusedUntil = this.#cutUntil = 0;
  }

  /** Why no connection comes about now; undefined: one does. */
  obstacle({ hostname, host }: URL): Error | undefined {
    const now = this.world.now();
    if (now < this.#namelessUntil) return netError('ENOTFOUND', `getaddrinfo ENOTFOUND ${hostname}`);
    if (now < this.#refusedUntil) return netError('ECONNREFUSED', `connect ECONNREFUSED ${host}`);
    return undefined;
  }

  #draw(): number {
    return this.#latencyMs + Math.floor(this.#random() * (this.#jitterMs + 1));
  }
}
