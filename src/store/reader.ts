import type { DatabaseSync } from 'node:sqlite';
import type { Candle, Series } from '../../machines/model/kline.ts';
import { StoreError } from '../errors.ts';
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

/**
 * The same of a database that is open.
 *
 * @throws {StoreError} `STORE_DAMAGED` when they are not in order: whoever goes on behind the last of them would leave
 * bars out in silence, or get the same page for ever.
 */
export function candlesIn(
  database: DatabaseSync,
  { symbol, interval }: Series,
  afterOpenTime: number,
  rowsMax: number,
): readonly Candle[] {
  const after = Math.max(afterOpenTime, Number.MIN_SAFE_INTEGER);
  const rows = database.prepare(READ_CANDLES).all(symbol, interval, after, rowsMax);
  let before = after;
  return rows.map((row) => {
    const candle = { ...row } as unknown as Candle;
    if (!(candle.openTime > before && candle.symbol === symbol && candle.interval === interval))
      throw outOfOrder({ symbol, interval }, before);
    before = candle.openTime;
    return candle;
  });
}

/** What a store has of a series behind an open time, ms, is not what it can have there. */
export const outOfOrder = ({ symbol, interval }: Series, behind: number): StoreError =>
  new StoreError(
    `the store is damaged: what it has of ${symbol}@${interval} behind ${behind} is not in order; candlestate verify says what else`,
    { code: 'STORE_DAMAGED' },
  );
