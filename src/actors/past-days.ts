import type { Candle, Series } from '../../machines/model/kline.ts';
import type { Span } from '../../machines/model/spans.ts';

/** A day gone by. */
export interface PastDay {
  /** Ascending, all final. */
  readonly candles: readonly Candle[];
  /** Every bar that there is before this open time is among them. */
  readonly to: number;
}

/** Days of one series, in order. */
export interface PastDays {
  /** Open time of the next of them; what is missing before it is REST's. Infinity: there is none left. */
  readonly from: number;
  /** The day that begins with the bar that is due. Undefined: REST has to be asked for that bar. */
  next(due: number): Promise<PastDay | undefined>;
}

/** Where whole days come from, so that REST need not be asked for them bar by bar. */
export interface PastPort {
  /**
   * Does `work` with the days of a hole. Few holes are worked on at a time: the others wait for their turn. Whatever
   * was taken for it is let go of when the work ends, however it does.
   */
  during<Result>(
    series: Series,
    hole: Span,
    signal: AbortSignal,
    work: (days: PastDays) => Promise<Result>,
  ): Promise<Result>;
}

/** No days: everything comes from REST. */
export const NO_DAYS: PastDays = { from: Number.POSITIVE_INFINITY, next: async () => undefined };
