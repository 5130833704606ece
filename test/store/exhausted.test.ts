/** A machine that has run out of something fails a store; the path of it is not wrong for that. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { asStoreError } from '../../src/store/identity.ts';
import { folder } from '../support/collector.ts';

const CHILD = fileURLToPath(new URL('./exhausted.child.ts', import.meta.url));

test('S08 however few descriptors are left, a store that is all right is not called unusable', () => {
  const command = `ulimit -n 128; exec "$0" --disable-warning=ExperimentalWarning "$1" "$2"`;
  const { stdout, stderr } = spawnSync(
    'sh',
    ['-c', command, process.execPath, CHILD, join(folder(), 'candles.db')],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  const codes = JSON.parse(stdout) as (string | null)[];
  expect(codes[0]).toBe('STORE_FAILED');
  expect(codes.at(-1)).toBeNull();
  expect(codes.filter((code) => code !== 'STORE_FAILED' && code !== null)).toEqual([]);
});

test.each([
  ['S06 no room for a file', { code: 'ENOSPC' }],
  ['S06 a file that may not grow', { code: 'EFBIG' }],
  ['S06 no room for the database', { code: 'ERR_SQLITE_ERROR', errcode: 13 }],
  ['S06 a database that may not grow', { code: 'ERR_SQLITE_ERROR', errcode: 778 }],
  ['no memory', { code: 'ERR_SQLITE_ERROR', errcode: 7 }],
])('%s at the start is a failure of the machine, not of the configuration', (_, facts) => {
  const cause = Object.assign(new Error('it failed'), facts);
  expect(asStoreError(cause, 'a.db')).toMatchObject({ code: 'STORE_FAILED', retryable: false, cause });
});

test('a path that can not be opened is unusable', () => {
  const cause = Object.assign(new Error('unable to open database file'), { errcode: 14 });
  expect(asStoreError(cause, 'a.db')).toMatchObject({ code: 'STORE_UNUSABLE' });
});
