/** History lies in the store, with a hole between it and what is collected: it is never taken for whole. */
import { expect, test } from 'vitest';
import { blockOf } from '../../machines/model/block.ts';
import type { Candle } from '../../machines/model/kline.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { StoreDatabase } from '../../src/store/database.ts';
import {
  collectFrom,
  expectWhole,
  newStore,
  ofSeries,
  startExchange,
  storedCandles,
} from '../support/collector.ts';
import { until } from '../support/wait.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SERIES = { symbol: 'BTCUSDT', interval: '1m' } as const;

/** What `history` does with a range of bars that the exchange has. */
function load(store: string, exchange: SimulatedExchange, from: number, to: number): void {
  const holder = { pid: process.pid, host: 'here', since: 0 };
  const { database } = StoreDatabase.open({ path: store, origin: 'custom', holder });
  const bars: Candle[] = [];
  for (let openTime = from; openTime < to; openTime += MINUTE)
    bars.push(exchange.truth.candle('BTCUSDT', '1m', openTime) as Candle);
  const blocks = [blockOf(SERIES, 'vision', bars)];
  const { inserted } = database.load(
    { series: SERIES, blocks, gaps: [], collected: [{ from, to }] },
    exchange.now(),
  );
  expect(inserted).toBe(bars.length);
  database.close(exchange.now());
}

const minuteOf = (time: number): number => Math.floor(time / MINUTE) * MINUTE;

/** Collects until `count` bars are stored, and stops. */
async function collect(exchange: SimulatedExchange, store: string, count: number, backfillMs = 0) {
  const watched = collectFrom(exchange, { store, symbols: ['BTCUSDT'], backfillMs });
  await watched.collector.startStreaming();
  await until(`${count} bars`, () => watched.candles.length >= count);
  expect(await watched.collector.stop()).toMatchObject({ clean: true });
  return watched.candles;
}

test('history far behind what is collected, and a backfill that reaches into it: no hole is left between', async () => {
  const exchange = await startExchange();
  const store = newStore();
  await collect(exchange, store, 3);
  const first = storedCandles(store)[0]!.openTime;
  load(store, exchange, first - 5 * HOUR, first - 3 * HOUR);
  expect(storedCandles(store)[0]!.openTime).toBe(first - 5 * HOUR);
  await collect(exchange, store, 4 * 60, 4 * HOUR);
  expectWhole(storedCandles(store), exchange, ['BTCUSDT'], 5 * 60);
  // And the next run knows that it is whole.
  const again = await collect(exchange, store, 2, 4 * HOUR);
  expect(again[0]!.openTime).toBeGreaterThan(first);
});

test('history that a run finds for a series that nobody collected: its backfill begins where it was asked to', async () => {
  const exchange = await startExchange();
  const store = newStore();
  const to = minuteOf(exchange.now()) - 3 * HOUR;
  load(store, exchange, to - HOUR, to);
  await collect(exchange, store, 3 * 60, HOUR);
  expectWhole(storedCandles(store), exchange, ['BTCUSDT'], 4 * 60);
});

test('history ahead of what is collected, with a hole between: the next run fills the hole', async () => {
  const exchange = await startExchange();
  const store = newStore();
  await collect(exchange, store, 3);
  const stopped = ofSeries(storedCandles(store), 'BTCUSDT').at(-1)!.openTime;
  await until('a few bars are missed', () => exchange.now() > stopped + 12 * MINUTE);
  load(store, exchange, stopped + 5 * MINUTE, stopped + 10 * MINUTE);
  const bars = await collect(exchange, store, 14);
  expectWhole(storedCandles(store), exchange, ['BTCUSDT'], 16);
  expect(bars[0]!.openTime).toBe(stopped + MINUTE);
  const sources = storedCandles(store).map(({ source }) => source);
  expect(sources.filter((source) => source === 'vision')).toHaveLength(5);
});
