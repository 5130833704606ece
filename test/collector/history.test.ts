/** Questions about the past to a collector, in all states of its life, over a simulated exchange with an archive. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { DAY_MS, openTimeAt } from '../../machines/model/interval.ts';
import {
  BinanceDataCollector,
  type Candle,
  type CollectorOptions,
  ConfigurationError,
  ConnectionError,
  ExchangeError,
  type Interval,
  StoreError,
} from '../../src/index.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import {
  expectContiguous,
  expectTrue,
  expectWhole,
  folder,
  Memo,
  newStore,
  optionsFor,
  startExchange,
  storedCandles,
  watch,
} from '../support/collector.ts';
import { filesBelow, temporaryIn } from '../support/temporary.ts';
import { until, within } from '../support/wait.ts';

const HOUR = 3_600_000;
/** Far from midnight, when one more day is published. */
const NOON = Date.UTC(2026, 4, 20, 12);
const symbols = ['BTCUSDT', 'ETHUSDT'];

/** A collector on an exchange with an archive. */
const collectWith = (exchange: SimulatedExchange, options: Partial<CollectorOptions> = {}) => {
  const { wsUrl, restUrl, visionUrl } = exchange;
  return watch(
    optionsFor(exchange, { network: { wsUrl, restUrl, visionUrl }, symbols: ['BTCUSDT'], ...options }),
  );
};

const sourcesOf = (candles: readonly Candle[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { source } of candles) counts[source] = (counts[source] ?? 0) + 1;
  return counts;
};

const requests = (exchange: SimulatedExchange, path: string): string[] =>
  exchange
    .log()
    .filter((entry) => entry.kind === 'http' && entry.path?.startsWith(path))
    .map((entry) => entry.path ?? '');

const ownTemporary = (): string => temporaryIn(folder());

/** The last five days of the exchange, to the hour. */
const fiveDays = (exchange: SimulatedExchange) => {
  const to = openTimeAt('1h', exchange.now()) - HOUR;
  return { symbol: 'BTCUSDT', interval: '1m' as Interval, from: to - 5 * DAY_MS, to };
};

describe('the past, asked of a collector', () => {
  test('is the same before the start, while it streams, and after the stop; and nothing of it is left behind', async () => {
    const temporary = ownTemporary();
    const exchange = await startExchange({ startTime: NOON, symbols });
    const { collector, candles: live } = collectWith(exchange);
    const query = fiveDays(exchange);
    const before = await collector.getHistoricalCandles(query);
    expect(before).toHaveLength(5 * 1_440);
    expectWhole(before, exchange, ['BTCUSDT'], 5 * 1_440);
    expect(before[0]?.openTime).toBe(query.from);
    // Whole days that are published.
    expect(sourcesOf(before)).toEqual({ vision: 3 * 1_440, rest: 2 * 1_440 });
    expect(filesBelow(temporary)).toEqual([]);

    await collector.startStreaming();
    const during = await collector.getHistoricalCandles(query);
    expect(during).toEqual(before);
    // What is asked about the past is not delivered.
    await until('a live bar', () => live.length > 0);
    expect(live.filter(({ source }) => source === 'vision')).toEqual([]);
    expect((await collector.stop()).clean).toBe(true);
    expect(filesBelow(temporary)).toEqual([]);

    expect(await collector.getHistoricalCandles(query)).toEqual(before);
    expect(filesBelow(temporary)).toEqual([]);
  });

  test('comes from where it is asked to come from', async () => {
    // Who does not ask REST goes by the local clock.
    const exchange = await startExchange({ symbols });
    const { collector } = collectWith(exchange);
    const query = fiveDays(exchange);
    exchange.clearLog();
    const byRest = await collector.getHistoricalCandles({ ...query, source: 'rest' });
    expect(sourcesOf(byRest)).toEqual({ rest: 5 * 1_440 });
    expect(requests(exchange, '/data/')).toEqual([]);
    exchange.clearLog();
    const { candles, missing } = await collector.getHistory({ ...query, source: 'vision' });
    expect(sourcesOf(candles)).toEqual({ vision: candles.length });
    expect(requests(exchange, '/fapi/')).toEqual([]);
    expectContiguous(candles);
    expectTrue(candles, exchange);
    // A day that is cut by the range is taken from its file; what is not published yet is not there.
    expect(candles[0]?.openTime).toBe(query.from);
    expect(candles.length).toBeLessThan(5 * 1_440);
    expect(missing).toEqual([]);
  });

  test('may be of any contract and interval, collected or not', async () => {
    const exchange = await startExchange({ startTime: NOON, symbols });
    const { collector } = collectWith(exchange);
    await collector.startStreaming();
    const to = exchange.now();
    for (const interval of ['1h', '1d', '3d', '1w', '1M'] as const) {
      const candles = await collector.getHistoricalCandles({
        symbol: 'ethusdt',
        interval,
        from: new Date(to - 100 * DAY_MS),
        to: new Date(to),
      });
      expect(candles.length, interval).toBeGreaterThanOrEqual(2);
      expectContiguous(candles);
      expectTrue(candles, exchange);
    }
  });

  test('never has a bar that is open, nor one that is not there', async () => {
    const exchange = await startExchange({ startTime: NOON, symbols, timeScale: 1 });
    const { collector } = collectWith(exchange);
    const now = exchange.now();
    const candles = await collector.getHistoricalCandles({
      ...fiveDays(exchange),
      from: now - HOUR,
      to: now + DAY_MS,
    });
    expect(candles.length).toBeGreaterThanOrEqual(58);
    expectTrue(candles, exchange);
    expect(candles.at(-1)?.closeTime).toBeLessThan(exchange.now());
  });

  test('of a collector with a store: stored values win, and what is stored is not asked for', async () => {
    const exchange = await startExchange({ startTime: NOON, symbols });
    const store = newStore();
    const { collector, candles } = collectWith(exchange, { store });
    await collector.startStreaming();
    await until('a few live bars', () => candles.length >= 5);
    const from = (candles[0] as Candle).openTime;
    const to = (candles[4] as Candle).closeTime + 1;
    exchange.clearLog();
    const query = { symbol: 'BTCUSDT', interval: '1m', from, to } as const;
    expect(sourcesOf(await collector.getHistoricalCandles(query))).toEqual({ stream: 5 });
    const begin = requests(exchange, '/fapi/v1/klines').length;
    expect(sourcesOf(await collector.getHistoricalCandles({ ...query, from: from - HOUR }))).toEqual({
      rest: 60,
      stream: 5,
    });
    expect(requests(exchange, '/fapi/v1/klines').length).toBeGreaterThan(begin);
    await collector.stop();

    const database = new DatabaseSync(store);
    database.prepare('UPDATE candles SET volume = 12345 WHERE open_time = ?').run(from);
    database.close();
    const files = readdirSync(join(store, '..'));
    const after = await collector.getHistoricalCandles(query);
    expect(after[0]?.volume).toBe(12_345);
    expect(readdirSync(join(store, '..'))).toEqual(files);
    expect(after).toEqual(storedCandles(store).filter(({ openTime }) => openTime >= from && openTime < to));
    // Who asks for REST gets what REST has.
    const byRest = await collector.getHistoricalCandles({ ...query, source: 'rest' });
    expectTrue(byRest, exchange);

    // A store of another exchange is none of ours.
    const other = collectWith(exchange, { store, origin: 'simulator' });
    const error = await other.collector.getHistoricalCandles(query).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: 'STORE_ORIGIN' });
  });

  test('says what the exchange itself has not', async () => {
    const exchange = await startExchange({ startTime: NOON, symbols });
    const { collector, log } = collectWith(exchange);
    const query = fiveDays(exchange);
    const from = query.from + 2 * DAY_MS;
    exchange.inject({ kind: 'absent', symbol: 'BTCUSDT', from, to: from + 9 * 60_000 });
    const { candles, missing } = await collector.getHistory({ ...query, source: 'rest' });
    expect(candles).toHaveLength(5 * 1_440 - 10);
    expectTrue(candles, exchange);
    expect(missing).toEqual([{ fromOpenTime: from, toOpenTime: from + 9 * 60_000 }]);
    expect(log.lines).toContainEqual({
      level: 'warn',
      message: 'history: no source has some bars',
      fields: {
        series: 'BTCUSDT@1m',
        bars: 10,
        holes: 1,
        runs: [`${new Date(from).toISOString()}/${new Date(from + 10 * 60_000).toISOString()}`],
      },
    });
  });

  test('is kept in a folder where one is named: the second time nothing is fetched', async () => {
    const exchange = await startExchange({ startTime: NOON, symbols });
    const cacheDir = join(folder(), 'archive');
    const query = { ...fiveDays(exchange), source: 'vision' } as const;
    const first = await collectWith(exchange, { cacheDir }).collector.getHistory(query);
    expect(first.cache).toMatchObject({ hits: 0, errors: 0 });
    expect(first.cache.misses).toBe(4);
    const second = await collectWith(exchange, { cacheDir }).collector.getHistory(query);
    expect(second.candles).toEqual(first.candles);
    expect(second.cache).toMatchObject({ misses: 0, hits: first.cache.misses, errors: 0 });
  });

  test("costs a REST that is spared for live bars: its weight is history's", async () => {
    const exchange = await startExchange({ startTime: NOON, symbols, weightLimit: 200, timeScale: 60 });
    const { collector } = collectWith(exchange);
    await collector.startStreaming();
    const to = exchange.now();
    // Five hundred days of minutes by REST are far above the share of a minute.
    const call = collector
      .getHistoricalCandles({
        symbol: 'BTCUSDT',
        interval: '1m',
        from: to - 500 * DAY_MS,
        to,
        source: 'rest',
      })
      .catch((error: unknown) => error);
    await until('the share is used up', () => requests(exchange, '/fapi/v1/klines').length >= 30);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const weight = exchange.log().reduce((sum, entry) => sum + (entry.weight ?? 0), 0);
    // The minute of the exchange's count may have turned meanwhile.
    expect(weight).toBeLessThanOrEqual(2 * 200 * 0.6);
    expect(exchange.log().filter(({ status }) => status === 429)).toEqual([]);
    await collector.stop();
    expect(await call).toMatchObject({ code: 'STOPPED' });
  });
});

describe('a question about the past', () => {
  test('of a symbol that the exchange never had names it', async () => {
    const exchange = await startExchange({ startTime: NOON, symbols });
    const { collector } = collectWith(exchange);
    for (const source of ['auto', 'rest'] as const) {
      const error = await collector
        .getHistoricalCandles({ ...fiveDays(exchange), symbol: 'NOSUCHUSDT', source })
        .catch((reason: unknown) => reason);
      expect(error, source).toBeInstanceOf(ConfigurationError);
      expect(error).toMatchObject({ option: 'symbol', message: expect.stringContaining('NOSUCHUSDT') });
    }
  });

  test.each([
    ['testnet', 'testnet' as const, /testnet has no archive/],
    ['URLs without an archive', undefined, /visionUrl/],
  ])('for the archive of %s is refused', async (_, network, message) => {
    const urls = { wsUrl: 'ws://127.0.0.1:9', restUrl: 'http://127.0.0.1:9' };
    const collector = new BinanceDataCollector({
      symbols: ['BTCUSDT'],
      intervals: ['1m'],
      network: network ?? urls,
    });
    const query = { symbol: 'BTCUSDT', interval: '1m', from: 0, to: DAY_MS, source: 'vision' } as const;
    const error = await collector.getHistoricalCandles(query).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ option: 'source', message: expect.stringMatching(message) });
  });

  test('to an exchange that can not be reached is an error that says so', async () => {
    const urls = {
      wsUrl: 'ws://127.0.0.1:9',
      restUrl: 'http://127.0.0.1:9',
      visionUrl: 'http://127.0.0.1:9',
    };
    const collector = new BinanceDataCollector({ symbols: ['BTCUSDT'], intervals: ['1m'], network: urls });
    const query = { symbol: 'BTCUSDT', interval: '1m', from: 0, to: DAY_MS, source: 'rest' } as const;
    const error = await collector.getHistoricalCandles(query).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ExchangeError);
    expect(error).toMatchObject({ retryable: true });
  });

  test('to an embedded exchange needs it to run', async () => {
    const { collector } = watch({
      symbols: ['BTCUSDT'],
      intervals: ['1m'],
      network: 'simulator',
      timeScale: 600,
    });
    const ask = async (days: number) => {
      const to = openTimeAt('1d', Date.now()) - DAY_MS;
      return collector.getHistoricalCandles({
        symbol: 'BTCUSDT',
        interval: '1m',
        from: to - days * DAY_MS,
        to,
      });
    };
    const early = await ask(1).catch((reason: unknown) => reason);
    expect(early).toBeInstanceOf(ConnectionError);
    expect(early).toMatchObject({ code: 'NOT_STARTED', message: expect.stringContaining('start') });
    await collector.startStreaming();
    expect(sourcesOf(await ask(2))).toEqual({ vision: 2_880 });
    await collector.stop();
    expect(await ask(1).catch((reason: unknown) => reason)).toMatchObject({ code: 'NOT_STARTED' });
  });
});

describe('a stop', () => {
  test.each(['before the start', 'while it streams', 'after the stop'])(
    'ends questions that are under way: %s',
    async (when) => {
      const temporary = ownTemporary();
      const exchange = await startExchange({ startTime: NOON, symbols });
      const { collector, log } = collectWith(exchange);
      if (when !== 'before the start') await collector.startStreaming();
      if (when === 'after the stop') await collector.stop();
      exchange.inject({ kind: 'rest', path: '/data/', hang: 'body' });
      exchange.clearLog();
      const call = collector.getHistoricalCandles(fiveDays(exchange)).catch((error: unknown) => error);
      await until('it asks the archive', () => requests(exchange, '/data/').length > 0);
      const report = await within('the stop', collector.stop({ timeoutMs: 2_000 }), 3_000);
      const error = await within('the rejection', call, 100);
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).toMatchObject({ code: 'STOPPED' });
      expect(report.clean).toBe(true);
      expect(filesBelow(temporary)).toEqual([]);
      expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    },
  );

  test('ends none that is asked by somebody else; an abort ends the one that it belongs to', async () => {
    const exchange = await startExchange({ startTime: NOON, symbols });
    const [one, other] = [collectWith(exchange), collectWith(exchange)];
    await one.collector.startStreaming();
    const mine = new AbortController();
    const query = { ...fiveDays(exchange), source: 'rest' } as const;
    exchange.inject({ kind: 'rest', path: '/fapi/v1/klines', delayMs: 200 });
    const aborted = one.collector.getHistoricalCandles({ ...query, signal: mine.signal });
    const goesOn = one.collector.getHistoricalCandles(query);
    const elsewhere = other.collector.getHistoricalCandles(query);
    mine.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
    exchange.clearFaults();
    expect(await goesOn).toHaveLength(5 * 1_440);
    await one.collector.stop();
    expect(await elsewhere).toHaveLength(5 * 1_440);
    expect(one.collector.state).toBe('stopped');
  });

  test('that has begun turns questions away', async () => {
    const exchange = await startExchange({ startTime: NOON, symbols });
    const log = new Memo();
    const { collector } = collectWith(exchange, { logger: log });
    await collector.startStreaming();
    exchange.inject({ kind: 'noCloseAnswer' });
    const stopped = collector.stop({ timeoutMs: 500 });
    expect(collector.state).toBe('stopping');
    await expect(collector.getHistoricalCandles(fiveDays(exchange))).rejects.toMatchObject({
      code: 'STOPPING',
    });
    await stopped;
    exchange.clearFaults();
    expect(await collector.getHistoricalCandles(fiveDays(exchange))).toHaveLength(5 * 1_440);
  });
});
