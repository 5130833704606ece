/** A long history comes from the archive where it has whole days, however that fares. */

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DAY_MS, openTimeAt } from '../../machines/model/interval.ts';
import type { Candle, CollectorOptions } from '../../src/index.ts';
import type { Fault } from '../../src/simulator/fault-shapes.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { emptyFolder, start } from '../cli/child.ts';
import { evidenceOf } from '../oracle/afterwards.ts';
import { describeViolations, judge } from '../oracle/judge.ts';
import { expectKept } from '../oracle/kept.ts';
import { watch } from '../oracle/watch.ts';
import {
  collectFrom,
  expectContiguous,
  expectTrue,
  folder,
  newStore,
  ofSeries,
  query,
  startExchange,
  storedCandles,
} from '../support/collector.ts';
import { filesBelow, temporaryIn } from '../support/temporary.ts';
import { until, within } from '../support/wait.ts';

const SCALE = 240;
const BTC = { symbol: 'BTCUSDT', interval: '1m' } as const;
/** Noon, so that as many days are published whenever this runs. */
const NOON = Date.UTC(2026, 4, 20, 12);

const archived = (exchange: SimulatedExchange): Partial<CollectorOptions> => ({
  network: { wsUrl: exchange.wsUrl, restUrl: exchange.restUrl, visionUrl: exchange.visionUrl },
});

/** Paths of requests that begin so. */
const requests = (exchange: SimulatedExchange, path: string): string[] =>
  exchange
    .log()
    .filter((entry) => entry.kind === 'http' && entry.path?.startsWith(path))
    .map((entry) => entry.path ?? '');

const bySource = (candles: readonly Candle[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { source } of candles) counts[source] = (counts[source] ?? 0) + 1;
  return counts;
};

const ownTemporary = (): string => temporaryIn(folder());

/** Backfills six days of one symbol to the end, stops, and judges everything. */
async function backfill(
  exchange: SimulatedExchange,
  options: Partial<CollectorOptions> = {},
  backfillMs = 6 * DAY_MS,
) {
  const { store = newStore() } = options;
  const watched = collectFrom(exchange, {
    ...archived(exchange),
    symbols: ['BTCUSDT'],
    backfillMs,
    ...options,
    store,
  });
  const { collector, candles } = watched;
  const observed = watch(collector, exchange, { store, backfillMs });
  await collector.startStreaming();
  await until('all of the history', () => candles.some(({ source }) => source === 'stream'), 20_000);
  observed.calm();
  const evidence = await observed.finish();
  expectKept(evidence, backfillMs / 60_000);
  expect(evidence.report.clean).toBe(true);
  const stored = ofSeries(storedCandles(store), 'BTCUSDT');
  expectContiguous(stored);
  expectTrue(stored, exchange);
  return { ...watched, stored };
}

test('six days: those that are published come from the archive, a file each, and REST has the rest', async () => {
  const store = newStore();
  const temporary = ownTemporary();
  const exchange = await startExchange({ timeScale: SCALE, startTime: NOON });
  const { stored, candles, log } = await backfill(exchange, { store });
  const published = { from: openTimeAt('1d', NOON) - 5 * DAY_MS, to: openTimeAt('1d', NOON) - DAY_MS };
  expect(stored.filter(({ source }) => source === 'vision').map(({ openTime }) => openTime)).toEqual(
    Array.from({ length: 4 * 1_440 }, (_, index) => published.from + index * 60_000),
  );
  expect(candles.map(({ openTime }) => openTime)).toEqual(stored.map(({ openTime }) => openTime));
  const files = requests(exchange, '/data/').filter((path) => path.endsWith('.zip'));
  expect(files).toHaveLength(4);
  expect(new Set(files).size).toBe(4);
  const pages = requests(exchange, '/fapi/v1/klines').filter((path) => path.includes('startTime'));
  expect(pages.length).toBeLessThan(12);
  expect(filesBelow(temporary)).toEqual([]);
  expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
});

test('a collector that was down for days fetches them from the archive', async () => {
  const symbols = ['BTCUSDT'];
  const store = newStore();
  const one = await startExchange({ timeScale: SCALE, startTime: NOON, symbols });
  const before = collectFrom(one, { ...archived(one), symbols, store });
  await before.collector.startStreaming();
  await until('a bar', () => before.candles.length > 2);
  await before.collector.stop();
  const two = await startExchange({ timeScale: SCALE, startTime: NOON + 5 * DAY_MS, symbols });
  const after = collectFrom(two, { ...archived(two), symbols, store });
  await after.collector.startStreaming();
  await until('live again', () => after.candles.some(({ source }) => source === 'stream'), 20_000);
  await after.collector.stop();
  const stored = storedCandles(store);
  expectContiguous(stored);
  expectTrue(stored, two);
  expect(bySource(after.candles)['vision']).toBe(3 * 1_440);
});

describe('H09 an archive in trouble', () => {
  const html = '<html>Service temporarily unavailable</html>';
  const file = (day: string): string => `/data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-${day}.zip`;
  const wrong = (day: string): string => `${'0'.repeat(64)}  BTCUSDT-1m-${day}.zip\n`;

  test('that has no file of a day, a wrong checksum and a page of HTML for others: these days come from REST, which is said', async () => {
    const exchange = await startExchange({ timeScale: SCALE, startTime: NOON });
    const [none, forged, page] = ['2026-05-16', '2026-05-17', '2026-05-18'] as const;
    const faults: Fault[] = [
      { kind: 'rest', path: file(none), status: 404 },
      { kind: 'rest', path: `${file(forged)}.CHECKSUM`, body: wrong(forged), contentType: 'text/plain' },
      { kind: 'rest', path: file(page), status: 200, body: html, contentType: 'text/html' },
    ];
    for (const fault of faults) exchange.inject(fault);
    const { stored, log } = await backfill(exchange);
    for (const day of [none, forged, page]) {
      const from = Date.parse(day);
      const ofDay = stored.filter(({ openTime }) => openTime >= from && openTime < from + DAY_MS);
      expect(bySource(ofDay)).toEqual({ rest: 1_440 });
      // A file that may just be being published is asked for once more, and that is all.
      const asked = requests(exchange, file(day)).filter((path) => path.endsWith('.zip'));
      expect(asked.length).toBeLessThanOrEqual(2);
    }
    expect(bySource(stored)['vision']).toBe(1_440);
    // Of each kind the first is said at once.
    const series = 'BTCUSDT@1m';
    expect(log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: 'archive: missing file', fields: { series, day: none } },
      { message: 'archive: refused file', fields: { series, day: forged } },
    ]);
  });

  test('that can not be reached at all: everything comes from REST', async () => {
    const exchange = await startExchange({ timeScale: SCALE, startTime: NOON });
    const { wsUrl, restUrl } = exchange;
    const network = { wsUrl, restUrl, visionUrl: 'http://127.0.0.1:9' };
    const { stored, log } = await backfill(exchange, { network }, 3 * DAY_MS);
    expect(bySource(stored)['vision']).toBeUndefined();
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'archive: unreachable' }),
    );
  });

  test('that refuses everybody: everything comes from REST', async () => {
    const exchange = await startExchange({ timeScale: SCALE, startTime: NOON });
    exchange.inject({ kind: 'rest', path: '/data/', status: 403 });
    const { stored } = await backfill(exchange, {}, 3 * DAY_MS);
    expect(bySource(stored)['vision']).toBeUndefined();
  });

  test('that never ends its answers holds up no stop', async () => {
    const temporary = ownTemporary();
    const exchange = await startExchange({ timeScale: SCALE, startTime: NOON });
    exchange.inject({ kind: 'rest', path: '/data/', hang: 'body' });
    const { collector } = collectFrom(exchange, {
      ...archived(exchange),
      symbols: ['BTCUSDT'],
      backfillMs: 10 * DAY_MS,
    });
    await collector.startStreaming();
    await until('it asks the archive', () => requests(exchange, '/data/').length > 0);
    const report = await within('the stop', collector.stop({ timeoutMs: 2_000 }), 2_500);
    expect(report.clean).toBe(true);
    expect(filesBelow(temporary)).toEqual([]);
  });
});

test('H12 killed in the middle of days from the archive: the next run goes on, and sweeps up', async () => {
  const exchange = await startExchange({ timeScale: SCALE, startTime: NOON });
  // Each file takes a little, as in life.
  exchange.inject({ kind: 'rest', path: '/data/', delayMs: 60 });
  const cwd = emptyFolder();
  const temporary = emptyFolder();
  const store = join(cwd, 'candles.db');
  const args = ['collect', '--symbols', 'BTCUSDT', '--intervals', '1m', '--no-http', '--db', store];
  const { wsUrl, restUrl, visionUrl } = exchange;
  const network = ['--ws-url', wsUrl, '--rest-url', restUrl, '--vision-url', visionUrl];
  const run = () =>
    start([...args, ...network, '--time-scale', String(SCALE), '--backfill', '8d'], {
      cwd,
      env: { TMPDIR: temporary },
    });
  const count = (): number => {
    try {
      return Number(query(store, 'SELECT count(*) AS n FROM candles')[0]?.['n']);
    } catch {
      return 0;
    }
  };
  const one = run();
  await until('a part of the history', () => count() > 3_000);
  one.process.kill('SIGKILL');
  await one.ended();
  const before = storedCandles(store);
  expect(before.length).toBeLessThan(8 * 1_440);
  expect(bySource(before)['vision']).toBeGreaterThan(0);
  exchange.clearFaults();
  exchange.clearLog();
  const startedAt = exchange.now();
  const two = run();
  await until('all of the history', () => count() >= 8 * 1_440, 20_000);
  const caughtUpAt = exchange.now();
  await until('a few live bars', () => exchange.now() > caughtUpAt + 5 * 60_000);
  const endedAt = exchange.now();
  two.process.kill('SIGINT');
  expect((await within('its end', two.ended())).code).toBe(130);
  // What was there holds, row by row.
  const after = storedCandles(store);
  expect(after.slice(0, before.length)).toEqual(before);
  const days = requests(exchange, '/data/').filter((path) => path.endsWith('.zip'));
  expect(days.length).toBeLessThan(8 - before.length / 1_440 + 1);
  expect(filesBelow(temporary)).toEqual([]);
  const backfillFrom = startedAt - 7 * DAY_MS;
  const found = { store, series: [BTC], truth: exchange.truth, timeScale: SCALE, backfillFrom };
  const evidence = evidenceOf({ ...found, endedAt, readAt: exchange.now(), faultsOverAt: caughtUpAt });
  expect(describeViolations(judge(evidence))).toBe('');
});

test('H15 weeks from the archive are stored while others are live: their bars are not late', async () => {
  const exchange = await startExchange({ timeScale: SCALE, startTime: NOON });
  // One store, one queue: what is live stands in it with all that is past.
  const { collector, candles, log } = collectFrom(exchange, {
    ...archived(exchange),
    store: newStore(),
    backfillMs: 12 * DAY_MS,
  });
  let most = 0;
  const live = new Set<string>();
  collector.on('candle', ({ symbol, source, openTime }) => {
    if (source === 'stream') live.add(symbol);
    // Once in a batch or so: to look costs more than to store a bar.
    if (openTime % (50 * 60_000) === 0) most = Math.max(most, collector.status().rowsWaiting);
  });
  await collector.startStreaming();
  await until('all series are live', () => live.size === 2, 18_000);
  expect(candles.filter(({ source }) => source === 'vision').length).toBe(2 * 10 * 1_440);
  // A live row never stands behind more than a few batches.
  expect(most).toBeLessThanOrEqual(800);
  expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  await collector.stop();
});
