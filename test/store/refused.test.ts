import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { StoreError } from '../../src/errors.ts';
import { inspectStore } from '../../src/store/inspect.ts';
import { execute, filesOf, query, rows, useFolder } from './stores.ts';

const { here, writer } = useFolder();

const refusalOf = async (path: string, origin = 'simulator'): Promise<StoreError> => {
  const error = await writer(origin, path)
    .open()
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  expect(error).toBeInstanceOf(StoreError);
  expect((error as StoreError).message).toContain(path);
  return error as StoreError;
};

/** A store with bars in it, closed. */
async function makeStore(origin = 'simulator'): Promise<void> {
  const one = writer(origin);
  await one.open();
  await one.commit(rows(0, 3), 1);
  await one.close(1);
}

describe('what is refused is left as it was, and nothing is made beside it', () => {
  const files: [string, Buffer][] = [
    ['a text', Buffer.from('these are my notes')],
    ['one byte', Buffer.from('S')],
    ['a ZIP', Buffer.from([0x50, 0x4b, 3, 4, ...Array.from({ length: 5_000 }, () => 0)])],
    ['almost an SQLite file', Buffer.from(`SQLite format 4\0${'x'.repeat(8_000)}`)],
  ];
  test.each(files)('S12 %s', async (_, content) => {
    writeFileSync(here.path, content);
    const before = filesOf(here.folder);
    expect(await refusalOf(here.path)).toMatchObject({ code: 'STORE_FOREIGN', retryable: false });
    await expect(inspectStore(here.path)).rejects.toMatchObject({ code: 'STORE_FOREIGN' });
    expect(filesOf(here.folder)).toEqual(before);
  });

  test.each(['DELETE', 'WAL'])('an SQLite database of another program, journal %s', async (mode) => {
    execute(
      here.path,
      `PRAGMA journal_mode = ${mode}; CREATE TABLE notes (text); INSERT INTO notes VALUES (1)`,
    );
    const before = filesOf(here.folder);
    expect(await refusalOf(here.path)).toMatchObject({ code: 'STORE_FOREIGN', retryable: false });
    await expect(inspectStore(here.path)).rejects.toMatchObject({ code: 'STORE_FOREIGN' });
    expect(filesOf(here.folder)).toEqual(before);
  });

  test.each(['simulator', 'testnet', 'mainnet', 'custom'])(
    'a store of %s for any other network',
    async (origin) => {
      await makeStore(origin);
      const before = filesOf(here.folder);
      for (const other of ['simulator', 'testnet', 'mainnet', 'custom'])
        if (other !== origin) {
          const error = await refusalOf(here.path, other);
          expect(error).toMatchObject({ code: 'STORE_ORIGIN', retryable: false });
          expect(error.message).toContain(`'${origin}'`);
          expect(error.message).toContain(`'${other}'`);
        }
      expect(filesOf(here.folder)).toEqual(before);
      expect(await inspectStore(here.path)).toMatchObject({ exists: true, origin });
      expect(filesOf(here.folder)).toEqual(before);
    },
  );

  test('S13 a store that a newer version has made', async () => {
    await makeStore();
    execute(here.path, 'PRAGMA user_version = 99');
    const before = filesOf(here.folder);
    expect(await refusalOf(here.path)).toMatchObject({ code: 'STORE_NEWER', retryable: false });
    expect(filesOf(here.folder)).toEqual(before);
  });

  test('S12 a folder', async () => {
    const path = join(here.folder, 'inner');
    mkdirSync(path);
    expect(await refusalOf(path)).toMatchObject({ code: 'STORE_FOREIGN' });
    expect(readdirSync(here.folder)).toEqual(['inner']);
  });

  test('S12 a path below a file, or below a folder that is not there', async () => {
    writeFileSync(here.path, '');
    expect(await refusalOf(join(here.path, 'x.db'))).toMatchObject({ code: 'STORE_UNUSABLE' });
    expect(await refusalOf(join(here.folder, 'none', 'x.db'))).toMatchObject({ code: 'STORE_UNUSABLE' });
    expect(readdirSync(here.folder)).toEqual(['store.db']);
  });

  test('a store of which only the beginning is left', async () => {
    writeFileSync(here.path, `SQLite format 3\0${'\0'.repeat(10)}`);
    const before = filesOf(here.folder);
    const error = await refusalOf(here.path);
    expect(['STORE_FOREIGN', 'STORE_UNUSABLE']).toContain(error.code);
    expect(filesOf(here.folder)).toEqual(before);
  });
});

describe('what is no store yet becomes one', () => {
  test('a path where nothing is, and to look at it is no error', async () => {
    expect(await inspectStore(here.path)).toEqual({ exists: false });
    expect(readdirSync(here.folder)).toEqual([]);
    await makeStore();
    expect(await inspectStore(here.path)).toMatchObject({ exists: true });
  });

  test('an empty file, and an SQLite database without a table', async () => {
    writeFileSync(here.path, '');
    expect(await inspectStore(here.path)).toEqual({ exists: false });
    await makeStore();
    const other = join(here.folder, 'empty.db');
    execute(other, 'PRAGMA journal_mode = WAL; CREATE TABLE t (x); DROP TABLE t');
    expect(await inspectStore(other)).toEqual({ exists: false });
    const one = writer('simulator', other);
    await one.open();
    await one.commit(rows(0, 1), 1);
    expect(query(other, 'SELECT count(*) AS n FROM candles')).toEqual([{ n: 1 }]);
  });

  test('a name with signs that mean something in a URL', async () => {
    const path = join(here.folder, 'a ?#%41 ü.db');
    const one = writer('simulator', path);
    await one.open();
    await one.commit(rows(0, 1), 1);
    await one.close(1);
    expect(await inspectStore(path)).toMatchObject({ exists: true });
    expect(readdirSync(here.folder).filter((name) => name.endsWith('.db'))).toEqual(['a ?#%41 ü.db']);
  });
});

describe('a second writer', () => {
  const locked = { code: 'STORE_LOCKED', retryable: false };

  test('is refused, told who holds the store, and takes over when that one has closed it', async () => {
    const first = writer();
    const second = writer();
    await first.open();
    await expect(second.open()).rejects.toMatchObject(locked);
    await expect(second.open()).rejects.toThrow(`process ${process.pid} on `);
    await first.commit(rows(0, 3), 1);
    await first.close(1);
    expect((await second.open()).watermarks).toHaveLength(1);
  });

  test('is refused under another name of the same file', async () => {
    await makeStore();
    const alias = join(here.folder, 'alias.db');
    symlinkSync(here.path, alias);
    const first = writer();
    await first.open();
    await expect(writer('simulator', alias).open()).rejects.toMatchObject(locked);
    await first.close(1);
    const second = writer('simulator', alias);
    await second.open();
    await expect(writer().open()).rejects.toMatchObject(locked);
  });

  test('is refused under a link that was there before the file', async () => {
    const alias = join(here.folder, 'alias.db');
    symlinkSync(here.path, alias);
    await writer('simulator', alias).open();
    await expect(writer().open()).rejects.toMatchObject(locked);
  });

  test('of two that come at the same time one gets it', async () => {
    await makeStore();
    for (let round = 0; round < 3; round++) {
      const both = [writer(), writer(), writer()];
      const results = await Promise.allSettled(both.map((one) => one.open()));
      expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
      for (const result of results)
        if (result.status === 'rejected') expect(result.reason).toMatchObject(locked);
      await Promise.all(both.map((one) => one.close(1)));
    }
  });

  test('is refused when the lock file is a database of another program, which is left as it was', async () => {
    execute(`${here.path}.lock`, 'CREATE TABLE notes (text)');
    expect(await refusalOf(here.path)).toMatchObject({ code: 'STORE_UNUSABLE' });
    expect(query(`${here.path}.lock`, 'SELECT name FROM sqlite_schema')).toEqual([{ name: 'notes' }]);
  });
});
