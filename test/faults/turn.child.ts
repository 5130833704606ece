/**
 * Run as a process of its own until it is killed: a store of the version before is opened, so brought up to date, written,
 * closed, so emptied from its WAL into its file, and made old again, over and over. Says how many bars are committed.
 */
import { writeSync } from 'node:fs';
import { StoreDatabase } from '../../src/store/database.ts';
import { at, MINUTE, T0 } from '../pipeline/candles.ts';
import { execute, rows } from '../store/stores.ts';

/** What a store of the version before had not. */
export const MAKE_OLD =
  'DROP INDEX IF EXISTS revisions_by_bar; ALTER TABLE watermarks DROP COLUMN from_open_time;';

const [, , path = ''] = process.argv;
for (;;) {
  const holder = { pid: process.pid, host: 'here', since: 0 };
  const { database, opened } = StoreDatabase.open({ path, origin: 'simulator', holder });
  const [mark] = opened.watermarks;
  const next = mark === undefined ? 0 : (mark.openTime - T0) / MINUTE + 1;
  database.commit(rows(next, next + 200), at(next));
  writeSync(1, `${next + 200}\n`);
  database.close(at(next));
  execute(path, MAKE_OLD);
}
