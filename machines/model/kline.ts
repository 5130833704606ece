import type { Interval } from './interval.ts';

/** Where the stored row came from: the live stream, a REST answer, or an archive file. */
export type CandleSource = 'stream' | 'rest' | 'vision';

/**
 * One bar of one symbol. The identity is (`symbol`, `interval`, `openTime`).
 * Prices and amounts are the IEEE doubles nearest to the exchange's decimal text.
 */
export interface Candle {
  /** Upper case, as exchangeInfo spells it. */
  readonly symbol: string;
  readonly interval: Interval;
  /** First millisecond of the bar, ms since epoch, UTC. */
  readonly openTime: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** Base asset. */
  readonly volume: number;
  /** Last millisecond of the bar (the exchange's `T`), ms since epoch. */
  readonly closeTime: number;
  /** Quote asset. */
  readonly quoteVolume: number;
  /** Number of trades. */
  readonly count: number;
  readonly takerBuyVolume: number;
  readonly takerBuyQuoteVolume: number;
  readonly source: CandleSource;
}

/** A kline stream: what one subscription collects. */
export interface Series {
  readonly symbol: string;
  readonly interval: Interval;
}

/** What of a bar is drawn. */
export type Shape = Pick<Candle, 'open' | 'high' | 'low' | 'close' | 'volume'>;

export const sameShape = (one: Shape, other: Shape): boolean =>
  one.open === other.open &&
  one.high === other.high &&
  one.low === other.low &&
  one.close === other.close &&
  one.volume === other.volume;

/** Whether two readings of a bar agree in everything but where they came from. */
export const sameValues = (one: Candle, other: Candle): boolean =>
  sameShape(one, other) &&
  one.closeTime === other.closeTime &&
  one.quoteVolume === other.quoteVolume &&
  one.count === other.count &&
  one.takerBuyVolume === other.takerBuyVolume &&
  one.takerBuyQuoteVolume === other.takerBuyQuoteVolume;

/** `BTCUSDT@1m`: the name of a series in reports, logs and maps. */
export const seriesKey = (series: Series): string => `${series.symbol}@${series.interval}`;
