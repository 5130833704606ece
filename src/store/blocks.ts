/** A store read by whoever does not write it: nothing is made beside it, and no writer waits. */
import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { BLOCK_FIELDS, type CandleBlock, newColumns } from '../../machines/model/block.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import type { Span } from '../../machines/model/spans.ts';
import { Coverage } from './coverage.ts';
import { openToLook, stampOf } from './identity.ts';
import { missingBars } from './missing.ts';
import { NEXT_INTERVAL, NEXT_SYMBOL, READ_BARS } from './schema.ts';

export interface ReadOptions {
  /** Bars that open in [from, to), ms. Default: all. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Bars of a block, at most. */
  readonly rowsPerBlock?: number;
}

const ROWS_PER_BLOCK = 4_096;
/** How often something that changed while it was read is read. */
const TRIES_MAX = 3;

/**
 * The bars of a series, ascending, as blocks that are each of one source, in constant memory. Every block is read by
 * itself: however long the reader takes, nobody waits for it, and what is corrected meanwhile is read as it is then.
 */
export function* readBlocks(
  path: string,
  { symbol, interval }: Series,
  { from = 0, to = Number.MAX_SAFE_INTEGER, rowsPerBlock = ROWS_PER_BLOCK }: ReadOptions = {},
): Generator<CandleBlock, void, undefined> {
  for (let next = Math.ceil(from); ; ) {
    const rows = lookAt(path, (database) =>
      database.prepare(READ_BARS).all(symbol, interval, next, Math.ceil(to), rowsPerBlock),
    ) as unknown as Candle[];
    yield* blocksOf({ symbol, interval }, rows);
    const last = rows.at(-1);
    if (last === undefined || rows.length < rowsPerBlock) return;
    next = last.openTime + 1;
  }
}

/** Where the source changes, a new block begins. */
function* blocksOf({ symbol, interval }: Series, rows: readonly Candle[]): Generator<CandleBlock> {
  for (let at = 0; at < rows.length; ) {
    const { source } = rows[at] as Candle;
    let end = at + 1;
    while (rows[end]?.source === source) end += 1;
    const columns = newColumns(end - at);
    for (const field of BLOCK_FIELDS) {
      const column = columns[field];
      for (let row = at; row < end; row++) column[row - at] = (rows[row] as Candle)[field];
    }
    yield { symbol, interval, source, rows: end - at, columns };
    at = end;
  }
}

/** Which series there are bars of, by symbol and interval. Counts nothing. */
export const namesOfSeries = (path: string): Series[] => lookAt(path, (database) => [...seriesIn(database)]);

/** By one search each, whatever there is of them. */
function* seriesIn(database: DatabaseSync): Generator<Series> {
  const ofSymbol = database.prepare(NEXT_INTERVAL);
  const behindSymbol = database.prepare(NEXT_SYMBOL);
  let found = behindSymbol.get('') as unknown as Series | undefined;
  while (found !== undefined) {
    yield found;
    const { symbol, interval } = found;
    found = (ofSymbol.get(symbol, interval) ?? behindSymbol.get(symbol)) as unknown as Series | undefined;
  }
}

/** What {@link StoreWriter.missing} tells, of a store that is not to be written. */
export function readMissing(
  path: string,
  series: Series,
  range: Span,
  { exchangeTime }: { readonly exchangeTime: number },
): readonly Span[] {
  return lookAt(path, (database) => missingBars(new Coverage(database), series, range, exchangeTime));
}

/** All that is read is of one moment: a file that nobody wrote, and that changed meanwhile, is read again. */
function lookAt<Result>(path: string, look: (database: DatabaseSync) => Result): Result {
  for (let tries = 1; ; tries++) {
    const stamp = stampOf(path);
    const isTakenAsStill = !existsSync(`${path}-wal`);
    const isDoubtful = (): boolean => isTakenAsStill && tries < TRIES_MAX && stampOf(path) !== stamp;
    const database = openToLook(path);
    try {
      database.exec('BEGIN');
      const result = look(database);
      if (!isDoubtful()) return result;
    } catch (error) {
      if (!isDoubtful()) throw error;
    } finally {
      database.close();
    }
  }
}
