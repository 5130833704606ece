/** A process as `runApplication` knows it: signals come in, an exit goes out. */
import type { ProcessHost } from '../../src/supervisor/host.ts';

type Listener = (...values: never[]) => void;

export class SimulatedHost implements ProcessHost {
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #onExit: (code: number) => void;
  exitCode: number | string | null | undefined;

  /** @param onExit it ends at once. */
  constructor(onExit: (code: number) => void) {
    this.#onExit = onExit;
  }

  on(event: string, listener: Listener): void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
  }

  off(event: string, listener: Listener): void {
    this.#listeners.get(event)?.delete(listener);
  }

  exit(code: number): void {
    this.#onExit(code);
  }

  signal(name: string): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) (listener as (name: string) => void)(name);
  }

  /** How many listeners it has. */
  get listening(): number {
    return [...this.#listeners.values()].reduce((count, listeners) => count + listeners.size, 0);
  }
}
