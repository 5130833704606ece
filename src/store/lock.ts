import { closeSync, existsSync, openSync, realpathSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';
import { isBusy } from './busy.ts';

/** Who holds a store, for the message that refuses another. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Local wall clock, ms since epoch. */
  readonly since: number;
}

/** A writer may be about to end, or another refused one be reading who holds the lock: so long we wait, ms. */
const WAIT_MS = 250;

/**
 * The one writer of a store. The lock is a write transaction left open on a file beside the store: SQLite
 * holds it with an operating system lock, which goes with the process, however that ends. Readers of that
 * file still see who holds it; readers of the store are not concerned.
 *
 * @throws {StoreError} `STORE_LOCKED` when another writer holds it.
 */
export function lockStore(path: string, holder: Holder): () => void {
  // A link that leads nowhere yet has a real name only once the file is there.
  if (!existsSync(path)) closeSync(openSync(path, 'a'));
  const file = lockFileOf(path);
  const lock = new DatabaseSync(file, { timeout: WAIT_MS });
  try {
    const others = lock.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name <> 'holder'").get();
    if (Number(others?.['n']) > 0) throw new Error(`${file} is a database of another program`);
    lock.exec('PRAGMA journal_mode = DELETE');
    lock.exec('BEGIN IMMEDIATE');
    lock.exec('CREATE TABLE IF NOT EXISTS holder (pid INTEGER, host TEXT, since INTEGER)');
    lock.exec('DELETE FROM holder');
    lock.prepare('INSERT INTO holder VALUES (?, ?, ?)').run(holder.pid, holder.host, holder.since);
    lock.exec('COMMIT');
    // Between the two another may slip in: then this one is refused and the other has written its name.
    lock.exec('BEGIN IMMEDIATE');
  } catch (error) {
    lock.close();
    throw isBusy(error) ? locked(path, file, error) : error;
  }
  return () => lock.close();
}

/** Throws when a writer holds the store now. Takes nothing and creates nothing. @throws {StoreError} */
export function refuseLocked(path: string): void {
  const file = lockFileOf(path);
  if (!existsSync(file)) return;
  const lock = new DatabaseSync(file, { timeout: WAIT_MS });
  try {
    lock.exec('BEGIN IMMEDIATE');
    lock.exec('ROLLBACK');
  } catch (error) {
    if (isBusy(error)) throw locked(path, file, error);
    // Whatever else is wrong with it, taking the lock will say.
  } finally {
    lock.close();
  }
}

/** By its real name: a link to a store is that store. */
export const lockFileOf = (path: string): string => `${existsSync(path) ? realpathSync(path) : path}.lock`;

const locked = (path: string, file: string, cause: unknown): StoreError =>
  new StoreError(`${path} is being written by ${holderOf(file)}; stop it or use another store`, {
    code: 'STORE_LOCKED',
    cause,
  });

function holderOf(file: string): string {
  try {
    const lock = new DatabaseSync(file, { readOnly: true, timeout: 0 });
    try {
      const row = lock.prepare('SELECT pid, host, since FROM holder').get();
      if (row === undefined) return 'another process';
      return `process ${row['pid']} on ${row['host']} (since ${new Date(Number(row['since'])).toISOString()})`;
    } finally {
      lock.close();
    }
  } catch {
    return 'another process';
  }
}
