/** What a collector measures about itself, told from outside while the exchange does as it is told. */
import { describe, expect, test } from 'vitest';
import { BinanceDataCollector, type CollectorOptions } from '../../src/index.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { collectFrom, newStore, startExchange, type Watched } from '../support/collector.ts';
import { until } from '../support/wait.ts';

/** A collector that streams, and has delivered so many candles. */
async function streaming(
  exchange: SimulatedExchange,
  options: Partial<CollectorOptions> = {},
  candles = 2,
): Promise<Watched> {
  const watched = collectFrom(exchange, options);
  await watched.collector.startStreaming();
  await until('candles', () => watched.candles.length >= candles);
  return watched;
}

describe('vitals', () => {
  test('are there before the start: nothing has come, nothing was asked', () => {
    const vitals = new BinanceDataCollector({ symbols: ['BTCUSDT'], intervals: ['1m'] }).vitals();
    expect(vitals).toMatchObject({
      state: 'initialized',
      mode: 'none',
      weight: { used: 0, limit: 2_400 },
      closeLag: { count: 0 },
      commits: { took: { count: 0 } },
      gaps: { named: 0, filled: 0, open: 0 },
    });
    for (const absent of ['exchangeTime', 'lastFrameAgeMs']) expect(vitals).not.toHaveProperty(absent);
    expect(vitals.commits).not.toHaveProperty('lastAgoMs');
  });

  test('count each close of the stream once, with how late it came, and each commit with what it took', async () => {
    const { collector } = await streaming(await startExchange(), { store: newStore() }, 6);
    const { closeLag, commits, counters } = collector.vitals();
    expect(closeLag.count).toBe(counters.closedByStream);
    expect(closeLag.counts.reduce((sum, count) => sum + count, 0)).toBe(closeLag.count);
    expect(closeLag.last).toBeLessThan(1_000);
    expect(commits.took.count).toBeGreaterThan(0);
    expect(commits.took.last).toBeGreaterThan(0);
    expect(commits.lastAgoMs).toBeGreaterThanOrEqual(0);
    expect(commits.lastAgoMs).toBeLessThan(1_000);
  });

  test('have the request weight of the minute, as the exchange counts it, also without a store', async () => {
    const exchange = await startExchange();
    const { collector } = await streaming(exchange);
    const { used, limit } = collector.vitals().weight;
    expect(used).toBeGreaterThan(0);
    expect(used).toBeLessThan(limit);
    expect(limit).toBe(2_400);
  });

  test('know how old the newest frame is, whichever series it is of', async () => {
    const exchange = await startExchange();
    const { collector } = await streaming(exchange);
    exchange.inject({ kind: 'mute', streams: ['ethusdt@kline_1m'] });
    const { klines } = collector.vitals().counters;
    await until('frames of the other', () => collector.vitals().counters.klines > klines + 5);
    expect(collector.vitals().lastFrameAgeMs).toBeLessThan(200);
    exchange.inject({ kind: 'mute' });
    await until('silence', () => (collector.vitals().lastFrameAgeMs ?? 0) > 200);
  });

  test('count a connection that is dropped as closed, and a stop as nothing', async () => {
    const exchange = await startExchange();
    const { collector, states } = await streaming(exchange);
    const none = collector.vitals().reconnects;
    expect(Object.values(none).every((count) => count === 0)).toBe(true);
    exchange.inject({ kind: 'drop' });
    await until('it streams again', () => states.at(-1)?.to === 'streaming' && states.length > 3);
    await collector.stop();
    expect(collector.vitals().reconnects).toEqual({ ...none, closed: 1 });
  });

  test('count every handshake that was refused, and those that nobody answered', async () => {
    const exchange = await startExchange();
    exchange.inject({ kind: 'refuse', status: 503, times: 2 });
    const { collector } = await streaming(exchange);
    expect(collector.vitals().reconnects).toMatchObject({ refused: 2, closed: 0 });
    exchange.inject({ kind: 'refuse', status: 0, times: 1 });
    exchange.inject({ kind: 'drop' });
    await until('the dial in vain', () => collector.vitals().reconnects.unreachable > 0);
    expect(collector.vitals().reconnects).toMatchObject({ refused: 2, closed: 1, unreachable: 1 });
  });

  test('count a connection without any sign of life as silent', async () => {
    const exchange = await startExchange();
    const { collector } = await streaming(exchange);
    exchange.inject({ kind: 'halfOpen' });
    await until('it is given up', () => collector.vitals().reconnects.silent > 0);
    expect(collector.vitals().reconnects).toMatchObject({ silent: 1, closed: 0 });
  });

  test('go on over a stop and the next run, and are there in between', async () => {
    const exchange = await startExchange();
    const { collector, candles } = await streaming(exchange);
    await collector.stop();
    const between = collector.vitals();
    expect(between).toMatchObject({ state: 'stopped', mode: 'none', rowsWaiting: 0 });
    const before = candles.length;
    await collector.startStreaming();
    await until('a candle of the next run', () => candles.length > before);
    expect(collector.vitals().closeLag.count).toBeGreaterThanOrEqual(between.closeLag.count);
    expect(collector.vitals().commits.took.count).toBeGreaterThan(between.commits.took.count);
  });

  test('of an embedded exchange are there before it runs, while it does, and when it has gone', async () => {
    const collector = new BinanceDataCollector({
      symbols: ['BTCUSDT'],
      intervals: ['1m'],
      network: 'simulator',
      timeScale: 600,
    });
    expect(collector.vitals().weight.used).toBe(0);
    await collector.startStreaming();
    expect(collector.vitals().weight.used).toBeGreaterThan(0);
    await collector.stop();
    expect(collector.vitals().weight).toEqual({ used: 0, limit: 2_400 });
  });
});

describe('the forming bar', () => {
  test('is that of the newest frame, behind what has closed, in either spelling', async () => {
    const { collector, candles } = await streaming(await startExchange(), { symbols: ['BTCUSDT'] });
    await until('a forming bar', () => collector.getFormingCandle('btcusdt', '1m') !== undefined);
    const forming = collector.getFormingCandle('BTCUSDT', '1m')!;
    expect(forming.openTime).toBeGreaterThan(candles.at(-1)!.openTime);
    expect(forming).toMatchObject({ symbol: 'BTCUSDT', interval: '1m', source: 'stream' });
  });
});
