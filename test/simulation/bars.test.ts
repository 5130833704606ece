/** The judge of what is told: it misses what was stored and kept back, and nothing else. */
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { Candle } from '../../src/index.ts';
import { ToldBars } from './check/bars.ts';
import { Violations } from './check/violations.ts';
import { Untruths } from './check/wire.ts';

const MINUTE = 60_000;
const SERIES = { symbol: 'BTCUSDT', interval: '1m' } as const;
const NUMBERS =
  'open, high, low, close, volume, close_time, quote_volume, count, taker_buy_volume, taker_buy_quote_volume';
const bar = (minute: number): Candle => ({
  ...SERIES,
  openTime: minute * MINUTE,
  open: 1,
  high: 1,
  low: 1,
  close: 1,
  volume: 1,
  closeTime: (minute + 1) * MINUTE - 1,
  quoteVolume: 1,
  count: 1,
  takerBuyVolume: 1,
  takerBuyQuoteVolume: 1,
  source: 'stream',
});

function rig() {
  const database = new DatabaseSync(':memory:');
  database.exec(`CREATE TABLE gaps (symbol, interval, from_open_time, to_open_time);
    CREATE TABLE revisions (symbol, interval, open_time, before);
    CREATE TABLE candles (symbol, interval, open_time, ${NUMBERS}, source)`);
  const insert = database.prepare(
    "INSERT INTO candles VALUES ('BTCUSDT', '1m', ?, 1, 1, 1, 1, 1, ?, 1, 1, 1, 1, 'stream')",
  );
  const violations = new Violations(() => 0);
  const truth = { candle: (_: string, __: string, openTime: number) => bar(openTime / MINUTE) } as never;
  const told = new ToldBars({
    violations,
    truth,
    untruths: new Untruths(truth),
    now: () => 100 * MINUTE,
    database: () => database,
  });
  return {
    told,
    violations,
    store: (minute: number) => void insert.run(minute * MINUTE, (minute + 1) * MINUTE - 1),
    lack: (minute: number) =>
      told.gap({
        ...SERIES,
        fromOpenTime: minute * MINUTE,
        toOpenTime: minute * MINUTE,
        reason: 'lacking',
        status: 'open',
      } as never),
  };
}

test('a bar that is stored and was not told is missed', () => {
  const { told, store, violations } = rig();
  store(1);
  told.candle(bar(1));
  expect(told.untold()).toBeUndefined();
  store(2);
  expect(told.untold()).toContain('BTCUSDT@1m 1970-01-01T00:02');
  expect(violations.all).toEqual([]);
});

test('a gap at the end that was told, and filled since, is not missed; what is stored before it and was kept back is', () => {
  const { told, store, lack } = rig();
  store(1);
  told.candle(bar(1));
  lack(2);
  store(2);
  expect(told.untold()).toBeUndefined();
  const other = rig();
  other.store(1);
  other.lack(2);
  other.store(2);
  expect(other.told.untold()).toContain('BTCUSDT@1m 1970-01-01T00:01');
});
