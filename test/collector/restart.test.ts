/** Lives one after the other: the series goes on where it ended. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Candle } from '../../machines/model/kline.ts';
import {
  collectFrom,
  expectContiguous,
  expectWhole,
  newStore,
  ofSeries,
  query,
  startExchange,
  storedCandles,
  watch,
} from '../support/collector.ts';
import { until, within } from '../support/wait.ts';

describe('a collector started again', () => {
  test('three times on a store goes on with one contiguous series, each bar delivered once', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const { collector, candles } = collectFrom(exchange, { store });
    for (let life = 1; life <= 3; life++) {
      await collector.startStreaming();
      await until(`bars of life ${life}`, () => candles.length >= life * 6);
      const report = await collector.stop({ reason: `life ${life}` });
      expect(report).toMatchObject({ clean: true, reason: `life ${life}` });
      const later = exchange.now() + 3 * 60_000;
      await until('bars are missed meanwhile', () => exchange.now() > later);
    }
    expectWhole(candles, exchange, ['BTCUSDT', 'ETHUSDT'], 7);
    expectWhole(storedCandles(store), exchange, ['BTCUSDT', 'ETHUSDT'], 7);
    expect(storedCandles(store)).toHaveLength(candles.length);
    expect(query(store, 'SELECT * FROM gaps')).toEqual([]);
  });

  test('three times in memory goes on with one contiguous series too', async () => {
    const exchange = await startExchange();
    const { collector, candles } = collectFrom(exchange);
    for (let life = 1; life <= 3; life++) {
      await collector.startStreaming();
      await until(`bars of life ${life}`, () => candles.length >= life * 6);
      await collector.stop();
      const later = exchange.now() + 3 * 60_000;
      await until('bars are missed meanwhile', () => exchange.now() > later);
    }
    expectWhole(candles, exchange, ['BTCUSDT', 'ETHUSDT'], 7);
    expect(collector.getCandleBuffer('BTCUSDT', '1m')).toEqual(ofSeries(candles, 'BTCUSDT'));
  });

  test('with a backfill has the bar, too, in which that time lies', async () => {
    const exchange = await startExchange();
    const { collector, candles } = collectFrom(exchange, { intervals: ['1h'], backfillMs: 2 * 3_600_000 });
    const from = exchange.now() - 2 * 3_600_000;
    await collector.startStreaming();
    await until('two hours are there', () => ofSeries(candles, 'BTCUSDT', '1h').length >= 2);
    await collector.stop();
    const [first] = ofSeries(candles, 'BTCUSDT', '1h');
    expect(first!.openTime).toBeLessThanOrEqual(from + 60_000);
    expect(first!.closeTime).toBeGreaterThan(from);
  });

  test('with a longer backfill than before fetches what lies before the store, too', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const hour = 3_600_000;
    const first = collectFrom(exchange, { store, backfillMs: hour });
    await first.collector.startStreaming();
    const haveMore = (candles: readonly Candle[], than: number) => (): boolean =>
      ['BTCUSDT', 'ETHUSDT'].every((symbol) => ofSeries(candles, symbol).length > than);
    await until('an hour is there', haveMore(first.candles, 60));
    await first.collector.stop();
    const second = collectFrom(exchange, { store, backfillMs: 3 * hour });
    await second.collector.startStreaming();
    await until('three hours are there', haveMore(second.candles, 180));
    await second.collector.stop();
    expectWhole(second.candles, exchange, ['BTCUSDT', 'ETHUSDT'], 180);
    expectWhole(storedCandles(store), exchange, ['BTCUSDT', 'ETHUSDT'], 180);
    expect(storedCandles(store)).toHaveLength(second.candles.length);
    // What the store held all along is not asked for again by the same or a shorter one.
    const third = collectFrom(exchange, { store, backfillMs: hour });
    await third.collector.startStreaming();
    await until('new bars', () => third.candles.length >= 4);
    await third.collector.stop();
    expect(Math.min(...third.candles.map(({ openTime }) => openTime))).toBeGreaterThan(
      Math.max(...ofSeries(second.candles, 'BTCUSDT').map(({ openTime }) => openTime)),
    );
  });

  test('has a report for each life', async () => {
    const { collector } = collectFrom(await startExchange());
    await collector.startStreaming();
    const first = await collector.stop({ reason: 'first' });
    await collector.startStreaming();
    const second = await collector.stop({ reason: 'second' });
    expect(second).not.toBe(first);
    expect([first.reason, second.reason]).toEqual(['first', 'second']);
    expect(await collector.stop()).toBe(second);
  });

  test('from the state listener, the moment it has stopped, streams again', async () => {
    const exchange = await startExchange();
    const { collector, course } = collectFrom(exchange);
    await collector.startStreaming();
    const again = new Promise<void>((resolve, reject) => {
      const off = collector.on('state', ({ to }) => {
        if (to !== 'stopped') return;
        off();
        collector.startStreaming().then(resolve, reject);
      });
    });
    const report = await collector.stop({ reason: 'first' });
    expect(report).toMatchObject({ reason: 'first', clean: true });
    expect(report.components.map((line) => line.name)).toEqual(['feed0', 'rest', 'store']);
    await within('the second start', again);
    expect(course()).toBe('connecting streaming stopping stopped connecting streaming');
    expect(exchange.sockets()).toBe(1);
  });

  test('the same on the embedded exchange streams again', async () => {
    const { collector, candles } = watch({
      symbols: ['BTCUSDT'],
      intervals: ['1m'],
      network: 'simulator',
      timeScale: 300,
    });
    await collector.startStreaming();
    const again = new Promise<void>((resolve, reject) => {
      const off = collector.on('state', ({ to }) => {
        if (to !== 'stopped') return;
        off();
        collector.startStreaming().then(resolve, reject);
      });
    });
    await collector.stop();
    await within('the second start', again);
    const before = candles.length;
    await until('bars of the second life', () => candles.length > before + 2);
    expectContiguous(candles);
  });

  test('as another collector on the same store fills what both missed', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const one = collectFrom(exchange, { store });
    await one.collector.startStreaming();
    await until('bars of the first', () => one.candles.length > 4);
    await one.collector.stop();
    expect(existsSync(`${store}-wal`), 'the WAL is emptied and gone').toBe(false);
    const later = exchange.now() + 5 * 60_000;
    await until('bars are missed meanwhile', () => exchange.now() > later);
    const two = collectFrom(exchange, { store });
    await two.collector.startStreaming();
    await until('bars of the second', () => two.candles.length > 14);
    await two.collector.stop();
    expectWhole(storedCandles(store), exchange, ['BTCUSDT', 'ETHUSDT'], 7);
    expect(storedCandles(store)).toHaveLength(one.candles.length + two.candles.length);
    expect(two.candles.slice(0, 2).map((candle) => candle.source)).toContain('rest');
  });

  test('with the embedded exchange on one store lets its time never go back', async () => {
    const store = newStore();
    const options = {
      symbols: ['BTCUSDT'],
      intervals: ['1m'],
      network: 'simulator',
      timeScale: 300,
    } as const;
    for (let life = 0; life < 3; life++) {
      const { collector, candles } = watch({ ...options, store });
      await collector.startStreaming();
      await until('bars', () => candles.length >= 4);
      await collector.stop();
    }
    const rows = storedCandles(store);
    expect(rows.length).toBeGreaterThanOrEqual(12);
    expectContiguous(rows);
  });

  test('L05 forty times, each life cut short at another moment, leaves nothing open and a store that is whole', async () => {
    const exchange = await startExchange();
    const before = process.getActiveResourcesInfo().length;
    const store = newStore();
    const { collector, candles } = collectFrom(exchange, { store });
    for (let life = 0; life < 40; life++) {
      const starting = collector.startStreaming().catch(() => {});
      for (let turn = 0; turn < life * 7; turn++) await new Promise(setImmediate);
      const report = await within('the stop', collector.stop());
      expect(report, `life ${life}: ${JSON.stringify(report.components)}`).toMatchObject({
        clean: true,
        unwritten: 0,
      });
      await starting;
    }
    await until('nothing is open', () => exchange.sockets() === 0);
    await until('nothing keeps the process', () => process.getActiveResourcesInfo().length <= before);
    await collector.startStreaming();
    const count = candles.length;
    await until('candles', () => candles.length > count + 4);
    await collector.stop();
    expectWhole(storedCandles(store), exchange);
    expect(storedCandles(store)).toHaveLength(candles.length);
  });
});
