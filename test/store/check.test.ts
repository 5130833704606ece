/** The last look at a store: what is wrong is found, nothing is touched, and it ends in time. */
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Series } from '../../machines/model/kline.ts';
import type { Row } from '../../machines/model/row.ts';
import { checkFile, type StoreCheck } from '../../src/store/check.file.ts';
import { markStore, type StoreMark } from '../../src/store/check.mark.ts';
import { verifyStore } from '../../src/store/check.ts';
import { StoreDatabase } from '../../src/store/database.ts';
import { at, BTC, bar, ETH } from '../pipeline/candles.ts';
import { TOLERANCE_MS, timed, until, within } from '../support/wait.ts';
import { batchOf, blockAt, type Numbers, numbersOf, spanAt, withStore } from './histories.ts';
import { execute, filesOf, query, rows, useFolder } from './stores.ts';

const { here, writer } = useFolder();
const TIME = { timeoutMs: 8_000 };

/** A run that writes these rows and ends. */
function run(...batches: Row[][]): void {
  const holder = { pid: process.pid, host: 'here', since: 0 };
  const { database } = StoreDatabase.open({ path: here.path, origin: 'simulator', holder });
  for (const batch of batches) database.commit(batch, at(0));
  database.close(at(0));
}

/** Overwrites parts of some pages. */
function damage(): void {
  const file = openSync(here.path, 'r+');
  for (const page of [9, 10, 11, 12]) writeSync(file, Buffer.alloc(512, 0xa5), 0, 512, page * 4096);
  closeSync(file);
}

/** What is found in the file, looked at in this process. */
function look(before?: StoreMark): StoreCheck[] {
  const checks: StoreCheck[] = [];
  checkFile({ path: here.path, before, integrity: true }, (check) => checks.push(check));
  return checks;
}

const byName = (checks: readonly StoreCheck[]): Record<string, string> =>
  Object.fromEntries(checks.map(({ name, outcome }) => [name, outcome]));
const outcomes = async (looking: ReturnType<typeof verifyStore>): Promise<Record<string, string>> =>
  byName(await looking);
const WHOLE = { series: 'ok', integrity: 'ok' };
const ALL_OK = { files: 'ok', ...WHOLE };

const gap = (from: number, to: number): Row => ({
  gap: { ...BTC, fromOpenTime: at(from), toOpenTime: at(to), reason: 'none', detectedAt: 1 },
});

/** Processes that this one has started and that still run. */
const childrenOfThisProcess = (): string[] =>
  readdirSync('/proc/self/task').flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  );

describe('a store that a run has left', () => {
  test('whole: everything is ok, it says how much was looked at, and not a byte has changed', async () => {
    const before = markStore(here.path);
    run(rows(0, 250), [gap(250, 252)], rows(253, 300));
    const files = filesOf(here.folder);
    const checks = await verifyStore(here.path, { ...TIME, before });
    expect(checks).toEqual([
      { name: 'files', outcome: 'ok' },
      { name: 'series', outcome: 'ok', detail: '300 bars of this run in 1 series' },
      { name: 'integrity', outcome: 'ok' },
    ]);
    expect(filesOf(here.folder)).toEqual(files);
  });

  test('with a gap that was filled in part is whole', () => {
    const before = markStore(here.path);
    const late = [bar(at(11), 'rest'), bar(at(13), 'rest')];
    run(rows(0, 10), [gap(10, 14)], rows(15, 20));
    run([{ fill: { ...BTC, reason: 'none', candles: late, filledAt: 1 } }], rows(20, 30));
    expect(byName(look(before))).toEqual(WHOLE);
  });

  test('without a single row is whole', () => {
    const before = markStore(here.path);
    run();
    expect(byName(look(before))).toEqual(WHOLE);
  });

  test('of a run that wrote nothing into an old store is whole', () => {
    run(rows(0, 10));
    const before = markStore(here.path);
    run();
    expect(byName(look(before))).toEqual(WHOLE);
  });

  test('with a damaged page fails, and is left as it is', () => {
    run(rows(0, 2_000));
    damage();
    const files = filesOf(here.folder);
    const checks = look();
    const integrity = checks.find(({ name }) => name === 'integrity');
    expect(integrity).toMatchObject({ outcome: 'failed', detail: expect.stringMatching(/\w/) });
    expect(filesOf(here.folder)).toEqual(files);
  });

  test.each([
    ['a bar in the middle', `open_time = ${at(15)}`, '1 of 20 bars are neither stored nor named'],
    ['two bars', `open_time IN (${at(12)}, ${at(14)})`, '2 of 20 bars are neither stored nor named'],
    ['the last bar', `open_time = ${at(29)}`, '1 of 20 bars are neither stored nor named'],
  ])('lacking %s that the run wrote fails', (_, where, detail) => {
    run(rows(0, 10));
    const before = markStore(here.path);
    run(rows(10, 30));
    execute(here.path, `DELETE FROM candles WHERE ${where}`);
    const checks = look(before);
    expect(checks.find(({ name }) => name === 'series')).toMatchObject({
      outcome: 'failed',
      detail: `BTCUSDT@1m: ${detail}`,
    });
    expect(checks.find(({ name }) => name === 'integrity')?.outcome).toBe('ok');
  });

  test('lacking a bar of a series that is new in it fails', () => {
    const before = markStore(here.path);
    run(rows(0, 10));
    execute(here.path, `DELETE FROM candles WHERE open_time = ${at(5)}`);
    expect(byName(look(before))).toMatchObject({ series: 'failed' });
  });

  test('lacking a bar of a run long ago is not the fault of this one', () => {
    run(rows(0, 10));
    execute(here.path, `DELETE FROM candles WHERE open_time = ${at(5)}`);
    const before = markStore(here.path);
    run(rows(10, 30));
    expect(byName(look(before))).toEqual(WHOLE);
  });

  test('whose bar lies in a gap that is still open does not hide that another is lacking', () => {
    const before = markStore(here.path);
    run(rows(0, 10), [gap(10, 11)], rows(12, 20));
    run([{ candle: bar(at(10)) }]);
    expect(byName(look(before))).toEqual(WHOLE);
    execute(here.path, `DELETE FROM candles WHERE open_time = ${at(15)}`);
    expect(byName(look(before))).toMatchObject({ series: 'failed' });
  });

  test('of which it is not known how it stood before is asked only for its last bars', () => {
    run(rows(0, 10));
    execute(here.path, `DELETE FROM candles WHERE open_time = ${at(5)}`);
    expect(byName(look())).toEqual(WHOLE);
    execute(here.path, `DELETE FROM candles WHERE open_time = ${at(9)}`);
    const [series] = look();
    expect(series).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('its last bar') });
  });

  test('that goes back for history and ended in the middle of it is whole', () => {
    run(rows(100, 10));
    const before = markStore(here.path);
    run([{ rewind: { ...BTC, openTime: at(-1) } }, ...rows(0, 5)]);
    expect(query(here.path, 'SELECT open_time FROM watermarks')).toEqual([{ open_time: at(4) }]);
    expect(look(before)[0]).toMatchObject({ outcome: 'ok' });
  });

  test('into which history was loaded is whole, holes between its parts and before it included', () => {
    run(rows(100, 110));
    const before = markStore(here.path);
    withStore(here.path, (store) => {
      const of = (series: Series, ...had: Numbers[]): void => {
        for (const [from, to] of had) {
          const blocks = [blockAt(numbersOf([from, to]), 'vision', series)];
          store.load({ series, blocks, gaps: [], collected: [spanAt([from, to])] }, at(900));
        }
      };
      of(BTC, [0, 10], [20, 30], [300, 400], [110, 120]);
      of(ETH, [500, 600], [0, 10], [700, 710]);
    });
    expect(byName(look(before))).toEqual(WHOLE);
    execute(here.path, `DELETE FROM candles WHERE symbol = 'ETHUSDT' AND open_time = ${at(550)}`);
    expect(look(before)[0]?.detail).toBe('ETHUSDT@1m: 1 of 100 bars are neither stored nor named');
  });

  test('of a series with history from long before that is collected since is held to what was collected', () => {
    const before = markStore(here.path);
    withStore(here.path, (store) => {
      store.load(batchOf([[0, 10]]), at(900));
      for (const row of rows(500, 520)) store.commit([row], at(900));
    });
    expect(byName(look(before))).toEqual(WHOLE);
    execute(here.path, `DELETE FROM candles WHERE open_time = ${at(510)}`);
    expect(look(before)[0]?.detail).toBe('BTCUSDT@1m: 1 of 20 bars are neither stored nor named');
  });

  test('in which a collector left a bar out fails, also where the series is new', () => {
    const before = markStore(here.path);
    withStore(here.path, (store) => {
      for (const row of [...rows(500, 510), ...rows(511, 520)]) store.commit([row], at(900));
    });
    expect(look(before)[0]?.detail).toBe('BTCUSDT@1m: 1 of 20 bars are neither stored nor named');
  });

  test('S18 replaced by an older copy fails: series went back, or are gone; a few are named', () => {
    const other = (index: number): Row => ({
      candle: bar(at(index), 'stream', { symbol: `S${index}USDT`, interval: '1m' }),
    });
    run(rows(0, 10), [{ candle: bar(at(0), 'stream', ETH) }], [1, 2, 3].map(other));
    const before = markStore(here.path);
    execute(
      here.path,
      `UPDATE watermarks SET open_time = ${at(8)} WHERE symbol = 'BTCUSDT'; DELETE FROM watermarks WHERE symbol <> 'BTCUSDT';
      DELETE FROM candles WHERE open_time > ${at(8)}`,
    );
    const [series] = look(before);
    expect(series?.outcome).toBe('failed');
    expect(series?.detail).toMatch(
      /^BTCUSDT@1m went back .*ETHUSDT@1m is not there any more; .*; and 2 more$/,
    );
  });
});

describe('a store that is not there', () => {
  test('was never made: nothing to look at, nothing is made', async () => {
    const before = markStore(here.path);
    expect(await outcomes(verifyStore(here.path, { ...TIME, before }))).toEqual({
      files: 'ok',
      series: 'skipped',
      integrity: 'skipped',
    });
    expect(readdirSync(here.folder)).toEqual([]);
  });

  test.each([
    ['made by this run', false],
    ['there before', true],
  ])('%s and removed fails', async (_, early) => {
    if (early) run(rows(0, 3));
    const before = markStore(here.path);
    run(rows(3, 6));
    rmSync(here.path);
    const checks = await verifyStore(here.path, { ...TIME, before });
    for (const check of checks.slice(1))
      expect(check).toMatchObject({ outcome: 'failed', detail: `${here.path} is gone` });
    expect(readdirSync(here.folder)).toEqual(['store.db.lock']);
  });

  test('whose place a file of another program has taken fails, and that file is untouched', async () => {
    run(rows(0, 3));
    const before = markStore(here.path);
    rmSync(here.path);
    writeFileSync(here.path, 'a letter to a friend '.repeat(100));
    const files = filesOf(here.folder);
    const checks = await outcomes(verifyStore(here.path, { ...TIME, before }));
    expect(checks).toEqual({ files: 'ok', series: 'failed', integrity: 'failed' });
    expect(filesOf(here.folder)).toEqual(files);
  });
});

describe('other programs', () => {
  test('one that has a transaction open is no failure and is not disturbed', async () => {
    run(rows(0, 10));
    const other = new DatabaseSync(here.path);
    other.exec('BEGIN IMMEDIATE; DELETE FROM candles');
    expect(await outcomes(verifyStore(here.path, TIME))).toMatchObject({ series: 'ok', integrity: 'ok' });
    other.exec('COMMIT');
    other.close();
  });

  test('one that lets nobody read makes it skipped, in time, and nothing that looked is left', async () => {
    run(rows(0, 10));
    const other = new DatabaseSync(here.path);
    other.exec(
      'PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; DELETE FROM candles WHERE count = 0; COMMIT',
    );
    const { value: checks, took } = await timed(verifyStore(here.path, { timeoutMs: 600 }));
    expect(took).toBeLessThan(600 + TOLERANCE_MS);
    expect(checks.slice(1)).toMatchObject([
      { name: 'series', outcome: 'skipped' },
      { name: 'integrity', outcome: 'skipped' },
    ]);
    // Left alone it would wait for a second for each of the two.
    await until('the process that looked is gone', () => childrenOfThisProcess().length === 0, 250);
    other.close();
    expect(await outcomes(verifyStore(here.path, TIME))).toEqual(ALL_OK);
  });

  test('one that changes the file while it is looked at makes a fault doubtful: it is looked at again', () => {
    run(rows(0, 2_000));
    damage();
    const checks: StoreCheck[] = [];
    checkFile({ path: here.path, integrity: true }, (check) => {
      if (checks.push(check) === 1) utimesSync(here.path, 0, 0);
    });
    expect(checks.at(-1)).toMatchObject({ name: 'integrity', outcome: 'failed' });
  });

  test('one that goes on writing all the time is no failure, and is not held up', async () => {
    // For the process that looks, this one is another.
    const one = writer();
    await one.open();
    const looks: Record<string, string>[] = [];
    const looking = (async () => {
      for (let count = 0; count < 2; count++) looks.push(await outcomes(verifyStore(here.path, TIME)));
    })();
    for (let next = 0; looks.length < 2; next += 5) await one.commit(rows(next, next + 5), at(next));
    await looking;
    await one.close(at(0));
    for (const look of looks) expect(look).toMatchObject(WHOLE);
  });
});

describe('time', () => {
  test('a file too large for what is left is not looked through, and how to do it later is said', async () => {
    const before = markStore(here.path);
    run(rows(0, 10));
    truncateSync(here.path, 5_000_000_000);
    const [, series, integrity] = await verifyStore(here.path, { ...TIME, before });
    expect(series?.outcome).toBe('ok');
    expect(integrity?.outcome).toBe('skipped');
    expect(integrity?.detail).toMatch(/^5000\.0 MB are too much for the \d+ ms left; PRAGMA integrity_check/);
  });

  test('without any left nothing is looked at, and that takes none', async () => {
    run(rows(0, 10));
    const { value: checks, took } = await timed(verifyStore(here.path, { timeoutMs: 0 }));
    expect(took).toBeLessThan(TOLERANCE_MS);
    expect(checks.map(({ outcome }) => outcome)).toEqual(['ok', 'skipped', 'skipped']);
  });

  test('cut short by the signal it ends at once, and so does what was looking', async () => {
    run(rows(0, 10));
    const abort = new AbortController();
    const looking = verifyStore(here.path, { ...TIME, signal: abort.signal });
    abort.abort();
    const { value: checks, took } = await timed(within('the look', looking));
    expect(took).toBeLessThan(TOLERANCE_MS);
    expect(checks[2]).toMatchObject({ outcome: 'skipped', detail: expect.stringContaining('cut short') });
    await expect.poll(childrenOfThisProcess).toEqual([]);
  });

  test('cut short by the exit of the process it leaves nothing that looks', async () => {
    run(rows(0, 10));
    const before = process.listeners('exit');
    const looking = verifyStore(here.path, TIME);
    await until('it looks', () => process.listenerCount('exit') > before.length);
    for (const listener of process.listeners('exit'))
      if (!before.includes(listener)) listener.call(process, 1);
    expect((await looking)[2]).toMatchObject({ outcome: 'skipped' });
    expect(process.listeners('exit')).toEqual(before);
    await expect.poll(childrenOfThisProcess).toEqual([]);
  });
});

test('where no process can be started the look is skipped and says why', async () => {
  run(rows(0, 10));
  const { execPath } = process;
  process.execPath = join(here.folder, 'nothing');
  try {
    const checks = await verifyStore(here.path, TIME);
    for (const check of checks.slice(1))
      expect(check).toMatchObject({ outcome: 'skipped', detail: expect.stringContaining('ENOENT') });
  } finally {
    process.execPath = execPath;
  }
});

describe.runIf(process.platform === 'linux')('files', () => {
  test('a store that is still open in this process is told, with its name, until it is closed', async () => {
    run(rows(0, 10));
    const open = new DatabaseSync(here.path, { readOnly: true });
    open.prepare('SELECT * FROM meta').all();
    const [files] = await verifyStore(here.path, TIME);
    expect(files).toMatchObject({ outcome: 'failed', detail: expect.stringContaining(here.path) });
    const [hasty] = await verifyStore(here.path, { timeoutMs: 10 });
    expect(hasty).toMatchObject({ outcome: 'skipped', detail: expect.stringContaining('no time') });
    open.close();
    expect(await outcomes(verifyStore(here.path, TIME))).toEqual(ALL_OK);
  });

  test('what this process read in it before the run is not held against the run', async () => {
    run(rows(0, 10));
    const reader = new DatabaseSync(here.path, { readOnly: true });
    onTestFinished(() => reader.close());
    reader.prepare('SELECT * FROM meta').all();
    const before = markStore(here.path);
    expect((await verifyStore(here.path, { ...TIME, before }))[0]).toMatchObject({ outcome: 'ok' });
  });

  test('its lock, and a file that was removed while it was open, are told too; a link is followed', async () => {
    run(rows(0, 10));
    const real = join(here.folder, 'real.db');
    renameSync(here.path, real);
    symlinkSync(real, here.path);
    const lock = openSync(`${real}.lock`, 'w');
    expect((await verifyStore(here.path, TIME))[0]).toMatchObject({ outcome: 'failed' });
    closeSync(lock);
    const file = openSync(real, 'r');
    rmSync(real);
    expect((await verifyStore(real, TIME))[0]).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('deleted'),
    });
    closeSync(file);
    expect((await verifyStore(real, TIME))[0]).toMatchObject({ outcome: 'ok' });
  });

  test('one that is let go of a moment later is waited for', async () => {
    run(rows(0, 10));
    const file = openSync(here.path, 'r');
    const looking = verifyStore(here.path, TIME);
    setTimeout(() => closeSync(file), 50);
    expect((await looking)[0]).toMatchObject({ outcome: 'ok' });
  });
});
