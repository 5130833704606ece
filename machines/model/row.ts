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

/** What the store writes, in the order in which consumers are to see it. */
export type Row = { readonly candle: Candle } | { readonly gap: Gap };
