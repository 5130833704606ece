import type { Clock } from '../ports.ts';
import type { Fault, FaultKind, FaultOf } from './fault-shapes.ts';

interface Entry {
  readonly fault: Fault;
  /** Monotonic wall time, Infinity if not bounded. */
  readonly until: number;
  left: number;
}

const NONE: readonly never[] = [];

/** The faults in force. */
export class FaultBoard {
  readonly #clock: Clock;
  #entries: Entry[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(fault: Fault): void {
    const span = fault as { forMs?: number; times?: number };
    const until = this.#clock.now() + (span.forMs ?? Infinity);
    this.#entries.push({ fault, until, left: span.times ?? Infinity });
  }

  clear(): void {
    this.#entries = [];
  }

  /** Faults in force, oldest first. */
  active(): readonly Fault[] {
    this.#expire();
    return this.#entries.map((entry) => entry.fault);
  }

  /** All faults of the kind in force, oldest first. */
  all<K extends FaultKind>(kind: K): readonly FaultOf<K>[] {
    if (this.#entries.length === 0) return NONE;
    return this.active().filter((fault): fault is FaultOf<K> => fault.kind === kind);
  }

  /** The oldest fault of the kind in force, without using it up. */
  find<K extends FaultKind>(kind: K, fits?: (fault: FaultOf<K>) => boolean): FaultOf<K> | undefined {
    return this.#entry(kind, fits)?.fault as FaultOf<K> | undefined;
  }

  /** The same, and one of its `times` is used up. */
  take<K extends FaultKind>(kind: K, fits?: (fault: FaultOf<K>) => boolean): FaultOf<K> | undefined {
    const entry = this.#entry(kind, fits);
    if (entry) entry.left--;
    return entry?.fault as FaultOf<K> | undefined;
  }

  #entry<K extends FaultKind>(kind: K, fits?: (fault: FaultOf<K>) => boolean): Entry | undefined {
    if (this.#entries.length === 0) return undefined;
    this.#expire();
    return this.#entries.find(
      (entry) => entry.fault.kind === kind && (fits === undefined || fits(entry.fault as FaultOf<K>)),
    );
  }

  #expire(): void {
    const now = this.#clock.now();
    if (this.#entries.some((entry) => entry.left <= 0 || entry.until <= now)) {
      this.#entries = this.#entries.filter((entry) => entry.left > 0 && entry.until > now);
    }
  }
}

/** Whether a fault that may name streams means this one. */
export const meansStream = (fault: { streams?: string[] | undefined }, name: string): boolean =>
  fault.streams === undefined || fault.streams.includes(name);

/** Whether a fault that may name sockets means this one, which is open. */
export function meansSocket(
  fault: { sockets?: 'all' | 'open' | number | number[] | undefined },
  number: number,
): boolean {
  const { sockets } = fault;
  if (Array.isArray(sockets)) return sockets.includes(number);
  return typeof sockets === 'number' ? sockets === number : true;
}
