/** Symbols that are listed, halted, settled and delisted while a collector runs, told by list and by event. */
import { describe, expect, test } from 'vitest';
import type { CollectorOptions } from '../../src/index.ts';
import { expectKept } from '../oracle/kept.ts';
import { watch as observe } from '../oracle/watch.ts';
import {
  collectFrom,
  expectTrue,
  expectWhole,
  newStore,
  ofSeries,
  query,
  startExchange,
  storedCandles,
  subscribed,
  type Watched,
} from '../support/collector.ts';
import { until } from '../support/wait.ts';

/** The list is read so seldom that only events can be the reason of what happens. */
const BY_EVENT: Partial<CollectorOptions> = { symbolsPollMs: 600_000, symbols: 'all' };
const BY_LIST: Partial<CollectorOptions> = { symbolsPollMs: 100, symbols: 'all' };

const seriesOf = ({ collector }: Watched, symbol: string) =>
  collector.status().series.find((one) => one.symbol === symbol);

describe.each([
  ['an event', BY_EVENT],
  ['the list', BY_LIST],
])('D14: told by %s', (_, options) => {
  test('D14: a listing starts its streams on a socket that has room; no socket is dialled', async () => {
    const exchange = await startExchange({ listLater: ['NEWUSDT'] });
    const watched = collectFrom(exchange, options);
    await watched.collector.startStreaming();
    await until('candles', () => watched.candles.length > 5);
    expect(seriesOf(watched, 'NEWUSDT')).toBeUndefined();
    exchange.inject({ kind: 'symbol', symbol: 'NEWUSDT', action: 'list' });
    await until('its bars', () => ofSeries(watched.candles, 'NEWUSDT').length > 3);
    expect(seriesOf(watched, 'NEWUSDT')?.state).toMatch(/live|quiet|repairing/u);
    expectWhole(watched.candles, exchange, ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'NEWUSDT']);
    expect(exchange.sockets()).toBe(1);
    expect(watched.course()).toBe('connecting streaming');
  });

  test.each(['settle', 'delist'] as const)(
    'D14: after %s a series retires at its last bar, without a gap; the others go on',
    async (action) => {
      const exchange = await startExchange();
      const store = newStore();
      const watched = collectFrom(exchange, { ...options, store });
      const observed = observe(watched.collector, exchange, { store });
      await watched.collector.startStreaming();
      await until('candles', () => watched.candles.length > 8);
      const at = exchange.now();
      exchange.inject({ kind: 'symbol', symbol: 'ETHUSDT', action });
      await until('it is retired', () => seriesOf(watched, 'ETHUSDT')?.state === 'retired', 15_000);
      const before = watched.candles.length;
      await until('bars of the others', () => watched.candles.length > before + 6);
      const bars = ofSeries(watched.candles, 'ETHUSDT');
      expect(bars.at(-1)!.openTime).toBeLessThanOrEqual(at + 1_000);
      expect(seriesOf(watched, 'ETHUSDT')?.last).toEqual(bars.at(-1));
      expectTrue(bars.slice(0, -1), exchange);
      expectWhole(watched.candles, exchange, ['BTCUSDT', 'SOLUSDT']);
      observed.calm();
      expectKept(await observed.finish());
      expect(query(store, 'SELECT * FROM gaps')).toEqual([]);
      expect(storedCandles(store).filter((one) => one.symbol === 'ETHUSDT')).toEqual(bars);
      expect(watched.problems).toEqual([]);
    },
  );

  test('D14: a symbol that is listed again goes on where it ended, once the gap between is named', async () => {
    const exchange = await startExchange();
    const watched = collectFrom(exchange, options);
    await watched.collector.startStreaming();
    await until('candles', () => watched.candles.length > 8);
    exchange.inject({ kind: 'symbol', symbol: 'ETHUSDT', action: 'delist' });
    await until('it is retired', () => seriesOf(watched, 'ETHUSDT')?.state === 'retired');
    const before = ofSeries(watched.candles, 'ETHUSDT').length;
    exchange.inject({ kind: 'symbol', symbol: 'ETHUSDT', action: 'list' });
    await until('bars again', () => ofSeries(watched.candles, 'ETHUSDT').length > before + 3, 18_000);
    expect(watched.gaps.every((gap) => gap.symbol === 'ETHUSDT')).toBe(true);
    expect(watched.gaps.length).toBeLessThanOrEqual(1);
    expect(seriesOf(watched, 'ETHUSDT')?.state).toMatch(/live|quiet|repairing/u);
    expectWhole(watched.candles, exchange, ['BTCUSDT', 'SOLUSDT']);
    expect(watched.course()).toBe('connecting streaming');
  });

  test('D14: a halt is shown until it is over', async () => {
    const exchange = await startExchange();
    const watched = collectFrom(exchange, options);
    await watched.collector.startStreaming();
    exchange.inject({ kind: 'symbol', symbol: 'ETHUSDT', action: 'halt' });
    await until('it is shown', () => seriesOf(watched, 'ETHUSDT')?.isHalted === true);
    exchange.inject({ kind: 'symbol', symbol: 'ETHUSDT', action: 'resume' });
    await until('it is over', () => seriesOf(watched, 'ETHUSDT')?.isHalted === undefined);
    expect(watched.course()).toBe('connecting streaming');
  });
});

test('D14: a symbol that was settled before the start retires at once', async () => {
  const exchange = await startExchange();
  exchange.inject({ kind: 'symbol', symbol: 'ETHUSDT', action: 'settle' });
  const watched = collectFrom(exchange, { symbolsPollMs: 100 });
  await watched.collector.startStreaming();
  await until('it is retired', () => seriesOf(watched, 'ETHUSDT')?.state === 'retired');
  expect(subscribed(exchange)).toContain('btcusdt@kline_1m');
});
