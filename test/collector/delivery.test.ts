/** What consumers get: every closed bar, once, in order, true, committed first, and soon. */
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Candle } from '../../src/index.ts';
import {
  collectFrom,
  expectContiguous,
  expectTrue,
  expectWhole,
  newStore,
  ofSeries,
  query,
  startExchange,
  storedCandles,
} from '../support/collector.ts';
import { until } from '../support/wait.ts';

describe('candle events', () => {
  test("are the exchange's bars, in order, each once, from the stream", async () => {
    const exchange = await startExchange();
    const store = newStore();
    const symbols = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
    const { collector, candles, gaps, problems } = collectFrom(exchange, { symbols, store });
    await collector.startStreaming();
    await until('many candles', () => candles.length > 45);
    const report = await collector.stop();
    expectWhole(candles, exchange, symbols, 14);
    expect(candles.filter((candle) => candle.source !== 'stream')).toEqual([]);
    const byKey = (a: Candle, b: Candle): number =>
      a.symbol.localeCompare(b.symbol) || a.openTime - b.openTime;
    expect(storedCandles(store)).toEqual([...candles].sort(byKey));
    expect([gaps, problems]).toEqual([[], []]);
    expect(report.clean).toBe(true);
    const { counters } = collector.status();
    expect(counters.closedByStream).toBe(candles.length);
    expect(counters).toMatchObject({
      closedByRest: 0,
      duplicates: 0,
      malformed: 0,
      insane: 0,
      refused: 0,
      gaps: 0,
    });
  });

  test('of several intervals agree: five 1m bars make one 5m bar', async () => {
    const exchange = await startExchange({ timeScale: 600 });
    const { collector, candles } = collectFrom(exchange, { symbols: ['BTCUSDT'], intervals: ['1m', '5m'] });
    await collector.startStreaming();
    await until('two 5m bars after five 1m bars', () => {
      const fives = ofSeries(candles, 'BTCUSDT', '5m');
      const last = fives.at(-1);
      return (
        fives.length >= 2 && candles.some((one) => one.interval === '1m' && one.openTime === last?.openTime)
      );
    });
    await collector.stop();
    const five = ofSeries(candles, 'BTCUSDT', '5m').at(-1)!;
    const ones = ofSeries(candles, 'BTCUSDT').filter(
      (one) => one.openTime >= five.openTime && one.closeTime <= five.closeTime,
    );
    expect(ones).toHaveLength(5);
    expect(ones[0]?.open).toBe(five.open);
    expect(ones.at(-1)?.close).toBe(five.close);
    expect(Math.max(...ones.map((one) => one.high))).toBe(five.high);
    expect(ones.reduce((sum, one) => sum + one.count, 0)).toBe(five.count);
    expectTrue(candles, exchange);
  });

  test('come after the commit: the row can be read by others inside the listener', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const { collector } = collectFrom(exchange, { store });
    const found: boolean[] = [];
    collector.on('candle', ({ symbol, interval, openTime, close }) => {
      const where = `symbol = '${symbol}' AND interval = '${interval}' AND open_time = ${openTime}`;
      const rows = query(store, `SELECT close FROM candles WHERE ${where}`);
      found.push(rows.length === 1 && rows[0]?.['close'] === close);
    });
    await collector.startStreaming();
    await until('candles', () => found.length > 12);
    await collector.stop();
    expect(found).toEqual(found.map(() => true));
  });

  test('follow the frame within 50 ms in normal load, by the median', async () => {
    const exchange = await startExchange();
    const { collector } = collectFrom(exchange, { store: newStore() });
    const deliveredAt = new Map<string, number>();
    const arrivedAt = new Map<string, number>();
    collector.on('candle', ({ symbol, openTime }) =>
      deliveredAt.set(`${symbol}${openTime}`, performance.now()),
    );
    const names = 'btcusdt@kline_1m/ethusdt@kline_1m';
    const witness = new WebSocket(`${exchange.wsUrl}/market/stream?streams=${names}`);
    witness.on('message', (data: Buffer) => {
      const { k } = (JSON.parse(data.toString()) as { data: { k: { s: string; t: number; x: boolean } } })
        .data;
      if (k.x) arrivedAt.set(`${k.s}${k.t}`, performance.now());
    });
    await collector.startStreaming();
    const both = (): string[] => [...deliveredAt.keys()].filter((key) => arrivedAt.has(key));
    await until('some of both', () => both().length >= 20);
    witness.terminate();
    const delays = both().map((key) => deliveredAt.get(key)! - arrivedAt.get(key)!);
    delays.sort((a, b) => a - b);
    expect(delays[Math.floor(delays.length / 2)]).toBeLessThan(50);
  });
});

describe('update events', () => {
  test('are forming bars alone: never of a bar that was delivered closed, and never stored', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const { collector, candles } = collectFrom(exchange, { store });
    const late: Candle[] = [];
    const updates: Candle[] = [];
    collector.on('update', (candle) => {
      updates.push(candle);
      if (candles.some((one) => one.symbol === candle.symbol && one.openTime >= candle.openTime))
        late.push(candle);
    });
    await collector.startStreaming();
    await until('candles and updates', () => candles.length > 10 && updates.length > 30);
    await collector.stop();
    expect(late).toEqual([]);
    const closed = ofSeries(candles, 'BTCUSDT')[2]!;
    const forming = ofSeries(updates, 'BTCUSDT').filter((one) => one.openTime === closed.openTime);
    expect(forming.length).toBeGreaterThan(1);
    for (const one of forming) expect(one.open).toBe(closed.open);
    expect(forming.map((one) => one.count)).toEqual(
      forming.map((one) => one.count).toSorted((a, b) => a - b),
    );
    const stored = storedCandles(store);
    expect(stored).toHaveLength(candles.length);
    expectTrue(stored, exchange);
  });

  test('go on while nobody wants them without being counted as anything else', async () => {
    const exchange = await startExchange();
    const { collector, candles } = collectFrom(exchange);
    await collector.startStreaming();
    await until('candles', () => candles.length > 4);
    const { counters } = collector.status();
    expect(counters.klines).toBeGreaterThan(candles.length);
    expect(counters.frames).toBe(counters.klines + 1);
  });
});

describe('getCandleBuffer', () => {
  test('holds the newest bars, oldest first, bounded, during the run and after the stop', async () => {
    const exchange = await startExchange();
    const { collector, candles } = collectFrom(exchange, { bufferSize: 4, symbols: ['BTCUSDT'] });
    expect(collector.getCandleBuffer('BTCUSDT', '1m')).toEqual([]);
    await collector.startStreaming();
    await until('more than fit', () => candles.length >= 11);
    expect(collector.getCandleBuffer('BTCUSDT', '1m')).toEqual(candles.slice(-4));
    await collector.stop();
    const kept = collector.getCandleBuffer('BTCUSDT', '1m');
    expect(kept).toEqual(candles.slice(-4));
    expectContiguous(kept);
  });

  test('gives a copy: changing it changes nothing', async () => {
    const { collector, candles } = collectFrom(await startExchange(), { symbols: ['BTCUSDT'] });
    await collector.startStreaming();
    await until('candles', () => candles.length >= 2);
    await collector.stop();
    (collector.getCandleBuffer('BTCUSDT', '1m') as Candle[]).length = 0;
    expect(collector.getCandleBuffer('BTCUSDT', '1m')).toEqual(candles);
  });
});
