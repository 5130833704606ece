/** Bars of a store, a block at a time, for who reads many of them. */
import type { DatabaseSync } from 'node:sqlite';
import { BLOCK_FIELDS, type CandleBlock, newColumns, partOf } from '../../machines/model/block.ts';
import type { CandleSource, Series } from '../../machines/model/kline.ts';
import type { Gap } from '../../machines/model/row.ts';
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
  const database = openToLook(path);
  try {
    database.exec('BEGIN');
    const rows = database.prepare(READ_RANGE).iterate(series.symbol, series.interval, from, to);
    let block = emptyBlock(series, 'stream', rowsPerBlock);
    for (const row of rows) {
      const source = row['source'] as CandleSource;
      if (block.rows === rowsPerBlock || (block.rows > 0 && block.source !== source)) {
        yield partOf(block, 0, block.rows);
        block = emptyBlock(series, source, rowsPerBlock);
      }
      block.source = source;
      for (const field of BLOCK_FIELDS) block.columns[field][block.rows] = row[field] as number;
      block.rows++;
    }
    if (block.rows > 0) yield partOf(block, 0, block.rows);
  } finally {
    database.close();
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
