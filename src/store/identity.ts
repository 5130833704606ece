/** Whether a file is a store of ours, and may be used as one. Looks, and changes nothing. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { StoreError } from '../errors.ts';
import { BUSY_TIMEOUT_MS } from './busy.ts';
import { isExhausted } from './exhausted.ts';
import { APPLICATION_ID, SCHEMA_VERSION } from './schema.ts';

/** The smallest page there is. SQLite itself takes a file of one byte as empty, and would write over it. */
const SQLITE_BYTES_MIN = 512;

/** Throws unless `path` is absent, empty, or a file that may be an SQLite database. */
export function refuseForeignFile(path: string): void {
  if (!existsSync(path)) return;
  const stat = statSync(path);
  if (!stat.isFile()) throw foreign(path, 'it is not a file');
  if (stat.size > 0 && stat.size < SQLITE_BYTES_MIN) throw foreign(path, 'it is not an SQLite file');
}

const foreign = (path: string, why: string): StoreError =>
  new StoreError(`${path} is no candlestate store: ${why}; it was left untouched`, { code: 'STORE_FOREIGN' });

/** Throws unless the open database is a store of ours. A database without any table is taken as new. */
export function checkIdentity(database: DatabaseSync, path: string): 'new' | 'ours' {
  const pragma = (name: string): number => Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
  if (pragma('application_id') !== APPLICATION_ID) {
    const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get();
    if (Number(tables?.['n']) > 0) throw foreign(path, 'its tables are of another program');
    return 'new';
  }
  const version = pragma('user_version');
  if (version > SCHEMA_VERSION) {
    throw new StoreError(
      `${path} was written by a newer candlestate (schema ${version}, this one knows ${SCHEMA_VERSION}); update`,
      { code: 'STORE_NEWER' },
    );
  }
  return 'ours';
}

export function checkOrigin(database: DatabaseSync, path: string, origin: string): void {
  const stored = readMeta(database, 'origin');
  if (stored === origin) return;
  throw new StoreError(
    `${path} holds candles of '${stored}', not of '${origin}'; use another store, so that they never meet`,
    { code: 'STORE_ORIGIN' },
  );
}

const readMeta = (database: DatabaseSync, key: string): string | undefined => {
  const value = database.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value'];
  return typeof value === 'string' ? value : undefined;
};

/** What is known of a store without opening it for writing. */
export interface StoreFacts {
  readonly exists: boolean;
  readonly origin?: string;
  /** The latest exchange time that was seen when it was last written, ms. */
  readonly exchangeTime?: number;
}

/** Looks at a file, read-only, and throws when it is no store, or not of `origin`. @throws {StoreError} */
export function inspectFile(path: string, origin?: string): StoreFacts {
  refuseForeignFile(path);
  if (!existsSync(path) || statSync(path).size === 0) return { exists: false };
  const database = openToLook(path);
  try {
    return factsOf(database, path, origin);
  } catch (error) {
    throw isSqlite(error, SQLITE_NOTADB) ? foreign(path, 'it is not an SQLite file') : error;
  } finally {
    database.close();
  }
}

/** What an open database says of itself; throws when it is no store, or not of `origin`. @throws {StoreError} */
export function factsOf(database: DatabaseSync, path: string, origin?: string): StoreFacts {
  if (checkIdentity(database, path) === 'new') return { exists: false };
  if (origin !== undefined) checkOrigin(database, path, origin);
  const stored = readMeta(database, 'origin');
  const exchangeTime = readMeta(database, 'exchange_time');
  return {
    exists: true,
    ...(stored === undefined ? {} : { origin: stored }),
    ...(exchangeTime === undefined ? {} : { exchangeTime: Number(exchangeTime) }),
  };
}

/**
 * A file, read-only and left as it is. Only ever by SQLite: reading it by a descriptor of our own, and closing
 * that, would take the locks from every connection to it in this process. Without a WAL nobody is writing,
 * and it is read as one that can't change; otherwise SQLite would make WAL and index beside it, and leave them.
 */
export function openToLook(path: string): DatabaseSync {
  const options = { readOnly: true, timeout: BUSY_TIMEOUT_MS };
  if (existsSync(`${path}-wal`)) return new DatabaseSync(path, options);
  try {
    return new DatabaseSync(`${pathToFileURL(path).href}?immutable=1`, options);
  } catch (error) {
    // Before Node 22.15 a path could not be a URL.
    if (isSqlite(error, SQLITE_CANTOPEN)) return new DatabaseSync(path, options);
    throw error;
  }
}

/** Changes when the file does, or when somebody begins to write it: what was read as still may then be looked at again. */
export const stampOf = (path: string): string => {
  const stat = statSync(path, { throwIfNoEntry: false });
  return `${stat?.ino} ${stat?.size} ${stat?.mtimeMs} ${existsSync(`${path}-wal`)}`;
};

const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;
const isSqlite = (error: unknown, code: number): boolean =>
  typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === code;

/**
 * Makes the folder of a relative path, as `data/btc.db`. More than one that is missing is rather a typing error,
 * and a missing folder of an absolute path often a volume that is not mounted: those are refused.
 */
export function makeFolder(path: string): void {
  checkFolder(path);
  if (!existsSync(dirname(path))) mkdirSync(dirname(path));
}

/** Throws when {@link makeFolder} would. */
export function checkFolder(path: string): void {
  const folder = dirname(path);
  if (existsSync(folder)) return;
  if (isAbsolute(path) || !existsSync(dirname(folder)))
    throw new Error(`the folder ${folder} does not exist`);
}

/** SQLite's own errors as ours, with the path and what to do. */
export function asStoreError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (isExhausted(error))
    return new StoreError(
      `${path} cannot be used as a store now: ${message}; this machine has run out of room, memory or file descriptors`,
      {
        code: 'STORE_FAILED',
        cause: error,
      },
    );
  return new StoreError(`${path} cannot be used as a store: ${message}; check the path and its permissions`, {
    code: 'STORE_UNUSABLE',
    cause: error,
  });
}
