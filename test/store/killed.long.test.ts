import { readFileSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { inspectStore } from '../../src/store/inspect.ts';
import { at, BTC } from '../pipeline/candles.ts';
import { until, within } from '../support/wait.ts';
import { said, useProcesses } from './processes.ts';
import { storeOver } from './store-chart.ts';
import { query, rows, useFolder } from './stores.ts';

const { here, writer, workers } = useFolder();
const start = useProcesses();

describe('another process', () => {
  test('S09 is named to whoever is refused, and once killed it holds the store no longer', async () => {
    const holder = start('hold', here.path);
    await said(holder, 1);
    const one = writer();
    await expect(one.open()).rejects.toMatchObject({ code: 'STORE_LOCKED', retryable: false });
    await expect(one.open()).rejects.toThrow(`process ${holder.process.pid} on `);
    await holder.kill();
    expect(await one.open()).toEqual({ watermarks: [], gaps: [] });
  });

  test('that reads and goes away does not take what is written after it', async () => {
    const one = writer();
    await one.open();
    await one.commit(rows(0, 3), 1);
    // All that this process does with the file beside the writer: looking, and a second writer that is refused.
    await inspectStore(here.path);
    await expect(writer().open()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    for (const count of [3, 4]) {
      const reader = start('look', here.path);
      await said(reader, 1);
      await until('the end of the reader', () => reader.process.exitCode !== null);
      expect(reader.lines()).toEqual([String(count)]);
      await one.commit(rows(count, count + 1), 1);
    }
    const last = start('look', here.path);
    await said(last, 1);
    expect(last.lines()).toEqual(['5']);
  });

  test('that looks at the files is kept off by locks, which looking from this process does not take away', async () => {
    const one = writer();
    await one.open();
    await one.commit(rows(0, 3), 1);
    const inode = `:${statSync(here.path).ino} `;
    const locks = (): number =>
      readFileSync('/proc/locks', 'utf8')
        .split('\n')
        .filter((line) => line.includes(inode) && line.includes(` ${process.pid} `)).length;
    const before = locks();
    expect(before).toBeGreaterThan(0);
    await inspectStore(here.path);
    await expect(writer().open()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    expect(locks()).toBe(before);
  });

  test('S01 killed at any moment while it commits leaves a sound store with every row it was told of', async () => {
    let acknowledged = 0;
    for (let round = 0; round < 10; round++) {
      const child = start('commit', here.path);
      const lines = 1 + Math.floor(Math.random() * 60);
      await said(child, 1 + lines);
      await child.kill();
      acknowledged = Number(child.lines().at(-1));
      // Its files are looked at as they lie there, by a reader, and then by the next writer.
      expect(query(here.path, 'PRAGMA integrity_check', false)).toEqual([{ integrity_check: 'ok' }]);
      const [found] = query(
        here.path,
        'SELECT count(*) AS n, min(open_time) AS first, max(open_time) AS last FROM candles',
      );
      const count = Number(found?.['n']);
      expect(count).toBeGreaterThanOrEqual(acknowledged);
      expect(found).toEqual({ n: count, first: at(0), last: at(count - 1) });
      expect(query(here.path, 'SELECT open_time AS at FROM watermarks')).toEqual([{ at: at(count - 1) }]);
    }
    const one = writer();
    const { watermarks } = await one.open();
    expect(watermarks[0]?.openTime).toBeGreaterThanOrEqual(at(acknowledged - 1));
  });
});

describe("the store's thread", () => {
  const gone = { code: 'STORE_WRITER_GONE', retryable: true };

  test('ended from outside is said so, and can be started again at once', async () => {
    const one = writer();
    await one.open();
    await one.commit(rows(0, 2), 1);
    const commit = one.commit(rows(2, 60_000), 1);
    commit.catch(() => {});
    await workers[0]!.terminate();
    await expect(within('the commit', commit)).rejects.toMatchObject(gone);
    await expect(one.commit(rows(2, 3), 1)).rejects.toMatchObject(gone);
    const { watermarks } = await one.open();
    expect(watermarks).toMatchObject([{ ...BTC, openTime: at(1) }]);
    await one.commit(rows(2, 5), 1);
    expect(query(here.path, 'SELECT count(*) AS n FROM candles')).toEqual([{ n: 5 }]);
    expect(query(here.path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  });

  test('that fails by an error of its own is said so, and can be started again at once', async () => {
    const one = writer();
    for (let round = 0; round < 3; round++) {
      await one.open();
      await one.commit(rows(round, round + 1), 1);
      // A message that it can't even answer.
      workers[round]!.postMessage(null);
      await expect(within('the commit', one.commit(rows(50, 51), 1))).rejects.toMatchObject(gone);
    }
    const { watermarks } = await one.open();
    expect(watermarks).toMatchObject([{ ...BTC, openTime: at(2) }]);
  });

  test('that has died closes at once', async () => {
    const one = writer();
    await one.open();
    await workers[0]!.terminate();
    await within('close', one.close(1), 1_000);
  });

  test('ended just before the store closes is started once more for the rows that wait', async () => {
    const one = await storeOver(writer(), 60_000);
    for (const row of rows(0, 250)) one.rows.offer(row);
    await workers[0]!.terminate();
    one.actor.send({ type: 'CLOSE', withinMs: 8_000 });
    await until('its end', () => one.actor.types().includes('xstate.done.actor.child'));
    expect(one.actor.heard.at(-1)).toMatchObject({ output: { outcome: 'closed', unwritten: 0 } });
    expect(query(here.path, 'SELECT count(*) AS n FROM candles')).toEqual([{ n: 250 }]);
    expect(workers).toHaveLength(2);
  });

  test('that dies while it closes does not hold up the close', async () => {
    const one = writer();
    await one.open();
    workers[0]!.postMessage(null);
    await expect(within('close', one.close(1), 4_000)).rejects.toMatchObject(gone);
    await one.open();
  });

  test('ended in the middle of a commit leaves nothing of it, and no lock', async () => {
    const one = writer();
    await one.open();
    await one.commit(rows(0, 1), 1);
    for (let round = 0; round < 4; round++) {
      const commit = one.commit(rows(1, 40_000), 1);
      commit.catch(() => {});
      // Once the transaction has begun, its rows are being written.
      await until('the transaction', () => isWriting(here.path));
      one.terminate();
      await expect(commit).rejects.toMatchObject({ code: 'STORE_CLOSED' });
      expect((await one.open()).watermarks).toMatchObject([{ ...BTC, openTime: at(0) }]);
    }
    one.terminate();
    const other = writer();
    expect((await other.open()).watermarks).toMatchObject([{ ...BTC, openTime: at(0) }]);
    expect(query(here.path, 'SELECT count(*) AS n FROM candles')).toEqual([{ n: 1 }]);
  });
});

/** Whether somebody is in the middle of a write transaction. */
function isWriting(path: string): boolean {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN IMMEDIATE');
    return false;
  } catch {
    return true;
  } finally {
    database.close();
  }
}
