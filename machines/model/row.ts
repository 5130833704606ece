import type { Candle, Series } from './kline.ts';

/** Bars that the exchange itself does not have: named, so that no hole is silent. */
export interface Gap extends Series {
  /** First missing open time, ms. */
  readonly fromOpenTime: number;
  /** Last missing open time, inclusive, ms. */
  readonly toOpenTime: number;
  readonly reason: string;
  /** Exchange time of the finding, ms. */
  readonly detectedAt: number;
}

/** Bars of one gap that turned up after it had been named. They are stored and told of, never delivered as candles. */
export interface Fill extends Series {
  /** Why the gap was named. */
  readonly reason: string;
  /** Ascending, all of one gap; there may be holes between them. */
  readonly candles: readonly Candle[];
  /** Exchange time of the finding, ms. */
  readonly filledAt: number;
}

/** A bar that was held as closed, and that the exchange now has with other values. */
export interface Revision {
  readonly before: Candle;
  readonly after: Candle;
  /** Exchange time of the finding, ms. */
  readonly seenAt: number;
}

/**
 * A series is collected anew from behind this bar on, ms: history from before what is stored is wanted, and until all of it
 * is there the next run must know from where to go on.
 */
export interface Rewind extends Series {
  readonly openTime: number;
}

/** What the store writes, in the order in which consumers are to see it. */
export type Row =
  | { readonly candle: Candle }
  | { readonly gap: Gap }
  | { readonly fill: Fill }
  | { readonly revision: Revision }
  | { readonly rewind: Rewind };

/** Candles that a row brings into a transaction. */
export const candlesOf = (row: Row): number =>
  'fill' in row ? row.fill.candles.length : 'rewind' in row ? 0 : 1;
