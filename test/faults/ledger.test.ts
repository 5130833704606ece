/** Rows of the fault matrix about what was stored before: closes that differ, corrections, bars that turn up later. */
import { describe, expect, test } from 'vitest';
import { nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import type { Candle } from '../../src/index.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { rowOf } from '../actors/exchange.ts';
import { expectKept } from '../oracle/kept.ts';
import { watch as observe } from '../oracle/watch.ts';
import { at, bar, candleOf, frame, rig } from '../pipeline/candles.ts';
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
  type Watched,
} from '../support/collector.ts';
import { fastClock } from '../support/fast-clock.ts';
import { klineText } from '../support/kline-text.ts';
import { until } from '../support/wait.ts';

const BTC = 'BTCUSDT';
const STREAM = 'btcusdt@kline_1m';
const KLINES = '/fapi/v1/klines';
const MINUTE = 60_000;

/** A bar as it might have been. */
const altered = (candle: Candle): Candle => ({
  ...candle,
  volume: candle.volume + 1,
  count: candle.count + 7,
});

/** Time-outs that do not fire, though they pass many times as fast. */
const PATIENT = {
  openTimeoutMs: 400_000,
  ackTimeoutMs: 400_000,
  pongTimeoutMs: 400_000,
  silenceMs: 400_000,
};

interface Running extends Watched {
  readonly exchange: SimulatedExchange;
  readonly store: string;
  /** Sends a frame that closes this bar. */
  close(candle: Candle): void;
  readonly duplicates: () => number;
  /** Stops, and the oracle finds nothing. */
  readonly expectKept: () => Promise<void>;
}

async function collecting(timeScale: number, store = newStore()): Promise<Running> {
  const exchange = await startExchange({ timeScale });
  return run(exchange, store);
}

async function run(exchange: SimulatedExchange, store: string): Promise<Running> {
  const watched = collectFrom(exchange, { store });
  const observed = observe(watched.collector, exchange, { store });
  await watched.collector.startStreaming();
  await until('bars', () => ofSeries(watched.candles, BTC).length >= 2);
  return {
    ...watched,
    exchange,
    store,
    close: (candle) => exchange.inject({ kind: 'malformed', text: klineText(candle), times: 1 }),
    duplicates: () => watched.collector.status().counters.duplicates,
    expectKept: async () => {
      observed.calm();
      expectKept(await observed.finish());
    },
  };
}

/** Has a bar stored with values that the exchange never had, as its stream said them; returns it. */
async function storeFalseBar(one: Running, attempts = 5): Promise<Candle> {
  const { exchange, candles } = one;
  exchange.inject({ kind: 'mute', streams: [STREAM] });
  const last = ofSeries(candles, BTC).at(-1)!;
  // A bar may have closed while the fault was put in force.
  const openTime = Math.max(last.openTime + MINUTE, openTimeAt('1m', exchange.now()));
  await until('the bar before is there', () =>
    candles.some((bar) => bar.symbol === BTC && bar.openTime === openTime - MINUTE),
  );
  await until('the bar has ended', () => exchange.now() > openTime + MINUTE);
  const wrong = { ...altered(exchange.truth.candle(BTC, '1m', openTime)!), source: 'stream' as const };
  one.close(wrong);
  await until('it is delivered', () =>
    candles.some((bar) => bar.symbol === BTC && bar.openTime === openTime),
  );
  exchange.clearFaults();
  const delivered = candles.find((bar) => bar.symbol === BTC && bar.openTime === openTime);
  // On a busy machine REST may have been asked for the bar before only now, and have brought this one too.
  if (delivered?.source === 'rest' && attempts > 1) return storeFalseBar(one, attempts - 1);
  expect(delivered).toEqual(wrong);
  return wrong;
}

const klinesAsked = (exchange: SimulatedExchange, openTime: number): number =>
  exchange.log().filter((entry) => entry.path?.endsWith(`startTime=${openTime}&limit=2`)).length;

describe('a bar that closes twice', () => {
  test('D03 x:true twice, different: REST is asked, and what is stored is corrected and told once', async () => {
    const one = await collecting(120);
    const { exchange, store, candles, revisions, collector } = one;
    const first = ofSeries(candles, BTC)[0]!;
    const second = altered(first);
    const next = exchange.truth.candle(BTC, '1m', first.openTime + MINUTE)!;
    exchange.inject({ kind: 'rest', path: KLINES, body: [rowOf(second), rowOf(next)], times: 1 });
    one.close(second);
    one.close(second);
    await until('the revision', () => revisions.length > 0);
    expect(revisions).toEqual([{ before: first, after: { ...second, source: 'rest' } }]);
    const [stored] = storedCandles(store).filter(
      (bar) => bar.openTime === first.openTime && bar.symbol === BTC,
    );
    expect(stored).toEqual({ ...second, source: 'rest' });
    expect(collector.getCandleBuffer(BTC, '1m')[0]).toEqual(stored);
    const [row, ...others] = query(store, 'SELECT * FROM revisions');
    expect(others).toEqual([]);
    expect(row).toMatchObject({ symbol: BTC, interval: '1m', open_time: first.openTime, source: 'rest' });
    expect(JSON.parse(String(row?.['before']))).toEqual(first);
    expect(JSON.parse(String(row?.['after']))).toEqual(stored);
    expect(Math.abs(Number(row?.['seen_at']) - exchange.now())).toBeLessThan(10 * MINUTE);
    // Said again it is what is held. By the time that the next bar is asked about, this one would have been.
    one.close(second);
    const later = ofSeries(candles, BTC)[1]!;
    one.close(altered(later));
    await until('REST is asked about the next', () => klinesAsked(exchange, later.openTime) === 1);
    expect(klinesAsked(exchange, first.openTime)).toBe(1);
    await collector.stop();
    expect(revisions).toHaveLength(1);
    expect(candles.filter((bar) => bar.symbol === BTC && bar.openTime === first.openTime)).toHaveLength(1);
  });

  test('D03 a second close that REST does not know changes nothing', async () => {
    const one = await collecting(240);
    const { exchange, store, candles, revisions } = one;
    const first = ofSeries(candles, BTC)[0]!;
    one.close(altered(first));
    await until('REST is asked', () => klinesAsked(exchange, first.openTime) === 1);
    await until('later bars', () => ofSeries(candles, BTC).length >= 5);
    await one.expectKept();
    expect(revisions).toEqual([]);
    expect(query(store, 'SELECT * FROM revisions')).toEqual([]);
    expectWhole(storedCandles(store), exchange);
  });
});

describe('a closed bar that REST has otherwise', () => {
  test('D13 is corrected minutes later, with what it was beside it, and is no second candle', async () => {
    const one = await collecting(600);
    const wrong = await storeFalseBar(one);
    const { exchange, store, candles, revisions, gaps } = one;
    await until('the revision', () => revisions.length > 0);
    const after = exchange.truth.candle(BTC, '1m', wrong.openTime)!;
    expect(revisions).toEqual([{ before: wrong, after }]);
    // Everything that closed by then is compared as well, and is as it should be.
    exchange.clearLog();
    const later = exchange.now() + 20 * MINUTE;
    await until('others are compared', () => exchange.now() > later);
    const asked = exchange.log().filter((entry) => entry.path?.startsWith(KLINES)).length;
    await one.expectKept();
    // Of two series, in twenty minutes: many bars to a question, and no flood.
    expect(asked).toBeGreaterThan(1);
    expect(asked).toBeLessThan(9);
    expectWhole(storedCandles(store), exchange);
    expect(revisions).toHaveLength(1);
    const rows = query(store, 'SELECT before, after, source FROM revisions');
    expect(rows).toEqual([{ before: expect.any(String), after: expect.any(String), source: 'rest' }]);
    expect(JSON.parse(String(rows[0]?.['before']))).toEqual(wrong);
    expect(JSON.parse(String(rows[0]?.['after']))).toEqual(after);
    expect(candles.filter((bar) => bar.symbol === BTC && bar.openTime === wrong.openTime)).toEqual([wrong]);
    expectContiguous(ofSeries(candles, BTC));
    expect(gaps).toEqual([]);
  });

  test('D13 is corrected by the next run, when the one that stored it ended too soon', async () => {
    const one = await collecting(240);
    const { exchange, store } = one;
    const wrong = await storeFalseBar(one);
    await one.collector.stop();
    expect(query(store, 'SELECT * FROM revisions')).toEqual([]);
    const next = await run(exchange, store);
    await until('the revision', () => next.revisions.length > 0);
    expect(next.revisions).toEqual([
      { before: wrong, after: exchange.truth.candle(BTC, '1m', wrong.openTime) },
    ]);
    await next.collector.stop();
    expectTrue(storedCandles(store), exchange);
    expect(query(store, 'SELECT * FROM revisions')).toHaveLength(1);
  });
});

describe('a hole', () => {
  test('H01 after an outage is filled by REST, and what came live meanwhile waits and is stored as it came', async () => {
    const exchange = await startExchange({ timeScale: 240 });
    const one = await run(exchange, newStore());
    exchange.inject({ kind: 'refuse', status: 503, forMs: 600 });
    exchange.inject({ kind: 'drop' });
    const began = exchange.now();
    // REST takes so long that bars close by the stream before it has answered.
    exchange.inject({ kind: 'rest', path: KLINES, delayMs: 900, forMs: 2_500 });
    await until('it streams again', () => one.collector.isConnected && exchange.now() > began + 5 * MINUTE);
    const again = nextOpenTime('1m', openTimeAt('1m', exchange.now()));
    await until('later bars', () =>
      ofSeries(one.candles, BTC).some((bar) => bar.openTime > again + 3 * MINUTE),
    );
    await one.expectKept();
    expectWhole(one.candles, exchange);
    expectWhole(storedCandles(one.store), exchange);
    const since = ofSeries(one.candles, BTC).filter((bar) => bar.openTime >= began);
    expect(since.some((bar) => bar.source === 'rest')).toBe(true);
    const live = since.filter((bar) => bar.openTime >= again);
    expect(live.filter((bar) => bar.source !== 'stream')).toEqual([]);
    expect(one.gaps).toEqual([]);
  });

  test('H01 a bar that came live and waits is stored as it came, though REST has it in the same answer', () => {
    const { pipeline, cursor, out } = rig({ exchangeNow: at(4) + 10 });
    pipeline.take(frame(at(0), { closed: false }), 1);
    for (const index of [2, 3]) pipeline.take(frame(at(index)), 1);
    expect(out()).toEqual([]);
    const told = [0, 1, 2, 3].map((index) => bar(at(index), 'rest'));
    pipeline.fill(cursor, told, at(4), at(4) + 10);
    expect(out().map((row) => candleOf(row).source)).toEqual(['rest', 'rest', 'stream', 'stream']);
  });

  test('D09 that the exchange fills later is announced as filled, stored, and is no candle', async () => {
    // Minutes of asking pass in seconds.
    const clock = fastClock(40);
    const exchange = await startExchange({ timeScale: 20, clock });
    const store = newStore();
    const watched = collectFrom(exchange, {
      store,
      clock,
      symbols: [BTC],
      connectTimeoutMs: 'never',
      timing: PATIENT,
    });
    const { collector, candles, gaps } = watched;
    await collector.startStreaming();
    await until('a bar', () => candles.length > 0);
    exchange.inject({ kind: 'closes', mode: 'omit', times: 2 });
    exchange.inject({ kind: 'rest', path: KLINES, body: [] });
    await until('the gap', () => gaps.length > 0);
    exchange.clearFaults();
    const { status, ...gap } = gaps[0]!;
    expect({ ...gap, status }).toMatchObject({ symbol: BTC, interval: '1m', status: 'open' });
    expect(collector.getOpenGaps('btcusdt', '1m')).toContainEqual(expect.objectContaining(gap));
    const open = query(store, 'SELECT * FROM gaps');
    expect(open.length).toBeGreaterThan(0);
    expect(open[0]).toMatchObject({ filled_at: null });
    await until('it is filled', () => gaps.some((gap) => gap.status === 'filled'));
    const length = candles.length;
    await until('later bars', () => candles.length > length + 2);
    await collector.stop();
    const named = gaps.filter((gap) => gap.status === 'open');
    // In which order they are asked for again is not promised.
    const filled = gaps
      .filter((gap) => gap.status === 'filled')
      .sort((one, other) => one.fromOpenTime - other.fromOpenTime);
    expect(filled).toEqual(named.map((gap) => ({ ...gap, status: 'filled' })));
    expect(collector.vitals().gaps).toEqual({ named: named.length, filled: filled.length, open: 0 });
    expect(collector.getOpenGaps()).toEqual([]);
    const rows = storedCandles(store);
    expectContiguous(rows);
    expectTrue(rows, exchange);
    for (const gap of named)
      expect(candles.some((bar) => bar.openTime >= gap.fromOpenTime && bar.openTime <= gap.toOpenTime)).toBe(
        false,
      );
    expect(query(store, 'SELECT * FROM gaps WHERE filled_at IS NULL')).toEqual([]);
    const [row] = query(store, 'SELECT detected_at, filled_at FROM gaps');
    expect(Number(row?.['filled_at'])).toBeGreaterThan(Number(row?.['detected_at']));
  });
});
