/** Symbols that come and go, are spelled in other scripts, are none, or are too many for one socket. */
import { describe, expect, test } from 'vitest';
import { INTERVALS } from '../../machines/model/interval.ts';
import { viewLines } from '../../src/cli/table.ts';
import { ConfigurationError } from '../../src/errors.ts';
import type { Candle, CollectorOptions } from '../../src/index.ts';
import { BinanceDataCollector } from '../../src/index.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import {
  collectFrom,
  expectTrue,
  expectWhole,
  newStore,
  ofSeries,
  QUICK,
  startExchange,
  storedCandles,
  subscribed,
  type Watched,
} from '../support/collector.ts';
import { until, within } from '../support/wait.ts';

/** Has the exchange list these symbols, each with the status given, from now on. */
function list(exchange: SimulatedExchange, statuses: Readonly<Record<string, string>>): void {
  exchange.clearFaults();
  const symbols = exchange.truth
    .symbols()
    .filter(({ symbol }) => symbol in statuses)
    .map((info) => ({ ...info, status: statuses[info.symbol] }));
  exchange.inject({ kind: 'rest', path: '/fapi/v1/exchangeInfo', body: { symbols } });
}

const QUICK_POLL = { symbolsPollMs: 100 } as const;
/** Each stream on a socket of its own. */
const APART: Partial<CollectorOptions> = { ...QUICK_POLL, streamsPerSocket: 1 };

const says = ({ log }: Watched, code: RegExp): boolean => log.lines.some((line) => code.test(line.message));
const seriesOf = ({ collector }: Watched, symbol: string) =>
  collector.status().series.find((one) => one.symbol === symbol);

async function drain(source: AsyncIterable<Candle>): Promise<Candle[]> {
  const all: Candle[] = [];
  for await (const candle of source) all.push(candle);
  return all;
}

describe('D14', () => {
  test('D14: a symbol that is listed while all are collected joins, and the others notice nothing', async () => {
    const exchange = await startExchange();
    list(exchange, { BTCUSDT: 'TRADING' });
    const store = newStore();
    const watched = collectFrom(exchange, { ...APART, symbols: 'all', store });
    const { collector, candles } = watched;
    const everything = drain(collector.candles());
    await collector.startStreaming();
    await until('a candle', () => candles.length > 0);
    expect(collector.status().series.map(({ symbol }) => symbol)).toEqual(['BTCUSDT']);
    expect(() => collector.getCandleBuffer('ETHUSDT', '1m')).toThrow(/BTCUSDT/u);

    list(exchange, { BTCUSDT: 'TRADING', ETHUSDT: 'TRADING', SOLUSDT: 'PENDING_TRADING' });
    await until('bars of the new one', () => ofSeries(candles, 'ETHUSDT').length > 3);
    expect(says(watched, /symbols trade; their streams start/u)).toBe(true);
    expect(collector.isConnected).toBe(true);
    expect(collector.getCandleBuffer('ETHUSDT', '1m').length).toBeGreaterThan(3);
    expect(() => collector.candles({ symbol: 'SOLUSDT' })).toThrow(ConfigurationError);
    const report = await collector.stop();

    expect(Object.keys(report.buffers).sort()).toEqual(['BTCUSDT@1m', 'ETHUSDT@1m']);
    expectWhole(candles, exchange);
    expectWhole(storedCandles(store), exchange);
    expect(await within('the end of the iterator', everything)).toEqual(candles);
    expect(subscribed(exchange)).toEqual(['btcusdt@kline_1m', 'ethusdt@kline_1m']);
    expect(watched.course()).toBe('connecting streaming stopping stopped');
  });

  test('D14: a symbol asked for before it trades is waited for, and starts when it does', async () => {
    const exchange = await startExchange();
    list(exchange, { BTCUSDT: 'TRADING', ETHUSDT: 'PENDING_TRADING' });
    const watched = collectFrom(exchange, APART);
    await watched.collector.startStreaming();
    await until('a candle', () => watched.candles.length > 2);
    expect(seriesOf(watched, 'ETHUSDT')?.state).toBe('waiting');
    expect(subscribed(exchange)).toEqual(['btcusdt@kline_1m']);
    expect(says(watched, /waited for/u)).toBe(true);

    list(exchange, { BTCUSDT: 'TRADING', ETHUSDT: 'TRADING' });
    await until('its bars', () => ofSeries(watched.candles, 'ETHUSDT').length > 2);
    expectWhole(watched.candles, exchange);
  });

  test('D14: when nothing trades yet it streams all the same, and waits', async () => {
    const exchange = await startExchange();
    list(exchange, { BTCUSDT: 'PENDING_TRADING', ETHUSDT: 'PENDING_TRADING' });
    const watched = collectFrom(exchange, APART);
    await watched.collector.startStreaming();
    expect(watched.collector.isConnected).toBe(true);
    list(exchange, { BTCUSDT: 'TRADING', ETHUSDT: 'TRADING' });
    await until('bars', () => ofSeries(watched.candles, 'ETHUSDT').length > 2);
    expectWhole(watched.candles, exchange, ['ETHUSDT']);
  });

  test('D14: a symbol that is halted is named; its stream stays, and so do the others', async () => {
    const exchange = await startExchange();
    const watched = collectFrom(exchange, QUICK_POLL);
    await watched.collector.startStreaming();
    list(exchange, { BTCUSDT: 'TRADING', ETHUSDT: 'TRADING_HALT' });
    await until('it is said', () => says(watched, /halted/u));
    expect(seriesOf(watched, 'ETHUSDT')).toMatchObject({ isHalted: true });
    expect(seriesOf(watched, 'BTCUSDT')).not.toHaveProperty('isHalted');
    const before = watched.candles.length;
    await until('bars of both', () => watched.candles.length > before + 4);
    list(exchange, { BTCUSDT: 'TRADING', ETHUSDT: 'TRADING' });
    await until('it is over', () => says(watched, /trade again/u));
    expectWhole(watched.candles, exchange);
    expect(subscribed(exchange)).toHaveLength(2);
  });

  test.each([
    ['is settled', { BTCUSDT: 'TRADING', ETHUSDT: 'SETTLING' }],
    ['is listed no more', { BTCUSDT: 'TRADING' }],
  ])('D14: a symbol that %s ends; the others notice nothing', async (_, statuses) => {
    const exchange = await startExchange();
    const watched = collectFrom(exchange, QUICK_POLL);
    await watched.collector.startStreaming();
    await until('candles', () => watched.candles.length > 3);
    list(exchange, statuses);
    await until('it is said', () => says(watched, /have ended/u));
    const bars = ofSeries(watched.candles, 'BTCUSDT').length;
    await until('bars of the other', () => ofSeries(watched.candles, 'BTCUSDT').length > bars + 5);
    expectWhole(watched.candles, exchange);
    expect(watched.gaps).toEqual([]);
    expect(watched.course()).toBe('connecting streaming');
  });

  test('D14: when every symbol has ended it goes on, connected, and says so once', async () => {
    const exchange = await startExchange();
    const watched = collectFrom(exchange, { ...QUICK_POLL, symbols: ['BTCUSDT'] });
    await watched.collector.startStreaming();
    list(exchange, { BTCUSDT: 'CLOSE', ETHUSDT: 'TRADING', SOLUSDT: 'TRADING' });
    const gone = () => watched.log.lines.filter((line) => /nothing is left/u.test(line.message)).length;
    await until('it is said', () => gone() > 0);
    const polls = () => exchange.log().filter((entry) => entry.path?.includes('exchangeInfo')).length;
    const before = polls();
    await until('further polls', () => polls() > before + 3);
    expect(gone()).toBe(1);
    expect(watched.collector.isConnected).toBe(true);
  });

  test('D14: a symbol that had ended before the start is said, and does not keep the others waiting', async () => {
    const exchange = await startExchange();
    list(exchange, { BTCUSDT: 'TRADING', ETHUSDT: 'SETTLING' });
    const watched = collectFrom(exchange, QUICK_POLL);
    await watched.collector.startStreaming();
    expect(says(watched, /the symbol has ended/u)).toBe(true);
    await until('bars of the other', () => ofSeries(watched.candles, 'BTCUSDT').length > 3);
    expectWhole(watched.candles, exchange, ['BTCUSDT']);
  });

  test.each([
    ['that fails as often as it is tried', { status: 503, times: 4 }],
    ['that is no list', { body: { symbols: 'none' } }],
    ['that has lost nearly all symbols', { body: { symbols: [] } }],
  ])('D14: a list %s changes nothing', async (_, answer) => {
    const exchange = await startExchange();
    const watched = collectFrom(exchange, { symbolsPollMs: 400, symbols: 'all' });
    await watched.collector.startStreaming();
    exchange.inject({ kind: 'rest', path: '/fapi/v1/exchangeInfo', times: 1, ...answer });
    await until('it is said', () => says(watched, /list of symbols could not|less than half/u));
    const before = watched.candles.length;
    await until('more candles', () => watched.candles.length > before + 9);
    expect(says(watched, /have ended/u)).toBe(false);
    expectWhole(watched.candles, exchange, ['BTCUSDT', 'ETHUSDT', 'SOLUSDT']);
  });
});

describe('D15', () => {
  const NAME = '币安人生USDT';

  test('D15: a symbol in Chinese characters goes through stream, REST, store and table as it is', async () => {
    const exchange = await startExchange({ symbols: ['BTCUSDT', NAME] });
    const store = newStore();
    const watched = collectFrom(exchange, { symbols: ['btcusdt', '币安人生usdt'], store });
    const { collector, candles } = watched;
    await collector.startStreaming();
    await until('a candle of it', () => ofSeries(candles, NAME).length > 0);
    exchange.inject({ kind: 'closes', mode: 'omit', streams: ['币安人生usdt@kline_1m'], times: 2 });
    await until(
      'bars by REST',
      () => candles.filter((one) => one.symbol === NAME && one.source === 'rest').length > 1,
    );
    const row = seriesOf(watched, NAME);
    const lines = viewLines({
      network: 'custom',
      page: undefined,
      timeScale: 1,
      db: store,
      status: collector.status(),
      forming: new Map(),
      width: 120,
      height: 24,
      paint: (_, text) => text,
    });
    await collector.stop();

    expect(subscribed(exchange)).toContain('币安人生usdt@kline_1m');
    const asked = exchange.log().flatMap(({ path }) => (path?.includes('/klines') ? [path] : []));
    expect(asked.some((path) => path.includes(`symbol=${encodeURIComponent(NAME)}&`))).toBe(true);
    expectWhole(candles, exchange, ['BTCUSDT', NAME]);
    expectWhole(storedCandles(store), exchange, ['BTCUSDT', NAME]);
    expect(row).toMatchObject({ symbol: NAME, interval: '1m' });
    expect(lines.some((line) => line.startsWith(NAME))).toBe(true);
    expect(collector.getCandleBuffer('币安人生usdt', '1m').length).toBeGreaterThan(0);
    expectTrue(collector.getCandleBuffer(NAME, '1m'), exchange);
  });
});

describe('P04', () => {
  test('P04: a symbol that the exchange does not list is refused by name before anything is subscribed', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const { collector } = collectFrom(exchange, { symbols: ['BTCUSDT', 'BTCUSD', 'ÑANDUUSDT'], store });
    const error = await collector.startStreaming().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as ConfigurationError).issues.map(({ option, given }) => [option, given])).toEqual([
      ['symbols[1]', "'BTCUSD'"],
      ['symbols[2]', "'ÑANDUUSDT'"],
    ]);
    expect(collector.state).toBe('stopped');
    expect(exchange.log().filter((entry) => entry.kind !== 'http')).toEqual([]);
  });
});

/** How many names with this in them each socket was asked for, ascending. */
function namesBySocket(exchange: SimulatedExchange, part = ''): number[] {
  const asked = new Map<number, Set<string>>();
  for (const { kind, socket = 0, text = '' } of exchange.log()) {
    if (kind !== 'message') continue;
    const { method, params } = JSON.parse(text) as { method: string; params: string[] };
    const names = asked.get(socket) ?? new Set<string>();
    asked.set(socket, names);
    if (method === 'SUBSCRIBE') for (const name of params) if (name.includes(part)) names.add(name);
  }
  return [...asked.values()].map(({ size }) => size).sort((one, other) => one - other);
}

describe('P05', () => {
  test('P05: streams are spread so that no socket carries more than the limit', async () => {
    const exchange = await startExchange();
    const { collector, candles } = collectFrom(exchange, {
      symbols: 'all',
      intervals: ['1m', '3m', '5m'],
      streamsPerSocket: 4,
    });
    await collector.startStreaming();
    await until('all sockets are up', () => collector.isConnected);
    await until('candles', () => candles.length > 3);
    expect(namesBySocket(exchange)).toEqual([2, 4, 4]);
  });

  test('P05: with the largest limit, the news of listings are not the one name too many', async () => {
    const symbols = Array.from({ length: 70 }, (_, index) => `S${index}USDT`);
    const exchange = await startExchange({ symbols, timeScale: 1 });
    const { collector, problems } = collectFrom(exchange, {
      symbols,
      intervals: INTERVALS,
      streamsPerSocket: 1024,
      // A thousand streams begin at once, beside other tests: late frames are no mute ones.
      timing: {
        ...QUICK,
        ackTimeoutMs: 15_000,
        proofDelayMs: 8_000,
        proofDeadlineMs: 20_000,
        silenceMs: 20_000,
      },
    });
    await collector.startStreaming();
    // On a busy machine one may be dialled again: that is no matter of how many names it carries.
    const carries = (names: number) => (): boolean => namesBySocket(exchange).includes(names);
    await until('the first socket is full', carries(1024));
    await until('the rest is on another', carries(27));
    expect(Math.max(...namesBySocket(exchange))).toBe(1024);
    await until('all sockets are up', () => collector.isConnected);
    expect(Math.max(...namesBySocket(exchange))).toBe(1024);
    expect(problems).toEqual([]);
  });

  test.each([0, 1.5, 1025, Number.NaN])(
    'P05: %d streams on a socket are refused at construction',
    (streamsPerSocket) => {
      const options = { symbols: ['BTCUSDT'], intervals: ['1m'], streamsPerSocket } as const;
      expect(() => new BinanceDataCollector(options)).toThrow(/streamsPerSocket.*from 1 to 1024/u);
    },
  );
});
