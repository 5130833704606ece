/** A collector with a store on a simulated exchange, and the look at everything it has when a fault is over. */
import { expect, onTestFinished } from 'vitest';
import type { CollectorOptions } from '../../src/index.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { expectKept } from '../oracle/kept.ts';
import { type Observed, tap, watch } from '../oracle/watch.ts';
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
export type Stored = Watched & { readonly store: string; readonly observed: Observed };

/** A collector that streams into a store under the eyes of the oracle, and has delivered something of both symbols. */
export async function streaming(
  exchange: SimulatedExchange,
  options: Partial<CollectorOptions> = {},
): Promise<Stored> {
  const store = newStore();
  const wire = await tap(exchange);
  onTestFinished(() => wire.proxy.close());
  const watched = collectFrom(wire, { store, ...options });
  const observed = watch(watched.collector, exchange, { store, wire });
  await watched.collector.startStreaming();
  await until('a candle of both', () => new Set(watched.candles.map((one) => one.symbol)).size === 2);
  return { ...watched, store, observed };
}

/** Faults are over: waits until bars that opened after now have been delivered, stops, and looks at everything. */
export async function expectWholeAfter(exchange: SimulatedExchange, watched: Stored): Promise<void> {
  const { candles, store, gaps, observed } = watched;
  observed.calm();
  const now = exchange.now();
  await until('bars that opened later', () =>
    SYMBOLS.every((symbol) => ofSeries(candles, symbol).some((candle) => candle.openTime > now)),
  );
  const evidence = await observed.finish();
  expectKept(evidence);
  expect(evidence.report.unwritten).toBe(0);
  expectWhole(candles, exchange, SYMBOLS);
  expectWhole(storedCandles(store), exchange, SYMBOLS);
  expect(storedCandles(store)).toHaveLength(candles.length);
  expect(gaps).toEqual([]);
  expect(query(store, 'SELECT * FROM gaps')).toEqual([]);
}
