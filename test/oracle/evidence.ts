/** What an outsider knows of a collection: the file, what was delivered, what it said of itself, the wire. */
import type { Interval } from '../../machines/model/interval.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import type { GapNotice } from '../../src/index.ts';
import type { StoreContent } from './store-file.ts';
import type { WireEvent } from './wire-tap.ts';

/** What really happened on the exchange. `truth` of a simulated exchange is one. */
export interface OracleTruth {
  /** The final bar; undefined when the exchange has no such bar. */
  candle(symbol: string, interval: Interval, openTime: number): Candle | undefined;
  /** The moment from which a symbol has no bars any more; undefined while it trades. */
  endOf?(symbol: string): number | undefined;
  /** Values that the exchange told of a bar before it corrected itself. */
  earlier?(symbol: string, interval: Interval, openTime: number): readonly Candle[];
}

/** Something that a consumer was told, in the order of telling; `at` is the exchange's time then. */
export type Told = { readonly at: number } & (
  | { readonly kind: 'candle'; readonly candle: Candle }
  | { readonly kind: 'gap'; readonly gap: GapNotice }
  | { readonly kind: 'revision'; readonly before: Candle; readonly after: Candle }
);

/** What the collector said of itself at one instant, and how many sockets the exchange counted then. */
export interface Sample {
  /** Exchange time, and monotonic wall time, ms. */
  readonly at: number;
  readonly wallMs: number;
  readonly state: string;
  readonly isConnected: boolean;
  /** By key as `BTCUSDT@1m`. */
  readonly series: ReadonlyMap<string, string>;
  readonly sockets: number;
}

/** A question for bars that the exchange was asked by REST: monotonic wall ms, exchange time, HTTP status. */
export interface Asked {
  readonly wallMs: number;
  readonly at: number;
  readonly symbol: string;
  readonly status: number;
}

export interface Evidence {
  readonly series: readonly Series[];
  readonly timeScale: number;
  readonly truth: OracleTruth;
  /** Undefined: it had none. */
  readonly store: StoreContent | undefined;
  /** Keys (`BTCUSDT@1m 1700000000000`) that the store held before anybody listened. */
  readonly heldBefore: ReadonlySet<string>;
  readonly told: readonly Told[];
  /** Whether `told` is everything; false when the process was killed or nobody listened. */
  readonly toldIsAll: boolean;
  readonly samples: readonly Sample[];
  /** Undefined: nobody listened on the wire. */
  readonly wire: readonly WireEvent[] | undefined;
  readonly asked: readonly Asked[];
  /** Exchange times: when it was told to stop, when the store was read after that, when the last fault ended. */
  readonly endedAt: number;
  readonly readAt: number;
  readonly faultsOverAt: number;
  /** A backfill was asked for from here on, exchange time; the bars from then on are owed. */
  readonly backfillFrom: number | undefined;
  /** What a repair may take when nothing stands in its way, wall ms. */
  readonly repairMs: number;
  /** Sockets that the exchange counted after the stop; undefined while it runs. */
  readonly socketsLeft: number | undefined;
  /** Whether a gap may still be open over a bar that the exchange has (it was hidden, and is asked for again). */
  readonly mayBeOpen: (gap: { symbol: string; interval: string; openTime: number }) => boolean;
  /** Whether a stored bar may still differ from the exchange: REST could not be asked in the time for comparing. */
  readonly mayDiffer: (candle: Candle) => boolean;
}

/** One thing that is wrong. */
export interface Violation {
  readonly invariant: 'once' | 'order' | 'equal' | 'honest' | 'named' | 'clean';
  /** Which clause of the invariant. */
  readonly name: string;
  readonly detail: string;
}

/** Identity of a bar as text. */
export const barKey = (bar: { symbol: string; interval: string; openTime: number }): string =>
  `${bar.symbol}@${bar.interval} ${bar.openTime}`;

/** For a message: the same, readable. */
export const barName = (bar: { symbol: string; interval: string; openTime: number }): string =>
  `${bar.symbol}@${bar.interval} ${Number.isSafeInteger(bar.openTime) ? new Date(bar.openTime).toISOString() : bar.openTime}`;
