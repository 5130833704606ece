/** Kline frames as the exchange writes them, made by hand of a bar. */
import type { Candle } from '../../machines/model/kline.ts';
import { streamName } from '../../src/binance/streams.ts';

export interface KlineChange {
  /** Members of the bar, in place of its own. */
  readonly k?: Readonly<Record<string, unknown>> | undefined;
  /** Members of the event. */
  readonly event?: Readonly<Record<string, unknown>> | undefined;
  /** Default: it has. */
  readonly closed?: boolean | undefined;
}

/** A combined frame, without blanks; unless that is changed, sent a millisecond after the bar's end. */
export function klineText(candle: Candle, change: KlineChange = {}): string {
  const { symbol, interval } = candle;
  const data = {
    e: 'kline',
    E: candle.closeTime + 1,
    s: symbol,
    k: {
      t: candle.openTime,
      T: candle.closeTime,
      s: symbol,
      i: interval,
      f: 1,
      L: candle.count,
      o: String(candle.open),
      c: String(candle.close),
      h: String(candle.high),
      l: String(candle.low),
      v: String(candle.volume),
      n: candle.count,
      x: change.closed ?? true,
      q: String(candle.quoteVolume),
      V: String(candle.takerBuyVolume),
      Q: String(candle.takerBuyQuoteVolume),
      B: '0',
      ...change.k,
    },
    ...change.event,
  };
  return JSON.stringify({ stream: streamName(candle), data });
}
