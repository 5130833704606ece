/** A collector with a store on a simulated exchange, and the look at everything it has when a fault is over. */
import { expect } from 'vitest';
import type { CollectorOptions } from '../../src/index.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import {
  collectFrom,
  expectWhole,
  newStore,
  ofSeries,
  query,
  storedCandles,
  type Watched,
} from '../support/collector.ts';
import { until } from '../support/wait.ts';

export const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
export type Stored = Watched & { readonly store: string };

/** A collector that streams into a store and has delivered something of both symbols. */
export async function streaming(
  exchange: SimulatedExchange,
  options: Partial<CollectorOptions> = {},
): Promise<Stored> {
  const store = newStore();
  const watched = collectFrom(exchange, { store, ...options });
  await watched.collector.startStreaming();
  await until('a candle of both', () => new Set(watched.candles.map((one) => one.symbol)).size === 2);
  return { ...watched, store };
}

/** Waits until bars that opened after now have been delivered, stops, and looks at everything. */
export async function expectWholeAfter(exchange: SimulatedExchange, watched: Stored): Promise<void> {
  const { collector, candles, store, gaps } = watched;
  const now = exchange.now();
  await until('bars that opened later', () =>
    SYMBOLS.every((symbol) => ofSeries(candles, symbol).some((candle) => candle.openTime > now)),
  );
  const report = await collector.stop();
  expect(report.unwritten).toBe(0);
  expectWhole(candles, exchange, SYMBOLS);
  expectWhole(storedCandles(store), exchange, SYMBOLS);
  expect(storedCandles(store)).toHaveLength(candles.length);
  expect(gaps).toEqual([]);
  expect(query(store, 'SELECT * FROM gaps')).toEqual([]);
}
