import type { DatabaseSync } from 'node:sqlite';
import type { Candle, Series } from '../../machines/model/kline.ts';
import { openToLook } from './identity.ts';
import { READ_CANDLES } from './schema.ts';

/**
 * Candles of a store that open after `afterOpenTime`, oldest first, `rowsMax` at most. By a read-only
 * connection that is open for this page alone: in WAL mode it neither waits for the writer nor holds it up,
 * and nothing is left to close. A page of 500 rows takes about a millisecond.
 */
export function readCandles(
  path: string,
  series: Series,
  afterOpenTime: number,
  rowsMax: number,
): readonly Candle[] {
  const database = openToLook(path);
  try {
    return candlesIn(database, series, afterOpenTime, rowsMax);
  } finally {
    database.close();
  }
}

/** The same of a database that is open. */
export function candlesIn(
  database: DatabaseSync,
  { symbol, interval }: Series,
  afterOpenTime: number,
  rowsMax: number,
): readonly Candle[] {
  const after = Math.max(afterOpenTime, Number.MIN_SAFE_INTEGER);
  const rows = database.prepare(READ_CANDLES).all(symbol, interval, after, rowsMax);
  return rows.map((row) => ({ ...row }) as unknown as Candle);
}
