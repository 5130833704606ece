import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { EXCHANGE_LACKS } from '../../machines/model/gap-reasons.ts';
import { sameValues } from '../../machines/model/kline.ts';
import { type HistoryOptions, loadHistory } from '../../src/history-load.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { readStore } from '../oracle/store-file.ts';
import { folder, newStore, startExchange } from '../support/collector.ts';
import { fastClock } from '../support/fast-clock.ts';
import { until, within } from '../support/wait.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;
/** A week ago. */
const FROM = Math.floor(Date.now() / DAY - 7) * DAY;
/** The archive's file of the n-th day from then on. */
const dayPath = (nth: number, end = ''): string =>
  `/data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-${new Date(FROM + nth * DAY).toISOString().slice(0, 10)}${end}`;

/** An exchange whose time is ours. */
const exchangeNow = (): Promise<SimulatedExchange> => startExchange({ timeScale: 1 });

/** Three days of minutes. */
const wanted = (exchange: SimulatedExchange, more: Partial<HistoryOptions> = {}): HistoryOptions => ({
  symbol: 'BTCUSDT',
  interval: '1m',
  from: FROM,
  to: FROM + 3 * DAY,
  network: { restUrl: exchange.restUrl, visionUrl: exchange.visionUrl },
  origin: 'simulator',
  ...more,
});

const requestsAt = (exchange: SimulatedExchange): string[] => exchange.log().flatMap(({ path = [] }) => path);

/** How many bars of the range are stored as the exchange has them, and which are not. */
function compared(exchange: SimulatedExchange, store: string, from: number, to: number) {
  const stored = new Map(readStore(store).candles.map((candle) => [candle.openTime, candle]));
  const wrong: number[] = [];
  for (let openTime = from; openTime < to; openTime += MINUTE) {
    const truth = exchange.truth.candle('BTCUSDT', '1m', openTime);
    const candle = stored.get(openTime);
    if (truth === undefined || candle === undefined || !sameValues(truth, candle)) wrong.push(openTime);
  }
  return { bars: stored.size, wrong };
}

describe('three days into a store', () => {
  test('are those of the exchange, and a second load asks nobody', { timeout: 30_000 }, async () => {
    const exchange = await exchangeNow();
    const options = wanted(exchange, { store: newStore() });
    const first = await loadHistory(options).done;
    expect(first).toMatchObject({
      outcome: 'finished',
      bars: { planned: 4_320, stored: 4_320, held: 0, bySource: { vision: 4_320, rest: 0 } },
      gaps: [],
      clean: true,
    });
    expect(first.requests).toEqual({
      rest: requestsAt(exchange).filter((path) => path.startsWith('/fapi')).length,
      archive: requestsAt(exchange).filter((path) => path.startsWith('/data')).length,
    });
    expect(compared(exchange, String(options.store), FROM, FROM + 3 * DAY)).toEqual({
      bars: 4_320,
      wrong: [],
    });
    exchange.clearLog();
    const second = await loadHistory(options).done;
    expect(second).toMatchObject({
      outcome: 'finished',
      bars: { planned: 0, stored: 0, held: 4_320 },
      requests: { rest: 0, archive: 0 },
    });
    expect(requestsAt(exchange)).toEqual([]);
  });

  test('lack what was named as a gap today, which each load of them says again', async () => {
    const exchange = await exchangeNow();
    const options = wanted(exchange, { store: newStore(), cacheDir: folder(), to: FROM + DAY });
    expect((await loadHistory(options).done).outcome).toBe('finished');
    const [fromOpenTime, toOpenTime] = [FROM + 60 * MINUTE, FROM + 64 * MINUTE];
    const gap = {
      symbol: 'BTCUSDT',
      interval: '1m',
      fromOpenTime,
      toOpenTime,
      reason: EXCHANGE_LACKS,
    } as const;
    const database = new DatabaseSync(String(options.store));
    database
      .prepare('DELETE FROM candles WHERE open_time BETWEEN ? AND ?')
      .run(gap.fromOpenTime, gap.toOpenTime);
    database
      .prepare('INSERT INTO gaps VALUES (?, ?, ?, ?, ?, ?, NULL)')
      .run(gap.symbol, gap.interval, gap.fromOpenTime, gap.toOpenTime, gap.reason, Date.now());
    database.close();
    expect(await loadHistory(options).done).toMatchObject({
      outcome: 'finished',
      bars: { planned: 0, stored: 0, held: 1_435, named: 5 },
      gaps: [],
      known: [gap],
      requests: { rest: 0, archive: 0 },
    });
  });

  test('that are broken off stay as far as they came, and the next load asks for the rest', {
    timeout: 30_000,
  }, async () => {
    const exchange = await exchangeNow();
    const options = wanted(exchange, { store: newStore(), cacheDir: folder() });
    exchange.inject({ kind: 'rest', path: dayPath(2), hang: 'headers' });
    const load = loadHistory(options);
    await until('two days are there', () => load.progress.barsDone === 2_880);
    const stopped = await within('the stop', load.stop({ timeoutMs: 3_000 }));
    expect(stopped).toMatchObject({ outcome: 'stopped', bars: { stored: 2_880, unwritten: 0 }, gaps: [] });
    expect(stopped.components.filter(({ outcome }) => outcome !== 'closed')).toEqual([]);
    expect(readStore(String(options.store))).toMatchObject({ integrity: 'ok', gaps: [] });
    exchange.clearFaults();
    exchange.clearLog();
    const resumed = await loadHistory(options).done;
    expect(resumed).toMatchObject({
      outcome: 'finished',
      bars: { planned: 1_440, stored: 1_440, held: 2_880 },
    });
    expect(requestsAt(exchange).filter((path) => path.startsWith('/data'))).toEqual([
      dayPath(2, '.zip.CHECKSUM'),
      dayPath(2, '.zip'),
    ]);
    expect(compared(exchange, String(options.store), FROM, FROM + 3 * DAY)).toEqual({
      bars: 4_320,
      wrong: [],
    });
  });

  test('that are stopped again and again, at any moment, are whole in the end', {
    timeout: 60_000,
  }, async () => {
    const exchange = await exchangeNow();
    const options = wanted(exchange, { store: newStore(), cacheDir: folder() });
    const outcomes: string[] = [];
    for (let turns = 0; turns < 400 && outcomes.at(-1) !== 'finished'; turns += 1 + turns) {
      const load = loadHistory(options);
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      const report = await within('the stop', load.stop({ timeoutMs: 5_000 }));
      outcomes.push(report.outcome);
      expect(report.components.filter(({ outcome }) => outcome !== 'closed')).toEqual([]);
      expect(report).toMatchObject({ gaps: [], unreached: [] });
    }
    expect(outcomes).toContain('stopped');
    expect((await loadHistory(options).done).outcome).toBe('finished');
    expect(compared(exchange, String(options.store), FROM, FROM + 3 * DAY)).toEqual({
      bars: 4_320,
      wrong: [],
    });
  });
});

describe('bars that the exchange has not', () => {
  test('are asked for again and named, and the next load asks for none of them', {
    timeout: 30_000,
  }, async () => {
    const exchange = await exchangeNow();
    const hole = { from: FROM + 100 * MINUTE, to: FROM + 102 * MINUTE };
    exchange.inject({ kind: 'absent', symbol: 'BTCUSDT', interval: '1m', ...hole });
    const options = wanted(exchange, {
      store: newStore(),
      source: 'rest',
      to: FROM + DAY,
      clock: fastClock(10),
    });
    const first = await loadHistory(options).done;
    expect(first).toMatchObject({
      outcome: 'finished',
      bars: { planned: 1_440, stored: 1_437 },
    });
    const [gap] = readStore(String(options.store)).gaps;
    expect(gap).toMatchObject({ fromOpenTime: hole.from, filledAt: null });
    expect(first.gaps).toHaveLength(1);
    exchange.clearLog();
    expect(await loadHistory(options).done).toMatchObject({ outcome: 'finished', bars: { planned: 0 } });
    expect(requestsAt(exchange)).toEqual([]);
  });
});

describe('archive files in a folder', () => {
  test('are read without asking anybody, and a day that lacks is a gap', { timeout: 30_000 }, async () => {
    const exchange = await exchangeNow();
    const place = folder();
    for (const day of [0, 2])
      for (const end of ['.zip', '.zip.CHECKSUM']) {
        const path = dayPath(day, end);
        const answer = await fetch(`${exchange.visionUrl}${path}`);
        mkdirSync(dirname(join(place, path)), { recursive: true });
        writeFileSync(join(place, path), Buffer.from(await answer.arrayBuffer()));
      }
    exchange.clearLog();
    const online = wanted(exchange, { store: newStore() });
    const { network: _, ...offline } = { ...online, archiveDir: place };
    const report = await loadHistory(offline).done;
    expect(report).toMatchObject({
      outcome: 'finished',
      bars: { planned: 4_320, stored: 2_880 },
      gaps: [{ fromOpenTime: FROM + DAY, toOpenTime: FROM + 2 * DAY - MINUTE }],
      requests: { rest: 0, archive: 0 },
    });
    expect(requestsAt(exchange)).toEqual([]);
    // Nobody who was asked has said that these bars are not there: who may ask asks for them, and for them alone.
    expect(await loadHistory(online).done).toMatchObject({
      outcome: 'finished',
      bars: { planned: 1_440, stored: 1_440, held: 2_880, bySource: { vision: 1_440 } },
      gaps: [],
    });
    expect(requestsAt(exchange).filter((path) => path.endsWith('.zip'))).toEqual([dayPath(1, '.zip')]);
    expect(compared(exchange, String(online.store), FROM, FROM + 3 * DAY)).toEqual({
      bars: 4_320,
      wrong: [],
    });
    expect(readStore(String(online.store)).gaps).toMatchObject([{ filledAt: expect.any(Number) }]);
  });
});

describe('a store that can not be used', () => {
  test('ends the load before anybody is asked, and nothing is left', async () => {
    const exchange = await exchangeNow();
    const store = join(folder(), 'nowhere', 'candles.db');
    const { outcome, error } = await loadHistory(wanted(exchange, { store })).done;
    expect([outcome, error]).toEqual(['failed', expect.objectContaining({ code: 'STORE_UNUSABLE' })]);
    expect(requestsAt(exchange)).toEqual([]);
  });

  test('because another writes it is said with who that is', { timeout: 30_000 }, async () => {
    const exchange = await exchangeNow();
    const options = wanted(exchange, { store: newStore() });
    await loadHistory({ ...options, to: FROM + DAY }).done;
    exchange.inject({ kind: 'rest', path: dayPath(2), hang: 'headers' });
    await using first = loadHistory(options);
    await until('it loads', () => first.progress.state === 'loading');
    const { outcome, error } = await loadHistory(options).done;
    expect([outcome, error]).toEqual(['failed', expect.objectContaining({ code: 'STORE_LOCKED' })]);
    // Who only plans need not write it.
    const dry = loadHistory({ ...options, dryRun: true });
    expect(await dry.plan()).toMatchObject({ bars: 2_880 });
    expect(await dry.done).toMatchObject({ outcome: 'finished', bars: { held: 1_440 } });
  });

  test('is not made for a symbol that nobody knows', async () => {
    const exchange = await exchangeNow();
    const place = folder();
    const options = wanted(exchange, { store: join(place, 'a.db'), symbol: 'NOSUCHUSDT', source: 'rest' });
    const { outcome, error } = await loadHistory(options).done;
    expect([outcome, error]).toEqual(['failed', expect.objectContaining({ code: 'CONFIGURATION' })]);
    expect(readdirSync(place)).toEqual([]);
  });
});

const program = fileURLToPath(new URL('./load.child.ts', import.meta.url));
const flags = ['--disable-warning=ExperimentalWarning', program];

describe('a process that is killed', () => {
  /** Every file below a folder. */
  const filesIn = (place: string): string[] =>
    readdirSync(place, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(place.length));

  test('leaves a store with which the next one finishes, and no temporary file behind that', {
    timeout: 60_000,
  }, async () => {
    const exchange = await exchangeNow();
    const [undisturbed, cacheDir] = [folder(), folder()];
    await loadHistory(wanted(exchange, { store: newStore(), cacheDir: undisturbed })).done;
    const options = wanted(exchange, { store: newStore(), cacheDir });
    const env = { ...process.env, LOAD: JSON.stringify(options) };
    for (const answers of [1, 3, 5]) {
      exchange.clearLog();
      const child = spawn(process.execPath, flags, { env, stdio: 'ignore' });
      const gone = once(child, 'exit');
      await until('it has been answered', () => exchange.log().length >= answers || child.exitCode !== null);
      child.kill('SIGKILL');
      await gone;
    }
    expect((await loadHistory(options).done).outcome).toBe('finished');
    expect(compared(exchange, String(options.store), FROM, FROM + 3 * DAY)).toEqual({
      bars: 4_320,
      wrong: [],
    });
    expect(filesIn(cacheDir).length).toBe(filesIn(undisturbed).length);
    expect(readStore(String(options.store)).integrity).toBe('ok');
  });
});

describe('a process that has loaded', () => {
  test.each([
    ['finished', undefined],
    ['stopped', 300],
  ])('ends by itself with nothing open: %s', { timeout: 30_000 }, async (outcome, stopAfterMs) => {
    const exchange = await exchangeNow();
    if (outcome === 'stopped') exchange.inject({ kind: 'rest', path: dayPath(2), hang: 'headers' });
    const options = { ...wanted(exchange, { store: newStore(), cacheDir: folder() }), stopAfterMs };
    const env = { ...process.env, LOAD: JSON.stringify(options) };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, flags, { env, timeout: 20_000 });
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ outcome, clean: true });
    expect(told.after).toEqual(told.before);
    expect(stderr).toBe('');
  });
});
