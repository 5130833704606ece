import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Interval } from '../../machines/model/interval.ts';
import type { Candle } from '../../machines/model/kline.ts';
import type { Row } from '../../machines/model/row.ts';
import {
  asStoreError,
  BUSY_TIMEOUT_MS,
  checkIdentity,
  checkOrigin,
  inspectFile,
  makeFolder,
} from './identity.ts';
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

/**
 * The SQLite file, synchronously: it lives in a worker thread (`sqlite.worker.ts`). Rows, watermarks and gaps
 * of a batch are one transaction.
 */
export class StoreDatabase {
  readonly #database: DatabaseSync;
  readonly #unlock: () => void;
  readonly #path: string;
  readonly #inode: number;
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
    this.#path = request.path;
    this.#database = new DatabaseSync(request.path, { timeout: BUSY_TIMEOUT_MS });
    try {
      const identity = checkIdentity(this.#database, request.path);
      if (identity === 'ours') checkOrigin(this.#database, request.path, request.origin);
      // Readers may be at work meanwhile; NORMAL may lose the last commits on power loss, never consistency,
      // and what is lost lies behind the watermark and is fetched again.
      this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      if (identity === 'new') this.#create(request.origin);
      this.#inode = statSync(request.path).ino;
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
    this.#assertInPlace();
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
      this.#assertInPlace();
      this.#noteTime(exchangeTime);
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } finally {
      this.#database.close();
      this.#unlock();
    }
  }

  /** A file that was removed or replaced takes writes as before, and nobody will ever read them. */
  #assertInPlace(): void {
    if (statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode) return;
    throw new Error(
      `${this.#path} was removed or replaced while it was being written; stop, and put it back`,
    );
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
