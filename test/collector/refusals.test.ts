/** What can't work is refused, by name, and nothing is harmed. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BinanceDataCollector, ConfigurationError, type Interval, StoreError } from '../../src/index.ts';
import { collectFrom, newStore, optionsFor, startExchange, storedCandles } from '../support/collector.ts';
import { until, within } from '../support/wait.ts';

const thrownBy = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable('it did not reject'),
    (error: unknown) => error,
  );

describe('startStreaming', () => {
  test('refuses an unknown symbol by name, offers a similar one, opens no socket and is stopped', async () => {
    const exchange = await startExchange();
    const { collector, states } = collectFrom(exchange, { symbols: ['BTCUSDT', 'BTCUSTD', 'NOSUCH'] });
    const error = await thrownBy(collector.startStreaming());
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ code: 'CONFIGURATION', option: 'symbols[1]' });
    expect((error as ConfigurationError).issues.map((issue) => [issue.option, issue.given])).toEqual([
      ['symbols[1]', "'BTCUSTD'"],
      ['symbols[2]', "'NOSUCH'"],
    ]);
    expect((error as Error).message).toContain('BTCUSDT');
    expect(collector.state).toBe('stopped');
    expect(states.map((change) => change.to)).toEqual(['connecting', 'stopping', 'stopped']);
    expect(exchange.log().filter((entry) => entry.kind === 'handshake')).toEqual([]);
  });

  test('creates no store when a symbol is unknown', async () => {
    const store = newStore();
    const { collector } = collectFrom(await startExchange(), { symbols: ['NOSUCH'], store });
    await thrownBy(collector.startStreaming());
    await collector.stop();
    expect(readdirSync(dirname(store))).toEqual([]);
  });

  test('refuses a store of another origin and leaves it as it was', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const made = collectFrom(exchange, { store, origin: 'simulator' });
    await made.collector.startStreaming();
    await until('candles', () => made.candles.length > 2);
    await made.collector.stop();
    const before = storedCandles(store);
    const { collector } = collectFrom(exchange, { store });
    const error = await thrownBy(collector.startStreaming());
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: 'STORE_ORIGIN' });
    expect((error as Error).message).toMatch(/'simulator', not of 'custom'/u);
    expect(collector.state).toBe('stopped');
    expect(storedCandles(store)).toEqual(before);
  });

  test('refuses a listener that could never be called', async () => {
    const { collector } = collectFrom(await startExchange());
    expect(() => collector.on('candles' as 'candle', () => {})).toThrow(
      /'candles' is not allowed; a function for one of/,
    );
    expect(() => collector.on('candle', 5 as never)).toThrow(ConfigurationError);
  });
  test('refuses a store that another writes, and one in no folder, at once, also when the exchange is not there', async () => {
    const store = newStore();
    const made = collectFrom(await startExchange(), { store });
    await made.collector.startStreaming();
    const nowhere = { wsUrl: 'ws://127.0.0.1:9', restUrl: 'http://127.0.0.1:9', timeScale: 1 };
    const second = collectFrom(nowhere, { store, connectTimeoutMs: 'never' }).collector;
    const locked = await thrownBy(within('the refusal', second.startStreaming(), 2_000));
    expect(locked).toMatchObject({ name: 'StoreError', code: 'STORE_LOCKED' });
    expect((locked as Error).message).toContain(`process ${process.pid} `);
    const lost = collectFrom(nowhere, {
      store: `${store}-no/folder/x.db`,
      connectTimeoutMs: 'never',
    }).collector;
    const unusable = await thrownBy(within('the refusal', lost.startStreaming(), 2_000));
    expect(unusable).toMatchObject({ name: 'StoreError', code: 'STORE_UNUSABLE' });
  });
  test('refuses a store of another origin at once, also when the exchange is not there', async () => {
    const store = newStore();
    const made = collectFrom(await startExchange(), { store, origin: 'simulator' });
    await made.collector.startStreaming();
    await made.collector.stop();
    const nowhere = { wsUrl: 'ws://127.0.0.1:9', restUrl: 'http://127.0.0.1:9', timeScale: 1 };
    const { collector } = collectFrom(nowhere, { store, connectTimeoutMs: 'never' });
    const error = await thrownBy(within('the refusal', collector.startStreaming(), 1_000));
    expect(error).toMatchObject({ name: 'StoreError', code: 'STORE_ORIGIN' });
  });

  test('refuses a store that another collector writes, says who, and works once it is let go', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const one = collectFrom(exchange, { store });
    await one.collector.startStreaming();
    const two = collectFrom(exchange, { store });
    const error = await thrownBy(two.collector.startStreaming());
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: 'STORE_LOCKED' });
    expect((error as Error).message).toContain(String(process.pid));
    expect(two.collector.state).toBe('stopped');
    expect(one.collector.isConnected).toBe(true);
    await one.collector.stop();
    await two.collector.startStreaming();
    expect(two.collector.isConnected).toBe(true);
  });

  test('refuses a file that is no store and does not touch it', async () => {
    const store = newStore();
    writeFileSync(store, 'dear diary\n');
    const { collector } = collectFrom(await startExchange(), { store });
    const error = await thrownBy(collector.startStreaming());
    expect(error).toMatchObject({ name: 'StoreError', code: 'STORE_FOREIGN' });
    await collector.stop();
    expect(readdirSync(dirname(store))).toEqual(['candles.db']);
  });

  test('refuses a store in a folder that does not exist', async () => {
    const store = `${newStore()}/no/such/folder/candles.db`;
    const { collector } = collectFrom(await startExchange(), { store });
    const error = await thrownBy(collector.startStreaming());
    expect(error).toMatchObject({ name: 'StoreError', code: 'STORE_UNUSABLE' });
    expect((error as Error).message).toContain(store);
    expect(collector.state).toBe('stopped');
  });
});

describe('the constructor', () => {
  test('refuses wrong options at once, all of them, and opens nothing', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const options = {
      ...optionsFor(exchange, { store }),
      symbols: [],
      intervals: ['1mo' as Interval],
      bufferSize: 0,
    };
    const make = (): unknown => new BinanceDataCollector(options);
    expect(make).toThrow(ConfigurationError);
    try {
      make();
    } catch (error) {
      const { issues } = error as ConfigurationError;
      expect(issues.map((issue) => issue.option).sort()).toEqual(['bufferSize', 'intervals[0]', 'symbols']);
      expect(issues.every((issue) => issue.given !== '' && issue.allowed !== '')).toBe(true);
    }
    expect(existsSync(store)).toBe(false);
    expect(exchange.log()).toEqual([]);
  });

  test('opens nothing by itself, and an unstarted collector leaves nothing to stop', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const { collector } = collectFrom(exchange, { store });
    await collector.stop();
    expect(existsSync(store)).toBe(false);
    expect(exchange.log()).toEqual([]);
  });
});

describe('asking for a series that is not collected', () => {
  test('is refused by name also where no text stands in place of a name, or none at all', async () => {
    const { collector } = collectFrom(await startExchange());
    for (const ask of ['getCandleBuffer', 'getFormingCandle'] as const) {
      expect(() => collector[ask](7 as never, '1m')).toThrow(/symbol: 7 is not allowed/u);
      expect(() => collector[ask]('BTCUSDT', undefined as never)).toThrow(
        /interval: nothing is not allowed/u,
      );
      expect(() => collector[ask](undefined as never, '1m')).toThrow(/symbol: nothing is not allowed/u);
    }
    expect(() => collector.getOpenGaps(null as never)).toThrow(/symbol: null is not allowed/u);
    expect(() => collector.candles({ symbol: 7 as never })).toThrow(/symbol: 7 is not allowed/u);
    expect(() => collector.candles({ interval: null as never })).toThrow(/interval: 'null' is not allowed/u);
    expect(collector.getOpenGaps()).toEqual([]);
  });

  test('is refused by name, for buffers, forming bars, gaps and iterators alike', async () => {
    const { collector } = collectFrom(await startExchange());
    expect(() => collector.getCandleBuffer('SOLUSDT', '1m')).toThrow(/symbol: 'SOLUSDT'/u);
    expect(() => collector.getCandleBuffer('BTCUSDT', '5m')).toThrow(/interval: '5m'/u);
    expect(() => collector.getFormingCandle('SOLUSDT', '1m')).toThrow(/symbol: 'SOLUSDT'/u);
    expect(() => collector.getFormingCandle('BTCUSDT', '5m')).toThrow(/interval: '5m'/u);
    expect(() => collector.getOpenGaps('SOLUSDT', '1m')).toThrow(/symbol: 'SOLUSDT'/u);
    expect(() => collector.getOpenGaps('BTCUSDT', '5m')).toThrow(/interval: '5m'/u);
    expect(() => collector.candles({ symbol: 'SOLUSDT' })).toThrow(ConfigurationError);
    expect(() => collector.candles({ interval: '1M' })).toThrow(ConfigurationError);
    expect(() => collector.candles({ since: 0 })).toThrow(/since.*only with the option store/u);
  });

  test('since that is no time is refused', async () => {
    const { collector } = collectFrom(await startExchange(), { store: newStore() });
    expect(() => collector.candles({ since: new Date('no date') })).toThrow(ConfigurationError);
    expect(() => collector.candles({ since: Number.NaN })).toThrow(ConfigurationError);
  });
});
