/** Many bars of a store as they stood at one moment. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  BLOCK_FIELDS,
  type BlockField,
  type CandleBlock,
  newColumns,
  partOf,
} from '../../machines/model/block.ts';
import type { CandleSource, Series } from '../../machines/model/kline.ts';
import type { Gap } from '../../machines/model/row.ts';
import { BUSY_TIMEOUT_MS } from './busy.ts';
import { openToLook } from './identity.ts';
import { outOfOrder } from './reader.ts';
import { OPEN_GAPS_BETWEEN, READ_RANGE } from './schema.ts';

export interface SnapshotRange {
  /** Bars that open in [from, to), ms. */
  readonly from: number;
  readonly to: number;
}

const ROWS_PER_BLOCK = 10_000;

/**
 * A series of a store as it stands now, whatever a collector writes meanwhile: it need not wait, but its log grows
 * until this is closed. Reading a block takes some ten ms, in which nothing else happens.
 */
export class Snapshot {
  readonly #database: DatabaseSync;
  readonly #series: Series;

  constructor(path: string, series: Series) {
    this.#database = openToRead(path);
    this.#series = series;
    // A transaction is of the moment of its first look.
    this.#database.exec('BEGIN; SELECT 1 FROM sqlite_schema');
  }

  /**
   * Its bars, ascending. A block is of one source; blocks that follow each other may be parts of one memory.
   *
   * @throws {StoreError} `STORE_DAMAGED` when they are not in order.
   */
  *blocks({ from, to }: SnapshotRange): Generator<CandleBlock, void, undefined> {
    const { symbol, interval } = this.#series;
    let columns = newColumns(ROWS_PER_BLOCK);
    let [begin, end, source] = [0, 0, 'stream' as CandleSource];
    let before = Number.NEGATIVE_INFINITY;
    const block = (): CandleBlock => partOf({ symbol, interval, source, rows: end, columns }, begin, end);
    for (const row of rowsOf(this.#database.prepare(READ_RANGE), symbol, interval, from, to)) {
      const openTime = row[0] as number;
      if (!(openTime > before)) throw outOfOrder(this.#series, before);
      before = openTime;
      const itsSource = row[BLOCK_FIELDS.length] as CandleSource;
      const isFull = end === ROWS_PER_BLOCK;
      if (end > begin && (isFull || source !== itsSource)) {
        yield block();
        begin = end;
      }
      if (isFull) {
        columns = newColumns(ROWS_PER_BLOCK);
        [begin, end] = [0, 0];
      }
      source = itsSource;
      for (let index = 0; index < BLOCK_FIELDS.length; index++)
        columns[BLOCK_FIELDS[index] as BlockField][end] = row[index] as number;
      end++;
    }
    if (end > begin) yield block();
  }

  /** Its gaps that are open and of which a bar opens in [from, to). */
  gaps({ from, to }: SnapshotRange): readonly Gap[] {
    const { symbol, interval } = this.#series;
    const rows = this.#database.prepare(OPEN_GAPS_BETWEEN).all(symbol, interval, from, to - 1);
    return rows.map((row) => ({ ...row }) as unknown as Gap);
  }

  close(): void {
    this.#database.close();
  }
}

/**
 * To be read for longer: another program may begin to write it meanwhile, so it is not taken as a file that can't
 * change. A connection that may write takes WAL and index with it when it is the last to close; one that may not
 * leaves them.
 */
function openToRead(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    database.exec('PRAGMA query_only = 1; SELECT 1 FROM sqlite_schema');
    return database;
  } catch {
    // A folder that can't be written, as one of a medium that is read-only: nobody else writes there either.
    database?.close();
    return openToLook(path);
  }
}

/** Rows as arrays, which cost half as much as objects; before Node 22.16 there are objects only. */
function* rowsOf(
  statement: StatementSync,
  ...values: (string | number)[]
): Generator<readonly unknown[], void, undefined> {
  if ('setReturnArrays' in statement) {
    statement.setReturnArrays(true);
    yield* statement.iterate(...values) as unknown as Iterable<readonly unknown[]>;
  } else for (const row of (statement as StatementSync).iterate(...values)) yield Object.values(row);
}
