/** Bars of a store, a block at a time, for who reads many of them. */
import { existsSync } from 'node:fs';
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
import { GAPS_OPEN_WITHIN, NEXT_SERIES, READ_RANGE } from './schema.ts';

export interface BlocksRange {
  /** Bars that open in [from, to), ms. */
  readonly from: number;
  readonly to: number;
  /** Rows of a block at most. */
  readonly rowsPerBlock: number;
}

/**
 * Bars of one series, ascending, as they stood at one moment, whatever a collector writes meanwhile. A block ends
 * where the source changes. The file is open until the last block was taken, or the generator is returned.
 */
export function* readBlocks(
  path: string,
  series: Series,
  { from, to, rowsPerBlock }: BlocksRange,
): Generator<CandleBlock, void, undefined> {
  const database = openToRead(path);
  try {
    database.exec('BEGIN');
    let block = emptyBlock(series, 'stream', rowsPerBlock);
    const statement = database.prepare(READ_RANGE);
    for (const row of rowsOf(statement, series.symbol, series.interval, from, to)) {
      const source = row[BLOCK_FIELDS.length] as CandleSource;
      if (block.rows === rowsPerBlock || (block.rows > 0 && block.source !== source)) {
        yield partOf(block, 0, block.rows);
        block = emptyBlock(series, source, rowsPerBlock);
      }
      block.source = source;
      for (let index = 0; index < BLOCK_FIELDS.length; index++)
        block.columns[BLOCK_FIELDS[index] as BlockField][block.rows] = row[index] as number;
      block.rows++;
    }
    if (block.rows > 0) yield partOf(block, 0, block.rows);
  } finally {
    database.close();
  }
}

/** Rows as arrays, which cost half as much as objects; before Node 22.16 there are objects only. */
function* rowsOf(statement: StatementSync, ...values: (string | number)[]): Generator<readonly unknown[]> {
  if ('setReturnArrays' in statement) {
    statement.setReturnArrays(true);
    yield* statement.iterate(...values) as unknown as Iterable<readonly unknown[]>;
  } else for (const row of (statement as StatementSync).iterate(...values)) yield Object.values(row);
}

/**
 * To be read for longer: another program may begin to write it meanwhile, so it is not taken as a file that can't
 * change. A connection that may write takes WAL and index with it when it closes; one that may not leaves them.
 */
function openToRead(path: string): DatabaseSync {
  if (existsSync(`${path}-wal`)) return openToLook(path);
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    database.exec('PRAGMA query_only = 1; SELECT 1 FROM sqlite_schema');
    return database;
  } catch {
    // A folder that can't be written, as one of a medium that is read-only: nobody else writes there either.
    database.close();
    return openToLook(path);
  }
}

type Filling = { -readonly [Key in keyof CandleBlock]: CandleBlock[Key] };

const emptyBlock = ({ symbol, interval }: Series, source: CandleSource, rows: number): Filling => ({
  symbol,
  interval,
  source,
  rows: 0,
  columns: newColumns(rows),
});

/** Every series of which there are bars. By keys alone: a store has millions of bars. */
export function storedSeries(path: string): readonly Series[] {
  return look(path, (database) => {
    const next = database.prepare(NEXT_SERIES);
    const found: Series[] = [];
    let last: Pick<Record<keyof Series, string>, 'symbol' | 'interval'> = { symbol: '', interval: '' };
    for (;;) {
      const row = next.get(last.symbol, last.interval);
      if (row === undefined) return found;
      const series = { ...row } as unknown as Series;
      found.push(series);
      last = series;
    }
  });
}

/** Open gaps of a series of which a bar opens in [from, to), ascending. */
export const openGapsWithin = (
  path: string,
  { symbol, interval }: Series,
  { from, to }: Pick<BlocksRange, 'from' | 'to'>,
): readonly Gap[] =>
  look(path, (database) =>
    database
      .prepare(GAPS_OPEN_WITHIN)
      .all(symbol, interval, from, to)
      .map((row) => ({ ...row }) as unknown as Gap),
  );

function look<Result>(path: string, read: (database: DatabaseSync) => Result): Result {
  const database = openToLook(path);
  try {
    return read(database);
  } finally {
    database.close();
  }
}
