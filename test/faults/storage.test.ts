/** Disks that fail, fill up, are slow or are taken away: no row counts as written that is not, and none is lost or doubled. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { StoreError } from '../../src/errors.ts';
import { StoreDatabase } from '../../src/store/database.ts';
import { WAL_BYTES_MAX } from '../../src/store/holding.ts';
import { openToLook } from '../../src/store/identity.ts';
import { MemoryWriter, SqliteWriter } from '../../src/store/writer.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { filesBelow, ROOT } from '../architecture/source.ts';
import { start } from '../cli/child.ts';
import { CANDLESTATE, Child, quoted } from '../endings/launch.ts';
import { at } from '../pipeline/candles.ts';
import { countsIn, found } from '../store/faulty.ts';
import { storeOver } from '../store/store-chart.ts';
import { rows } from '../store/stores.ts';
import { folder, newStore, query, storedCandles } from '../support/collector.ts';
import { until } from '../support/wait.ts';
import { streaming } from './scene.ts';

/** The store's chart over a file that is written in this thread, where a fault can be put between the program and SQLite. */
async function storeAt(path: string) {
  let database: StoreDatabase | undefined;
  const holder = { pid: process.pid, host: 'here', since: 0 };
  const commits: string[] = [];
  const writer = Object.assign(new MemoryWriter(), {
    open: async () => {
      const { database: opened, opened: facts } = StoreDatabase.open({ path, origin: 'simulator', holder });
      database = opened;
      return facts;
    },
    commit: async (...batch: Parameters<StoreDatabase['commit']>) => {
      try {
        database?.commit(...batch);
        commits.push('done');
      } catch (error) {
        commits.push('failed');
        throw new StoreError(String(error), { code: 'STORE_WRITE', retryable: true });
      }
    },
    close: async (time: number) => database?.close(time),
  });
  const one = await storeOver(writer, 5);
  const delivered: number[] = [];
  one.delivery.listeners.on('candle', (candle) => delivered.push(candle.openTime));
  return { ...one, delivered, commits };
}

/** The next transaction ends with an error: before anything is committed, or when all is and only the answer is lost. */
function breakCommit(when: 'before' | 'after'): void {
  const error = Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 1034 });
  const exec = DatabaseSync.prototype.exec;
  const spy = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (
    this: DatabaseSync,
    sql: string,
  ) {
    if (sql !== 'COMMIT') return exec.call(this, sql);
    spy.mockRestore();
    if (when === 'after') exec.call(this, sql);
    throw error;
  });
  onTestFinished(() => spy.mockRestore());
}

describe('a commit that fails once', () => {
  test.each([
    ['S07 because the disk could not be written, and can be again', 'before', 0],
    ['S17 with an outcome that nobody knows: all was written', 'after', 3],
  ] as const)(
    '%s: it counts for nothing, is sent again, and each row is there and told once',
    async (_, when, written) => {
      const path = newStore();
      const { rows: waiting, actor, delivered, commits } = await storeAt(path);
      breakCommit(when);
      for (const row of rows(0, 3)) waiting.offer(row);
      actor.send({ type: 'ROWS' });
      await until('it has failed', () => actor.types().includes('STORE.TROUBLE'));
      expect(delivered).toEqual([]);
      expect(storedCandles(path)).toHaveLength(written);
      await until('it is done', () => delivered.length > 0);
      actor.send({ type: 'CLOSE', withinMs: 5_000 });
      await until('its end', () => actor.types().includes('xstate.done.actor.child'));
      expect(actor.heard.at(-1)).toMatchObject({ output: { outcome: 'closed', unwritten: 0 } });
      expect(commits).toEqual(['failed', 'done']);
      expect(delivered).toEqual([at(0), at(1), at(2)]);
      expect(storedCandles(path).map(({ openTime }) => openTime)).toEqual(delivered);
      expect(countsIn(found(path))).toEqual({});
    },
  );
});

test('S15 commits that each take the better part of a second: rows wait, bounded, all come, and the stop is in time', async () => {
  const set = await streaming();
  const other = new DatabaseSync(set.store, { timeout: 1_000 });
  onTestFinished(() => other.close());
  for (let round = 0; round < 2; round++) {
    other.exec('BEGIN IMMEDIATE');
    const { length } = set.candles;
    const slowUntil = performance.now() + 700;
    await until('the disk is slow', () => performance.now() > slowUntil);
    expect(set.candles.length).toBe(length);
    expect(set.collector.status().rowsWaiting).toBeLessThan(50);
    other.exec('ROLLBACK');
    await until('rows are written', () => set.candles.length > length);
  }
  expect(set.problems).toEqual([]);
  await set.expectKept(6);
});

describe.runIf(process.platform === 'linux')('limits of a process', () => {
  const words = [
    ...CANDLESTATE,
    'collect',
    '--symbols',
    'BTCUSDT',
    '--intervals',
    '1m',
    '--time-scale',
    '300',
    '--no-http',
    '--db',
    'x.db',
  ];
  const limited = (limit: string, more: readonly string[]) => [
    'sh',
    '-c',
    `ulimit ${limit}; exec ${quoted([...words, ...more])}`,
  ];

  test.each([64, 30])(
    'S08 with %i file descriptors at most it collects, waits, or ends with 1 and says why',
    async (limit) => {
      const cwd = folder();
      await using child = new Child(limited(`-n ${limit}`, ['--duration', '2s']), { cwd });
      const { code, killed, stderr } = await child.end(15_000);
      expect([killed, code === 0 || code === 1]).toEqual([false, true]);
      if (code === 1) expect(stderr).toMatch(/EMFILE|unable to open database/u);
      // Neither a loop of tries nor a half-made store.
      expect(stderr.split('\n').length).toBeLessThan(40);
      if (existsSync(join(cwd, 'x.db'))) expect(countsIn(found(join(cwd, 'x.db')))).toEqual({});
    },
    30_000,
  );

  test('S06 no room for what is written: no bar counts, it says so and goes on, and when there is room again all is written', async (context) => {
    if (spawnSync('prlimit', ['--version']).error !== undefined) context.skip('prlimit is not there');
    const cwd = folder();
    // Room for the tables and some batches, not for the history; in blocks of 512 bytes.
    await using child = new Child(
      limited('-S -f 400', ['--backfill', '3d', '--stdout', 'jsonl', '--log-level', 'warn']),
      { cwd },
    );
    await child.says('the store cannot write; rows wait');
    const path = join(cwd, 'x.db');
    const told = (): number => child.stdout().split('\n').length - 1;
    const stored = (): number => Number(query(path, 'SELECT count(*) AS n FROM candles')[0]?.['n']);
    expect(told()).toBeLessThanOrEqual(stored());
    const full = stored();
    expect(spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:unlimited']).status).toBe(0);
    await until('all of three days', () => told() > Math.max(full, 4_320), 20_000);
    child.kill('SIGINT');
    const { code } = await child.end();
    expect(code).toBe(130);
    expect(told()).toBe(stored());
    expect(countsIn(found(path))).toEqual({});
  }, 60_000);
});

test.each([
  ['removed', (path: string) => rmSync(path)],
  [
    'replaced by a copy of itself',
    (path: string) => {
      copyFileSync(path, `${path}.copy`);
      renameSync(`${path}.copy`, path);
    },
  ],
])('S14 a store that is %s under it ends the command with 1, and the log says why', async (_, strike) => {
  const cwd = folder();
  const path = join(cwd, 'x.db');
  const args = ['collect', '--no-http', '--db', path, '--time-scale', '600'];
  const run = start(args, { cwd });
  await run.says('closed ETHUSDT', 20_000);
  strike(path);
  const { code, stderr } = await run.ended();
  expect(code).toBe(1);
  expect(stderr).toContain('was removed or replaced while it was being written');
  expect(stderr).toMatch(/store failed.*rows? (?:was|were)? ?lost/u);
});

test.each([
  ['in a folder below one that is not there', 'none/deep/x.db'],
  ['where nothing can be made, as a medium that is read-only', '/proc/x.db'],
  ['that is a folder', 'taken.db'],
])('S12 a store %s ends with 2, names --db and the path, and nothing is made', async (_, db) => {
  const cwd = folder();
  mkdirSync(join(cwd, 'taken.db'));
  const { code, stderr } = await start(['collect', '--no-http', '--db', db], { cwd }).ended();
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('--db') });
  expect(stderr).toContain(db);
  expect(readdirSync(cwd)).toEqual(['taken.db']);
});

test('S10 a reader that keeps an old state for long holds nobody up; the WAL is told of, and cut back when it has gone', async () => {
  const path = newStore();
  const told: number[] = [];
  const onLongWal = (walBytes: number): void => void told.push(walBytes);
  const writer = new SqliteWriter({ path, origin: 'simulator', clock: systemClock, onLongWal });
  onTestFinished(() => void writer.terminate());
  await writer.open();
  await writer.commit(rows(0, 10), at(0));
  const reader = new DatabaseSync(path, { readOnly: true });
  onTestFinished(() => {
    if (reader.isOpen) reader.close();
  });
  reader.exec('BEGIN; SELECT count(*) FROM candles');
  let next = 10;
  const more = async (): Promise<void> => {
    await writer.commit(rows(next, next + 5_000), at(next));
    next += 5_000;
  };
  while (told.length === 0 && next < 500_000) await more();
  expect(told[0]).toBeGreaterThan(WAL_BYTES_MAX);
  reader.close();
  await more();
  await more();
  expect(statSync(`${path}-wal`).size).toBeLessThanOrEqual(WAL_BYTES_MAX);
  const { length } = told;
  await more();
  expect(told).toHaveLength(length);
  await writer.close(at(next));
  expect(query(path, 'SELECT count(*) AS n FROM candles')).toEqual([{ n: next }]);
}, 30_000);

describe('S11', () => {
  test('S11 whatever SQLite there is, one connection writes a store: all others may not, or are to a file beside it', async () => {
    // The lock and its like are no WAL; the snapshot's connection is forbidden to write by its first statement.
    const others = filesBelow('src', '.ts').flatMap((path) =>
      [...readFileSync(`${ROOT}/${path}`, 'utf8').matchAll(/new DatabaseSync\(([^;]*)\);/gu)]
        .filter(([, how = '']) => !/readOnly: true|options\)?$/u.test(how))
        .map(([, how]) => `${path}: ${how}`),
    );
    expect(others.map((one) => one.slice(0, one.indexOf(':')))).toEqual([
      'src/history/archive/run-folder.ts',
      'src/store/holding.ts',
      'src/store/lock.ts',
      'src/store/lock.ts',
      'src/store/part-file.ts',
      'src/store/snapshot.ts',
    ]);
    const path = newStore();
    const { actor } = await storeAt(path);
    onTestFinished(() => actor.send({ type: 'CLOSE', withinMs: 1_000 }));
    const reader = openToLook(path);
    onTestFinished(() => reader.close());
    expect(() => reader.exec('DELETE FROM candles')).toThrow('readonly');
    expect(() => reader.exec('PRAGMA wal_checkpoint(TRUNCATE)')).toThrow();
  });
});
