import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Run } from '../../machines/model/gaps.ts';
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import type { Gap, Row } from '../../machines/model/row.ts';
import type { Span } from '../../machines/model/spans.ts';
import { patiently } from './busy.ts';
import { Corrections, insertCandle } from './corrections.ts';
import { Coverage } from './coverage.ts';
import { type Hold, type Holding, holdFile, type OpenRequest, WAL_BYTES_MAX } from './holding.ts';
import { asStoreError, checkIdentity, checkOrigin } from './identity.ts';
import { type HistoryBatch, Loader, type LoadResult } from './load.ts';
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

/**
 * The SQLite database, synchronously: it lives in a worker thread (`sqlite.worker.ts`). Rows, watermarks, gaps
 * and corrections of a batch are one transaction. A batch may come again: each kind of row is then nothing new.
 */
export class StoreDatabase {
  readonly #holding: Holding;
  readonly #database: DatabaseSync;
  readonly #insertCandle: StatementSync;
  readonly #setMeta: StatementSync;
  readonly #corrections: Corrections;
  readonly #coverage: Coverage;
  readonly #marks: Marks;
  readonly #loader: Loader;

  /**
   * Opens or creates the store, and takes hold of it.
   *
   * @param hold default: of the file and its lock.
   * @throws {StoreError}
   */
  static open(request: OpenRequest, hold: Hold = holdFile): { database: StoreDatabase; opened: Opened } {
    try {
      const holding = hold(request);
      try {
        const database = new StoreDatabase(request, holding);
        return { database, opened: database.#opened() };
      } catch (error) {
        holding.release();
        throw error;
      }
    } catch (error) {
      throw asStoreError(error, request.path);
    }
  }

  private constructor(request: OpenRequest, holding: Holding) {
    this.#holding = holding;
    this.#database = holding.database;
    patiently(() => this.#prepare(request));
    this.#insertCandle = this.#database.prepare(INSERT_CANDLE);
    this.#setMeta = this.#database.prepare(SET_META);
    this.#corrections = new Corrections(this.#database, this.#insertCandle);
    this.#coverage = new Coverage(this.#database);
    this.#marks = new Marks(this.#database, this.#coverage);
    this.#loader = new Loader(this.#database, this.#corrections, this.#marks);
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
    this.#holding.assertInPlace();
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
    return this.#holding.walBytes();
  }

  /** Notes the exchange's time, empties the WAL into the file and lets go of it. */
  close(exchangeTime: number): void {
    try {
      this.#holding.assertInPlace();
      patiently(() => this.#noteTime(exchangeTime));
      const checkpoint = this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)');
      // A reader that stays keeps the WAL, where rows are as safe.
      patiently(
        () => checkpoint.get(),
        (result) => result?.['busy'] === 0,
      );
    } finally {
      this.#holding.release();
    }
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
