import { type Interval, isInterval } from '../../machines/model/interval.ts';
import type { Market } from './market.ts';
import type { BarSource } from './source.ts';
import type { WireBar } from './units.ts';

/** Lowers ASCII letters alone, as stream names need it. */
export const asciiLower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** A kline stream that exists. */
export interface KnownStream {
  readonly name: string;
  readonly source: BarSource;
  readonly interval: Interval;
}

/** Finds the stream of a name; a wrong symbol, interval or case finds nothing, and nobody says so. */
export function streamFinder(market: Market): (name: string) => KnownStream | undefined {
  const bySymbol = new Map(Array.from(market.sources, (source) => [asciiLower(source.info.symbol), source]));
  return (name) => {
    const [symbol = '', interval, more] = name.split('@kline_');
    const source = bySymbol.get(symbol);
    if (source === undefined || !isInterval(interval) || more !== undefined) return undefined;
    return market.serves(source, interval) ? { name, source, interval } : undefined;
  };
}

/**
 * A kline event, keys in the order of the exchange's frames of 2026. `E` is the exchange's time of sending.
 * Symbols hold nothing that JSON would escape.
 */
export function klineEvent(
  symbol: string,
  interval: Interval,
  bar: WireBar,
  closed: boolean,
  E: number,
): string {
  return (
    `{"e":"kline","E":${E},"s":"${symbol}","k":{"t":${bar.openTime},"T":${bar.closeTime},"s":"${symbol}",` +
    `"i":"${interval}","f":${bar.firstTradeId},"L":${bar.lastTradeId},"o":"${bar.open}","c":"${bar.close}",` +
    `"h":"${bar.high}","l":"${bar.low}","v":"${bar.volume}","n":${bar.count},"x":${closed},` +
    `"q":"${bar.quoteVolume}","V":"${bar.takerBuyVolume}","Q":"${bar.takerBuyQuoteVolume}","B":"0"}}`
  );
}
