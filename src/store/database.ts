import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Run } from '../../machines/model/gaps.ts';
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import type { Gap, Row } from '../../machines/model/row.ts';
import type { Span } from '../../machines/model/spans.ts';
import { StoreError } from '../errors.ts';
import { BUSY_SLICE_MS, patiently } from './busy.ts';
import { Corrections, insertCandle } from './corrections.ts';
import { Coverage } from './coverage.ts';
import { asStoreError, checkIdentity, checkOrigin, inspectFile, makeFolder } from './identity.ts';
import { type HistoryBatch, Loader, type LoadResult } from './load.ts';
import { type Holder, lockStore } from './lock.ts';
import { Marks, type StoredSeries } from './marks.ts';
import { missingBars } from './missing.ts';
import {
  APPLICATION_ID,
  INSERT_CANDLE,
  OPEN_GAPS,
  REVISIONS_INDEX,
  SCHEMA,
  SCHEMA_VERSION,
  SET_META,
} from './schema.ts';

export interface Opened {
  readonly watermarks: readonly StoredSeries[];
  /** Gaps that are not filled, the newest findings first, bounded. */
  readonly gaps: readonly Gap[];
}

export interface OpenRequest {
  readonly path: string;
  /** The network that the candles are from; a store of another is refused. */
  readonly origin: string;
  readonly holder: Holder;
}

/**
 * The WAL is emptied into the file at 4 MiB. What makes it longer is a reader that keeps an old state of the store: beyond
 * this it is told of, and when that reader has gone the WAL is cut back to this, bytes.
 */
export const WAL_BYTES_MAX = 16 * 1_048_576;

/**
 * The SQLite file, synchronously: it lives in a worker thread (`sqlite.worker.ts`). Rows, watermarks, gaps
 * and corrections of a batch are one transaction. A batch may come again: each kind of row is then nothing new.
 */
export class StoreDatabase {
  readonly #database: DatabaseSync;
  readonly #unlock: () => void;
  readonly #path: string;
  readonly #inode: number;
  readonly #insertCandle: StatementSync;
  readonly #setMeta: StatementSync;
  readonly #corrections: Corrections;
  readonly #coverage: Coverage;
  readonly #marks: Marks;
  readonly #loader: Loader;

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
      try {
        return { database, opened: database.#opened() };
      } catch (error) {
        database.#database.close();
        throw error;
      }
    } catch (error) {
      unlock();
      throw asStoreError(error, request.path);
    }
  }

  private constructor(request: OpenRequest, unlock: () => void) {
    this.#unlock = unlock;
    this.#path = request.path;
    this.#database = new DatabaseSync(request.path, { timeout: BUSY_SLICE_MS });
    try {
      patiently(() => this.#prepare(request));
      this.#inode = statSync(request.path).ino;
      this.#insertCandle = this.#database.prepare(INSERT_CANDLE);
      this.#setMeta = this.#database.prepare(SET_META);
      this.#corrections = new Corrections(this.#database, this.#insertCandle);
      this.#coverage = new Coverage(this.#database);
      this.#marks = new Marks(this.#database, this.#coverage);
      this.#loader = new Loader(this.#database, this.#corrections, this.#marks);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Makes it what it is to be; changes nothing when it is that already, so that it may be done again. */
  #prepare(request: OpenRequest): void {
    const identity = checkIdentity(this.#database, request.path);
    if (identity === 'ours') checkOrigin(this.#database, request.path, request.origin);
    // Readers may be at work meanwhile; NORMAL may lose the last commits on power loss, never consistency,
    // and what is lost lies behind the watermark and is fetched again.
    this.#database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = ${WAL_BYTES_MAX};`,
    );
    if (identity === 'new') this.#create(request.origin);
    this.#database.exec(REVISIONS_INDEX);
    Marks.prepare(this.#database);
  }

  /** Writes a batch; on an error nothing of it is written. */
  commit(rows: readonly Row[], exchangeTime: number): void {
    const stretches = new Map<string, Series & Run>();
    this.#transaction(exchangeTime, () => {
      for (const row of rows) {
        const run = this.#write(row);
        if (run !== undefined) {
          const known = stretches.get(seriesKey(run));
          stretches.set(seriesKey(run), { ...run, fromOpenTime: known?.fromOpenTime ?? run.fromOpenTime });
        }
        // What came before it in this batch does not move the mark any more.
        if ('rewind' in row) stretches.delete(seriesKey(row.rewind));
      }
      this.#marks.collected(stretches.values());
    });
    this.#marks.committed(stretches.values());
  }

  /** Writes a part of the history; on an error nothing of it is written. The same part again changes nothing. */
  load(batch: HistoryBatch, exchangeTime: number): LoadResult {
    return this.#transaction(exchangeTime, () => this.#loader.load(batch, exchangeTime));
  }

  /** Runs of bars that are worth asking for. */
  missing(series: Series, range: Span, exchangeTime: number): readonly Span[] {
    return missingBars(this.#coverage, series, range, exchangeTime);
  }

  /** Gaps that are open, as far as they say something of the range. */
  gaps(series: Series, range: Span): readonly Gap[] {
    return this.#coverage.gaps(series, range);
  }

  #transaction<Result>(exchangeTime: number, work: () => Result): Result {
    this.#assertInPlace();
    patiently(() => this.#database.exec('BEGIN IMMEDIATE'));
    try {
      const result = work();
      this.#noteTime(exchangeTime);
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** How long the WAL is, bytes. */
  walBytes(): number {
    return statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Notes the exchange's time, empties the WAL into the file and lets go of both files. */
  close(exchangeTime: number): void {
    try {
      this.#assertInPlace();
      patiently(() => this.#noteTime(exchangeTime));
      const checkpoint = this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)');
      // A reader that stays keeps the WAL, where rows are as safe.
      patiently(
        () => checkpoint.get(),
        (result) => result?.['busy'] === 0,
      );
    } finally {
      this.#database.close();
      this.#unlock();
    }
  }

  /** A file that was removed or replaced takes writes as before, and nobody will ever read them. */
  #assertInPlace(): void {
    if (statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode) return;
    throw new StoreError(`${this.#path} was removed or replaced while it was being written`, {
      code: 'STORE_REPLACED',
    });
  }

  /** The next run of an exchange that we simulate starts behind it. NaN while it is not known. */
  #noteTime(exchangeTime: number): void {
    if (Number.isFinite(exchangeTime)) this.#setMeta.run('exchange_time', String(Math.round(exchangeTime)));
  }

  /** What a row of the ledger does to the tables; what of its series is collected by it. */
  #write(row: Row): (Series & Run) | undefined {
    if ('candle' in row) {
      const { symbol, interval, openTime } = row.candle;
      insertCandle(this.#insertCandle, row.candle);
      return { symbol, interval, fromOpenTime: openTime, toOpenTime: openTime };
    }
    if ('gap' in row) {
      this.#corrections.name(row.gap);
      return row.gap;
    }
    if ('fill' in row) this.#corrections.fill(row.fill);
    else if ('revision' in row) this.#corrections.revise(row.revision);
    else this.#marks.rewind(row.rewind);
    return undefined;
  }

  #create(origin: string): void {
    this.#database.exec(`BEGIN IMMEDIATE; ${SCHEMA}`);
    this.#database.prepare(SET_META).run('origin', origin);
    this.#database.exec(
      `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`,
    );
  }

  #opened(): Opened {
    const gaps = this.#database.prepare(OPEN_GAPS).all();
    return { watermarks: this.#marks.all(), gaps: gaps.map((row) => ({ ...row }) as unknown as Gap) };
  }
}
