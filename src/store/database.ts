import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { Interval } from '../../machines/model/interval.ts';
import type { Candle } from '../../machines/model/kline.ts';
import type { Row } from '../../machines/model/row.ts';
import { StoreError } from '../errors.ts';
import { type Holder, lockStore } from './lock.ts';
import {
  APPLICATION_ID,
  INSERT_CANDLE,
  INSERT_GAP,
  SCHEMA,
  SCHEMA_VERSION,
  SET_META,
  SET_WATERMARK,
} from './schema.ts';

/** How long a statement waits for a lock that another program holds, ms: below every stop deadline. */
const BUSY_TIMEOUT_MS = 1_000;

/** Where a series stands in the store. */
export interface Watermark {
  readonly symbol: string;
  readonly interval: Interval;
  /** Open time of the last bar stored or named as missing, ms. */
  readonly openTime: number;
}

export interface Opened {
  readonly watermarks: readonly Watermark[];
}

export interface OpenRequest {
  readonly path: string;
  /** The network that the candles are from; a store of another is refused. */
  readonly origin: string;
  readonly holder: Holder;
}

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

function checkOrigin(database: DatabaseSync, path: string, origin: string): void {
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
    if (checkIdentity(database, path) === 'new') return { exists: false };
    if (origin !== undefined) checkOrigin(database, path, origin);
    const stored = readMeta(database, 'origin');
    const exchangeTime = readMeta(database, 'exchange_time');
    return {
      exists: true,
      ...(stored === undefined ? {} : { origin: stored }),
      ...(exchangeTime === undefined ? {} : { exchangeTime: Number(exchangeTime) }),
    };
  } catch (error) {
    throw isSqlite(error, SQLITE_NOTADB) ? foreign(path, 'it is not an SQLite file') : error;
  } finally {
    database.close();
  }
}

/**
 * A file, read-only and left as it is. Only ever by SQLite: reading it by a descriptor of our own, and closing
 * that, would take the locks from every connection to it in this process. Without a WAL nobody is writing,
 * and it is read as one that can't change; otherwise SQLite would make WAL and index beside it, and leave them.
 */
function openToLook(path: string): DatabaseSync {
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

const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;
const isSqlite = (error: unknown, code: number): boolean =>
  typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === code;

/**
 * Makes the folder of a relative path, as `data/btc.db`. More than one that is missing is rather a typing error,
 * and a missing folder of an absolute path often a volume that is not mounted: those are refused.
 */
function makeFolder(path: string): void {
  const folder = dirname(path);
  if (existsSync(folder)) return;
  if (isAbsolute(path) || !existsSync(dirname(folder)))
    throw new Error(`the folder ${folder} does not exist`);
  mkdirSync(folder);
}

/**
 * The SQLite file, synchronously: it lives in a worker thread (`sqlite.worker.ts`). Rows, watermarks and gaps
 * of a batch are one transaction.
 */
export class StoreDatabase {
  readonly #database: DatabaseSync;
  readonly #unlock: () => void;
  readonly #insertCandle: StatementSync;
  readonly #insertGap: StatementSync;
  readonly #setWatermark: StatementSync;
  readonly #setMeta: StatementSync;

  /** Opens or creates the store and takes its lock. @throws {StoreError} */
  static open(request: OpenRequest): { database: StoreDatabase; opened: Opened } {
    let unlock: () => void;
    try {
      // Before anything is created beside it: what is not ours is not touched.
      inspectFile(request.path, request.origin);
      makeFolder(request.path);
      unlock = lockStore(request.path, request.holder);
    } catch (error) {
      throw asStoreError(error, request.path);
    }
    try {
      const database = new StoreDatabase(request, unlock);
      return { database, opened: { watermarks: database.#watermarks() } };
    } catch (error) {
      unlock();
      throw asStoreError(error, request.path);
    }
  }

  private constructor(request: OpenRequest, unlock: () => void) {
    this.#unlock = unlock;
    this.#database = new DatabaseSync(request.path, { timeout: BUSY_TIMEOUT_MS });
    try {
      const identity = checkIdentity(this.#database, request.path);
      if (identity === 'ours') checkOrigin(this.#database, request.path, request.origin);
      // Readers may be at work meanwhile; NORMAL may lose the last commits on power loss, never consistency,
      // and what is lost lies behind the watermark and is fetched again.
      this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      if (identity === 'new') this.#create(request.origin);
      this.#insertCandle = this.#database.prepare(INSERT_CANDLE);
      this.#insertGap = this.#database.prepare(INSERT_GAP);
      this.#setWatermark = this.#database.prepare(SET_WATERMARK);
      this.#setMeta = this.#database.prepare(SET_META);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Writes a batch; on an error nothing of it is written. */
  commit(rows: readonly Row[], exchangeTime: number): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const watermarks = new Map<string, Watermark>();
      for (const row of rows) {
        const mark = 'gap' in row ? this.#writeGap(row) : this.#writeCandle(row.candle);
        watermarks.set(`${mark.symbol}@${mark.interval}`, mark);
      }
      for (const mark of watermarks.values())
        this.#setWatermark.run(mark.symbol, mark.interval, mark.openTime);
      this.#noteTime(exchangeTime);
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Notes the exchange's time, empties the WAL into the file and lets go of both files. */
  close(exchangeTime: number): void {
    try {
      this.#noteTime(exchangeTime);
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } finally {
      this.#database.close();
      this.#unlock();
    }
  }

  /** The next run of an exchange that we simulate starts behind it. NaN while it is not known. */
  #noteTime(exchangeTime: number): void {
    if (Number.isFinite(exchangeTime)) this.#setMeta.run('exchange_time', String(Math.round(exchangeTime)));
  }

  #writeCandle(c: Candle): Watermark {
    this.#insertCandle.run(
      c.symbol,
      c.interval,
      c.openTime,
      c.open,
      c.high,
      c.low,
      c.close,
      c.volume,
      c.closeTime,
      c.quoteVolume,
      c.count,
      c.takerBuyVolume,
      c.takerBuyQuoteVolume,
      c.source,
    );
    return c;
  }

  #writeGap({ gap }: Extract<Row, { gap: unknown }>): Watermark {
    this.#insertGap.run(
      gap.symbol,
      gap.interval,
      gap.fromOpenTime,
      gap.toOpenTime,
      gap.reason,
      gap.detectedAt,
    );
    return { symbol: gap.symbol, interval: gap.interval, openTime: gap.toOpenTime };
  }

  #create(origin: string): void {
    this.#database.exec(`BEGIN IMMEDIATE; ${SCHEMA}`);
    this.#database.prepare(SET_META).run('origin', origin);
    this.#database.exec(
      `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`,
    );
  }

  #watermarks(): Watermark[] {
    const rows = this.#database
      .prepare('SELECT symbol, interval, open_time AS openTime FROM watermarks')
      .all();
    return rows.map((row) => ({ ...row }) as unknown as Watermark);
  }
}

/** SQLite's own errors as ours, with the path and what to do. */
export function asStoreError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new StoreError(`${path} cannot be used as a store: ${message}; check the path and its permissions`, {
    code: 'STORE_UNUSABLE',
    cause: error,
  });
}
