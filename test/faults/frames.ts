/** Frames as the exchange sends them, made by hand and sent in its name. */
import { setTimeout as delay } from 'node:timers/promises';
import { streamName } from '../../src/binance/streams.ts';
import type { Candle } from '../../src/index.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';

export interface FrameFields {
  /** Of the bar. */
  readonly k?: Readonly<Record<string, unknown>>;
  /** Of the event. */
  readonly event?: Readonly<Record<string, unknown>>;
  readonly closed?: boolean;
}

/** A combined kline frame of a bar. */
export function frameText(candle: Candle, change: FrameFields = {}): string {
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

/** Sends a text on every socket of the exchange, now. */
export const sendText = (exchange: SimulatedExchange, text: string): void =>
  exchange.inject({ kind: 'malformed', text, times: 1 });

/** A final bar of the exchange. */
export function truthOf(exchange: SimulatedExchange, symbol: string, openTime: number): Candle {
  const candle = exchange.truth.candle(symbol, '1m', openTime);
  if (candle === undefined) throw new Error(`the exchange has no bar of ${symbol} at ${openTime}`);
  return candle;
}

/** Open time of the minute that is open at the exchange. */
export const openMinute = (exchange: SimulatedExchange): number =>
  Math.floor(exchange.now() / 60_000) * 60_000;

/** Waits until the exchange's clock shows that time. */
export async function exchangeReaches(exchange: SimulatedExchange, time: number): Promise<void> {
  while (exchange.now() < time) await delay(2);
}
