/** A week of recorded candles, replayed: what is stored is what the files say, row by row. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { expect, test } from 'vitest';
import type { Candle } from '../../src/index.ts';
import {
  collectFrom,
  newStore,
  ofSeries,
  query,
  startExchange,
  storedCandles,
} from '../support/collector.ts';
import { fixturesMissing, shared } from '../support/fixtures.ts';
import { until } from '../support/wait.ts';

const SYMBOLS = ['ALGOUSDT', 'AVAXUSDT', 'DOTUSDT', 'FILUSDT', 'LINKUSDT', 'LTCUSDT', 'NEARUSDT'];
const DAY = 86_400_000;
const WEEK_START = Date.UTC(2026, 1, 3);
const WEEK_END = Date.UTC(2026, 1, 10);

/** A row of an archive file in our columns; the file is read here and nowhere through our own code. */
function candleOfRow(symbol: string, row: string): Omit<Candle, 'source'> {
  const [openTime, open, high, low, close, volume, closeTime, quote, count, taker, takerQuote] = row
    .split(',')
    .map(Number) as [number, number, number, number, number, number, number, number, number, number, number];
  return {
    symbol,
    interval: '1m',
    openTime,
    open,
    high,
    low,
    close,
    volume,
    closeTime,
    quoteVolume: quote,
    count,
    takerBuyVolume: taker,
    takerBuyQuoteVolume: takerQuote,
  };
}

/** The seven days of a symbol, from its daily files. */
function weekOf(symbol: string): Omit<Candle, 'source'>[] {
  const folder = shared(`fixtures/vision/data/futures/um/daily/klines/${symbol}/1m`);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.zip'))
    .sort()
    .flatMap((name) => {
      const [bytes] = Object.values(unzipSync(readFileSync(join(folder, name))));
      const rows = strFromU8(bytes!).trim().split('\n');
      return rows.filter((row) => !row.startsWith('open_time')).map((row) => candleOfRow(symbol, row));
    });
}

/** Recorded from this week on; of the others there are months of 2023 besides, and nothing in between. */
const NEW = ['ALGOUSDT', 'AVAXUSDT', 'DOTUSDT', 'LTCUSDT'];
const OLD = SYMBOLS.filter((symbol) => !NEW.includes(symbol));

test.skipIf(fixturesMissing)(
  'a recorded week of seven symbols, fetched and then streamed, is stored as the files have it, and a hole of the exchange is named',
  async () => {
    // Four hours are left to stream, at an hour per second. The backfill begins before the week: nothing is
    // owed of what was not listed then, and what is missing of the others REST is asked for again and again.
    const startTime = WEEK_END - DAY / 6;
    const exchange = await startExchange({
      replayDir: shared('fixtures/vision'),
      symbols: SYMBOLS,
      timeScale: 3_600,
      startTime,
    });
    const store = newStore();
    const backfillMs = startTime - WEEK_START + DAY / 4;
    const { collector, gaps } = collectFrom(exchange, { symbols: SYMBOLS, store, backfillMs });
    await collector.startStreaming();
    const isOver = (): boolean =>
      collector.status().series.every((one) => one.last?.openTime === WEEK_END - 60_000);
    await until('the last bar of the week', isOver, 60_000);
    const report = await collector.stop();
    expect(report).toMatchObject({ clean: true, unwritten: 0 });

    const stored = storedCandles(store);
    expect(stored).toHaveLength(7 * 7 * 1440);
    for (const symbol of SYMBOLS) {
      const rows = ofSeries(stored, symbol);
      expect(rows.map(({ source: _, ...row }) => row)).toEqual(weekOf(symbol));
      if (NEW.includes(symbol))
        expect(new Set(rows.map((row) => row.source))).toEqual(new Set(['rest', 'stream']));
    }
    // What is not recorded behind the week is owed, too, the later the more of it.
    const ofWeek = `from_open_time < ${WEEK_END}`;
    const named = query(
      store,
      `SELECT symbol, to_open_time, filled_at FROM gaps WHERE ${ofWeek} ORDER BY symbol`,
    );
    expect(named).toEqual(
      OLD.map((symbol) => ({ symbol, to_open_time: WEEK_START - 60_000, filled_at: null })),
    );
    const told = gaps.filter(({ fromOpenTime }) => fromOpenTime < WEEK_END);
    expect(told.map((gap) => [gap.symbol, gap.status]).sort()).toEqual(OLD.map((one) => [one, 'open']));
  },
  75_000,
);
