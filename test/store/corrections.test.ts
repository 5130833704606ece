/** Rows about what was stored before: bars of a gap that turn up, and bars that the exchange has corrected. */
import { describe, expect, test } from 'vitest';
import type { Candle } from '../../machines/model/kline.ts';
import type { Fill, Gap, Row } from '../../machines/model/row.ts';
import { readCandles } from '../../src/store/reader.ts';
import type { SqliteWriter } from '../../src/store/writer.ts';
import { at, BTC, bar, ETH } from '../pipeline/candles.ts';
import { said, useProcesses } from './processes.ts';
import { query, rows, useFolder } from './stores.ts';

const { here, writer } = useFolder();
const start = useProcesses();

const gap = (from: number, to: number, series = BTC): { gap: Gap } => ({
  gap: { ...series, fromOpenTime: at(from), toOpenTime: at(to), reason: 'none', detectedAt: 7 },
});
const fill = (filledAt: number, ...indices: number[]): { fill: Fill } => ({
  fill: { ...BTC, reason: 'none', candles: indices.map((index) => bar(at(index), 'rest')), filledAt },
});
const revision = (before: Candle, change: Partial<Candle>, seenAt = 9): Row => ({
  revision: { before, after: { ...before, source: 'rest', ...change }, seenAt },
});

async function opened(...batch: Row[]): Promise<SqliteWriter> {
  const one = writer();
  await one.open();
  await one.commit(batch, 1);
  return one;
}
/** Gaps as they are in the file: `from–to`, and when it was filled. */
const gaps = (): string[] =>
  query(
    here.path,
    "SELECT * FROM gaps WHERE reason = 'none' AND detected_at = 7 ORDER BY from_open_time",
  ).map((row) => {
    const index = (value: unknown): number => (Number(value) - at(0)) / 60_000;
    return `${index(row['from_open_time'])}–${index(row['to_open_time'])} ${row['filled_at'] ?? 'open'}`;
  });
const stored = (): number[] =>
  readCandles(here.path, BTC, 0, 100).map((candle) => (candle.openTime - at(0)) / 60_000);
const revisions = () => query(here.path, 'SELECT * FROM revisions');

describe('bars that are missing', () => {
  test('one after the other are one gap, also when they are sent again', async () => {
    const one = await opened(...rows(0, 1), gap(1, 1));
    await one.commit([gap(2, 4)], 2);
    await one.commit([gap(2, 4), gap(5, 5)], 3);
    await one.commit([gap(1, 1), gap(6, 6, ETH)], 4);
    expect(gaps()).toEqual(['1–5 open', '6–6 open']);
  });

  test('behind a bar, or behind a gap that was filled, are another one', async () => {
    const one = await opened(...rows(0, 1), gap(1, 1), ...rows(2, 3), gap(3, 3));
    await one.commit([fill(50, 3)], 2);
    await one.commit([gap(3, 3), gap(4, 4)], 3);
    expect(gaps()).toEqual(['1–1 open', '3–3 50', '4–4 open']);
  });
});

describe('bars of a gap that turn up', () => {
  test('are stored, and the gap is filled', async () => {
    const one = await opened(...rows(0, 1), gap(1, 3), ...rows(4, 5));
    await one.commit([fill(50, 1, 2, 3)], 2);
    expect(stored()).toEqual([0, 1, 2, 3, 4]);
    expect(gaps()).toEqual(['1–3 50']);
  });

  test('in part leave the others of it open', async () => {
    const one = await opened(...rows(0, 1), gap(1, 9), ...rows(10, 11));
    await one.commit([fill(50, 2, 3, 6)], 2);
    expect(stored()).toEqual([0, 2, 3, 6, 10]);
    expect(gaps()).toEqual(['1–1 open', '2–3 50', '4–5 open', '6–6 50', '7–9 open']);
    await one.commit([fill(60, 1, 5)], 3);
    expect(gaps()).toEqual(['1–1 60', '2–3 50', '4–4 open', '5–5 60', '6–6 50', '7–9 open']);
  });

  test('by the hundred end as the one gap that was named', async () => {
    const one = await opened(...rows(0, 1), gap(1, 6));
    await one.commit([fill(50, 1, 2, 3)], 2);
    await one.commit([fill(60, 4, 5, 6)], 3);
    expect(gaps()).toEqual(['1–6 60']);
  });

  test('sent again change nothing, the gap that was sent with them included', async () => {
    const batch = [...rows(0, 1), gap(1, 4), ...rows(5, 6), fill(50, 2)];
    const one = await opened(...batch);
    const before = [gaps(), stored()];
    expect(before[0]).toEqual(['1–1 open', '2–2 50', '3–4 open']);
    await one.commit(batch, 2);
    await one.commit([fill(70, 2)], 3);
    expect([gaps(), stored()]).toEqual(before);
  });

  test('fill a gap of their series alone, and do not move on where the series stands', async () => {
    const one = await opened(gap(1, 3), gap(1, 3, ETH));
    await one.commit([fill(50, 1, 2, 3)], 2);
    expect(gaps().sort()).toEqual(['1–3 50', '1–3 open']);
    expect(query(here.path, "SELECT open_time AS at FROM watermarks WHERE symbol = 'BTCUSDT'")).toEqual([
      { at: at(3) },
    ]);
    // Nor do bars of no gap that is known.
    await one.commit([fill(50, 20)], 3);
    expect(query(here.path, 'SELECT max(open_time) AS at FROM watermarks')).toEqual([{ at: at(3) }]);
  });

  test('that are open still are told to whoever opens the store', async () => {
    const one = await opened(gap(1, 4), fill(50, 1, 2), gap(7, 7, ETH));
    await one.close(1);
    const { gaps: left } = await writer().open();
    expect(left).toHaveLength(2);
    expect(left).toContainEqual(gap(3, 4).gap);
    expect(left).toContainEqual(gap(7, 7, ETH).gap);
  });
});

describe('a bar that the exchange has corrected', () => {
  test('is stored as it is now, and what it was is kept beside it', async () => {
    const one = await opened(...rows(0, 3));
    const before = bar(at(1));
    const after = { ...before, close: before.low, count: 99, source: 'rest' as const };
    await one.commit([revision(before, { close: before.low, count: 99 })], 2);
    expect(readCandles(here.path, BTC, at(0), 1)).toEqual([after]);
    expect(readCandles(here.path, BTC, at(1), 1)).toEqual([bar(at(2))]);
    const [row, ...others] = revisions();
    expect(others).toEqual([]);
    expect(row).toEqual({
      symbol: 'BTCUSDT',
      interval: '1m',
      open_time: at(1),
      before: expect.any(String),
      after: expect.any(String),
      source: 'rest',
      seen_at: 9,
    });
    expect(JSON.parse(String(row?.['before']))).toEqual(before);
    expect(JSON.parse(String(row?.['after']))).toEqual(after);
  });

  test('sent again, or found again, is one revision', async () => {
    const before = bar(at(1));
    const batch = [...rows(0, 3), revision(before, { count: 99 })];
    const one = await opened(...batch);
    await one.commit(batch, 2);
    await one.commit([revision(before, { count: 99 }, 10)], 3);
    expect(revisions()).toHaveLength(1);
  });

  test('to and fro, and sent again, ends where it was last', async () => {
    const before = bar(at(1));
    const batch = [revision(before, { count: 99 }, 9), revision(before, {}, 10)];
    const one = await opened(...rows(0, 3), ...batch);
    await one.commit(batch, 2);
    expect(revisions().map((row) => row['seen_at'])).toEqual([9, 10]);
    expect(readCandles(here.path, BTC, at(0), 1)).toEqual([{ ...before, source: 'rest' }]);
  });

  test('that is not stored is no revision', async () => {
    await opened(...rows(0, 1), revision(bar(at(5)), { count: 99 }));
    expect([stored(), revisions()]).toEqual([[0], []]);
  });

  test('with values that can not be spoils the batch, and nothing of it is written', async () => {
    const one = await opened(...rows(0, 2), gap(2, 3));
    const batch = [
      fill(50, 2),
      revision(bar(at(1)), { count: 99 }),
      revision(bar(at(0)), { close: Number.NaN }),
    ];
    await expect(one.commit(batch, 2)).rejects.toMatchObject({ code: 'STORE_WRITE' });
    expect([stored(), gaps(), revisions()]).toEqual([[0, 1], ['2–3 open'], []]);
    expect(readCandles(here.path, BTC, at(0), 1)).toEqual([bar(at(1))]);
  });
});

test('S01 killed at any moment, every batch of bars, gaps, late bars and corrections is there wholly or not at all', async () => {
  for (let round = 0; round < 6; round++) {
    const child = start('correct', here.path);
    await said(child, 2 + Math.floor(Math.random() * 40));
    await child.kill();
    const acknowledged = Number(child.lines().at(-1));
    expect(query(here.path, 'PRAGMA integrity_check', false)).toEqual([{ integrity_check: 'ok' }]);
    const count = (sql: string): number => Number(query(here.path, sql)[0]?.['n']);
    // Of each batch: a bar, which the next one corrects, and a gap of two, of which it fills the first.
    const batches =
      count("SELECT count(*) AS n FROM candles WHERE source = 'stream'") +
      count('SELECT count(*) AS n FROM revisions');
    expect(batches).toBeGreaterThanOrEqual(acknowledged);
    const behind = Math.max(0, batches - 1);
    expect(count('SELECT count(*) AS n FROM revisions')).toBe(behind);
    expect(count('SELECT count(*) AS n FROM candles')).toBe(batches + behind);
    expect(count('SELECT count(*) AS n FROM gaps WHERE filled_at IS NOT NULL')).toBe(behind);
    expect(count('SELECT count(*) AS n FROM gaps WHERE filled_at IS NULL')).toBe(batches);
    expect(query(here.path, 'SELECT open_time AS at FROM watermarks')).toEqual([{ at: at(3 * batches - 1) }]);
  }
});
