/** A store as any other program sees it: the contract's tables, by a connection of our own. */
import { DatabaseSync } from 'node:sqlite';
import type { Interval } from '../../machines/model/interval.ts';
import type { Candle } from '../../machines/model/kline.ts';

export interface StoredGap {
  readonly symbol: string;
  readonly interval: Interval;
  readonly fromOpenTime: number;
  readonly toOpenTime: number;
  readonly reason: string;
  readonly detectedAt: number;
  readonly filledAt: number | null;
}

export interface StoredRevision {
  readonly symbol: string;
  readonly interval: Interval;
  readonly openTime: number;
  readonly before: Candle;
  readonly after: Candle;
}

export interface StoreContent {
  /** What `PRAGMA integrity_check` says. */
  readonly integrity: string;
  /** In order of series and open time. */
  readonly candles: readonly Candle[];
  readonly gaps: readonly StoredGap[];
  /** In the order in which they were seen. */
  readonly revisions: readonly StoredRevision[];
}

/** Reads a store, also while it is being written: one picture of one moment. */
export function readStore(path: string): StoreContent {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    database.exec('BEGIN');
    return contentOf(database);
  } finally {
    database.close();
  }
}

/** Everything that is in a store. */
export function contentOf(database: DatabaseSync): StoreContent {
  const all = <Row>(sql: string): Row[] =>
    database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }) as Row);
  return {
    integrity: all<{ integrity_check: string }>('PRAGMA integrity_check')
      .map((row) => row.integrity_check)
      .join('; '),
    candles: all<Candle>(
      `SELECT symbol, interval, open_time AS openTime, open, high, low, close, volume, close_time AS closeTime,
                quote_volume AS quoteVolume, count, taker_buy_volume AS takerBuyVolume,
                taker_buy_quote_volume AS takerBuyQuoteVolume, source
         FROM candles ORDER BY symbol, interval, open_time`,
    ),
    gaps: all<StoredGap>(
      `SELECT symbol, interval, from_open_time AS fromOpenTime, to_open_time AS toOpenTime, reason,
                detected_at AS detectedAt, filled_at AS filledAt
         FROM gaps ORDER BY symbol, interval, from_open_time`,
    ),
    revisions: all<{ before: string; after: string } & Omit<StoredRevision, 'before' | 'after'>>(
      `SELECT symbol, interval, open_time AS openTime, before, after FROM revisions ORDER BY seen_at, rowid`,
    ).map((row) => ({
      ...row,
      before: JSON.parse(row.before) as Candle,
      after: JSON.parse(row.after) as Candle,
    })),
  };
}
