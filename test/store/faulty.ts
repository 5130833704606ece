/** Stores with faults that the program itself would not write. */
import { DatabaseSync } from 'node:sqlite';
import { type Interval, nextOpenTime } from '../../machines/model/interval.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import type { Row } from '../../machines/model/row.ts';
import { StoreDatabase } from '../../src/store/database.ts';
import { inspectFile } from '../../src/store/identity.ts';
import type { VerifyQuestion } from '../../src/store/verify.file.ts';
import { verifyFile } from '../../src/store/verify.file.ts';
import type { StoreFindings } from '../../src/store/verify.ts';
import { bar, openTimes } from '../pipeline/candles.ts';

/** Monday, first day of a month, a day that is a multiple of three: every interval has a bar that opens then. */
export const FROM = Date.UTC(2024, 6, 1);

export const seriesOf = (interval: Interval, symbol = 'BTCUSDT'): Series => ({ symbol, interval });

/** So many bars of a series from {@link FROM} on. */
export const barsOf = (series: Series, count: number, from = FROM): Candle[] =>
  openTimes(series.interval, from, count).map((openTime) => bar(openTime, 'rest', series));

/** Writes rows as the collector does; the exchange's time is then the end of the last bar. */
export function write(path: string, ...batches: (readonly Row[])[]): void {
  const holder = { pid: process.pid, host: 'here', since: 0 };
  const { database } = StoreDatabase.open({ path, origin: 'simulator', holder });
  let time = inspectFile(path).exchangeTime ?? FROM;
  for (const batch of batches) {
    for (const row of batch)
      for (const { closeTime } of 'candle' in row ? [row.candle] : 'fill' in row ? row.fill.candles : [])
        time = Math.max(time, closeTime + 1);
    database.commit(batch, time);
  }
  database.close(time);
}

export const asRows = (candles: readonly Candle[]): Row[] => candles.map((candle) => ({ candle }));

/** Statements on a connection that holds nobody to a rule: no CHECK, and definitions of tables may be rewritten. */
export function plant(path: string, sql: string): void {
  const database = new DatabaseSync(path, { defensive: false } as object);
  try {
    database.exec(`PRAGMA ignore_check_constraints = ON; ${sql}`);
  } finally {
    database.close();
  }
}

/** The table without its rules: every type and every number is taken. */
export const WITHOUT_RULES = `
  CREATE TABLE loose (symbol, interval, open_time, open, high, low, close, volume, close_time, quote_volume, count,
    taker_buy_volume, taker_buy_quote_volume, source, PRIMARY KEY (symbol, interval, open_time)) WITHOUT ROWID;
  INSERT INTO loose SELECT * FROM candles; DROP TABLE candles; ALTER TABLE loose RENAME TO candles;`;

/** What is found, looked at in this process. */
export function found(path: string, question: Omit<VerifyQuestion, 'path'> = {}): StoreFindings {
  let findings: StoreFindings | undefined;
  verifyFile({ path, ...question }, (answer) => {
    if ('refused' in answer) throw new Error(answer.refused.message);
    if ('findings' in answer) findings = answer.findings;
  });
  if (findings === undefined) throw new Error('nothing was said');
  return findings;
}

/** Kinds that were found, with how often. */
export const countsIn = ({ counts }: StoreFindings): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

/** Open time of the bar numbered `index`. */
export function openTimeOf(interval: Interval, index: number): number {
  let time = FROM;
  for (let at = 0; at < index; at++) time = nextOpenTime(interval, time);
  return time;
}
