/** Faults of the data that streams bring, over a simulated exchange. */
import { describe, expect, test } from 'vitest';
import { previousOpenTime } from '../../machines/model/interval.ts';
import { type Candle, INTERVALS } from '../../src/index.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { collectFrom, expectContiguous, expectTrue, ofSeries, startExchange } from '../support/collector.ts';
import { klineText } from '../support/kline-text.ts';
import { timed, until } from '../support/wait.ts';
import { expectWholeAfter, SYMBOLS, streaming } from './collected.ts';
import { exchangeReaches, openMinute, sendText, truthOf } from './frames.ts';

/** A bar each 250 ms: its close is owed two bars later, and REST is asked for it. */
const startBusy = (): Promise<SimulatedExchange> => startExchange({ timeScale: 240 });

describe('D01 a close that never comes', () => {
  test('D01 the forming values are never promoted: REST brings the closed ones', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    exchange.inject({ kind: 'closes', mode: 'omit', times: 6 });
    await until('bars by REST', () => watched.candles.filter((one) => one.source === 'rest').length >= 6);
    await expectWholeAfter(exchange, watched);
  });
});

describe('D02 a close that comes twice', () => {
  test('D02 is delivered and stored once, silently, and counted', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    exchange.inject({ kind: 'closes', mode: 'duplicate', times: 6 });
    await until('duplicates', () => watched.collector.status().counters.duplicates >= 6);
    await expectWholeAfter(exchange, watched);
    expect(watched.log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });
});

describe('D04 a close that comes before the one before it', () => {
  test('D04 waits until the other has come: nothing is out of order', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    const streams = ['btcusdt@kline_1m'];
    exchange.inject({ kind: 'closes', mode: 'delay', delayMs: 70_000, streams, times: 1 });
    const since = exchange.now();
    await exchangeReaches(exchange, since + 300_000);
    await expectWholeAfter(exchange, watched);
  });
});

describe('D05 old bars that are replayed', () => {
  test('D05 after a reconnect are late duplicates, forming or closed, and change nothing', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    const first = ofSeries(watched.candles, 'BTCUSDT')[0]!.openTime;
    exchange.inject({ kind: 'drop' });
    await until('it noticed', () => watched.collector.state === 'connecting');
    await until('it streams again', () => watched.collector.isConnected);
    const before = { ...watched.collector.status().counters };
    for (const openTime of [first - 120_000, first - 60_000, first]) {
      sendText(exchange, klineText(truthOf(exchange, 'BTCUSDT', openTime), { closed: false }));
      sendText(exchange, klineText(truthOf(exchange, 'BTCUSDT', openTime)));
    }
    await until('they came', () => watched.collector.status().counters.late >= before.late + 3);
    expect(watched.collector.status().counters.duplicates).toBeGreaterThanOrEqual(before.duplicates + 3);
    await expectWholeAfter(exchange, watched);
  });
});

type Change = (truth: Candle) => Record<string, unknown>;

/** Sends a bar that has ended, changed in each of these ways, while its true close stays out. */
async function sendInsane(kinds: readonly (readonly [string, Change])[]): Promise<void> {
  const exchange = await startBusy();
  const watched = await streaming(exchange);
  const streams = ['btcusdt@kline_1m'];
  exchange.inject({ kind: 'closes', mode: 'omit', streams, times: 2 });
  const openTime = openMinute(exchange);
  await exchangeReaches(exchange, openTime + 60_500);
  const truth = truthOf(exchange, 'BTCUSDT', openTime);
  for (const [, change] of kinds) sendText(exchange, klineText(truth, { k: change(truth) }));
  await until('they were counted', () => watched.collector.status().counters.insane >= kinds.length);
  await expectWholeAfter(exchange, watched);
  const stored = ofSeries(watched.candles, 'BTCUSDT').find((one) => one.openTime === openTime);
  expect(stored?.source).toBe('rest');
  // Said once in ten seconds, with how many more there were: the first one is named.
  const said = watched.log.lines.filter(({ message }) => /cannot be what it claims/u.test(message));
  expect(said).toMatchObject([{ level: 'warn', fields: { series: 'BTCUSDT@1m', reason: kinds[0]?.[0] } }]);
}

describe('D06 closed bars that are not where they claim', () => {
  test('D06 of the future, between two minutes, with a wrong end: named, never stored, and the bar comes by REST', () =>
    sendInsane([
      ['opens in the future', ({ openTime: t, closeTime: T }) => ({ t: t + 60_000_000, T: T + 60_000_000 })],
      ['misaligned open time', ({ openTime: t, closeTime: T }) => ({ t: t + 7, T: T + 7 })],
      ['wrong close time', ({ closeTime: T }) => ({ T: T + 1 })],
    ]));
});

describe('D07 closed bars whose values cannot be', () => {
  test('D07 a low above the high, an open outside, a negative volume: never stored without the word of REST', () =>
    sendInsane([
      ['low above high', () => ({ l: '99999999' })],
      ['open outside low and high', () => ({ o: '99999999' })],
      ['negative volume or count', () => ({ v: '-1' })],
    ]));

  test('D07 an odd bar that REST has as well is stored as the exchange has it, and flagged', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    const openTime = openMinute(exchange);
    const truth = truthOf(exchange, 'BTCUSDT', openTime);
    const { open, close, volume, closeTime, quoteVolume, count, takerBuyVolume, takerBuyQuoteVolume } = truth;
    const values = [open, 1, 2, close, volume, closeTime, quoteVolume, count, takerBuyVolume];
    const row = [...values, takerBuyQuoteVolume].map((value) =>
      Number.isSafeInteger(value) && (value === closeTime || value === count) ? value : String(value),
    );
    exchange.inject({ kind: 'closes', mode: 'omit', times: 2 });
    await exchangeReaches(exchange, openTime + 61_000);
    exchange.inject({ kind: 'rest', path: '/fapi/v1/klines', body: [[openTime, ...row, '0']], times: 4 });
    await until('the odd bar of both', () => watched.candles.filter((one) => one.high === 1).length === 2);
    exchange.clearFaults();
    const flagged = watched.log.lines.filter(({ message }) => /REST itself has an odd bar/u.test(message));
    expect(flagged).toMatchObject([{ level: 'warn', fields: { openTime } }]);
  });
});

describe('D11 bars whose length the calendar knows', () => {
  test.each([
    ['the end of a year', Date.UTC(2026, 0, 1)],
    ['a leap day', Date.UTC(2024, 2, 1)],
  ])('D11 over %s every interval closes at its own time', async (_, midnight) => {
    const exchange = await startExchange({ timeScale: 600, startTime: midnight - 240_000 });
    const { collector, candles, gaps } = collectFrom(exchange, { intervals: [...INTERVALS] });
    await collector.startStreaming();
    await exchangeReaches(exchange, midnight);
    const closing = INTERVALS.filter((interval) => !['3d', '1w'].includes(interval));
    await until('all that ends then', () =>
      SYMBOLS.every((symbol) =>
        closing.every((interval) =>
          candles.some(
            (one) => one.symbol === symbol && one.interval === interval && one.closeTime === midnight - 1,
          ),
        ),
      ),
    );
    await collector.stop();
    for (const symbol of SYMBOLS)
      for (const interval of INTERVALS) expectContiguous(ofSeries(candles, symbol, interval));
    expectTrue(candles, exchange);
    const month = ofSeries(candles, 'BTCUSDT', '1M')[0]!;
    expect(month.openTime).toBe(previousOpenTime('1M', midnight));
    expect(gaps).toEqual([]);
  });
});

describe('D16 everything closes at midnight', () => {
  test('D16 within a second or two of wall time all of it is delivered, each once, though no close comes', async () => {
    const midnight = Date.UTC(2026, 0, 5);
    const symbols = Array.from({ length: 20 }, (_, index) => `S${index}USDT`);
    const exchange = await startExchange({ timeScale: 60, startTime: midnight - 90_000, symbols });
    const { collector, candles, gaps } = collectFrom(exchange, { symbols, intervals: [...INTERVALS] });
    await collector.startStreaming();
    await until('every series started', () =>
      collector.status().series.every(({ state }) => state === 'live'),
    );
    await exchangeReaches(exchange, midnight - 20_000);
    exchange.inject({ kind: 'closes', mode: 'omit' });
    await exchangeReaches(exchange, midnight);
    // Monday 2026-01-05: all but the month, and the bars of three days, end then.
    const ending = INTERVALS.filter((interval) => !['3d', '1M'].includes(interval));
    const done = (): boolean =>
      candles.filter((one) => one.closeTime === midnight - 1).length === 20 * ending.length;
    const { took } = await timed(until('all that ends then', done, 15_000));
    expect(took).toBeLessThan(4_000);
    await collector.stop();
    for (const symbol of symbols)
      for (const interval of INTERVALS) expectContiguous(ofSeries(candles, symbol, interval));
    expectTrue(candles, exchange);
    expect(gaps).toEqual([]);
  });
});
