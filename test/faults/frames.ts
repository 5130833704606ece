/** What is sent in the name of a simulated exchange, and when. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Candle } from '../../src/index.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';

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
