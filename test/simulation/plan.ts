/** What is to happen in a simulated world: plain JSON, so that it can be shrunk, written down and repeated. */
import type { Interval } from '../../machines/model/interval.ts';
import type { Fault } from '../../src/simulator/index.ts';

/** A fault of the exchange. `from` and `to`, where it has them, are ms from the minute in which it strikes. */
export type ExchangeFault = Fault;

/** What befalls the way between a process and its exchange; times in ms. */
export type NetworkFault =
  | { readonly kind: 'clog' | 'cut' | 'dns' | 'unreachable'; readonly forMs: number }
  /** What is open now never hears of its other end again. */
  | { readonly kind: 'blackhole' }
  /** Every socket by itself: stopped up after its own offset, and free again after its own time. */
  | { readonly kind: 'swizzle'; readonly offsetsMs: readonly number[]; readonly timesMs: readonly number[] }
  | { readonly kind: 'slow'; readonly latencyMs: number; readonly jitterMs: number; readonly forMs: number };

/** What befalls the disk. `lost`: written, and the answer is an error. */
export type DiskFault =
  | { readonly kind: 'slow'; readonly commitMs: number; readonly forMs: number }
  | { readonly kind: 'full' | 'broken' | 'lost'; readonly times: number };

/** What befalls a process or its machine. Those that end it say after how long the next one begins. */
export type ProcessFault =
  | { readonly kind: 'freeze' | 'sleep' | 'step'; readonly ms: number }
  | { readonly kind: 'late'; readonly ms: number; readonly forMs: number }
  | { readonly kind: 'kill'; readonly downMs: number }
  /** What was written in the last `lostMs` is gone. */
  | { readonly kind: 'power'; readonly lostMs: number; readonly downMs: number }
  | { readonly kind: 'stop'; readonly how: StopHow; readonly downMs: number };

/**
 * `signal`: SIGTERM. `twice`: a second time at once. `callback`: from a listener of candles. `abort`: by the signal in the
 * options. `forced`: two signals, the second while it stops.
 */
export type StopHow = 'signal' | 'interrupt' | 'twice' | 'callback' | 'abort' | 'forced';

/** What befalls those who listen. */
export type ConsumerFault =
  | { readonly kind: 'throw'; readonly times: number }
  | { readonly kind: 'stall'; readonly forMs: number }
  | { readonly kind: 'leave' };

/** One thing that happens, so long after the fault has begun. */
export type Act = { readonly afterMs?: number } & (
  | { readonly on: 'exchange'; readonly fault: ExchangeFault }
  | { readonly on: 'network'; readonly fault: NetworkFault }
  | { readonly on: 'disk'; readonly fault: DiskFault }
  | { readonly on: 'process'; readonly fault: ProcessFault }
  | { readonly on: 'consumer'; readonly fault: ConsumerFault }
);

/** A fault, and the row of the fault matrix that it shows. */
export interface PlannedFault {
  /** World ms since the beginning. */
  readonly atMs: number;
  readonly row: string;
  readonly acts: readonly Act[];
}

export interface Plan {
  readonly seed: number;
  readonly days: number;
  readonly symbols: readonly string[];
  readonly intervals: readonly Interval[];
  /** Every symbol is asked for, whatever their names. */
  readonly isAll: boolean;
  /** Of these, symbols that never trade. */
  readonly quiet: readonly string[];
  /** Of these, symbols that are not listed in the beginning. */
  readonly later: readonly string[];
  readonly streamsPerSocket: number;
  /** After which the exchange ends a connection, and the collector replaces it, ms. */
  readonly lifetimeMs: number;
  readonly rotateMs: number;
  /** Ascending by time. */
  readonly faults: readonly PlannedFault[];
}

export const DAY_MS = 86_400_000;

export const streamsOf = ({ symbols, intervals }: Pick<Plan, 'symbols' | 'intervals'>): number =>
  symbols.length * intervals.length;
