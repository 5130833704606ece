import { describe, expect, test } from 'vitest';
import { at, bar, frame, rig } from './candles.ts';

/** A series whose bar 0 is due, at exchange time `now`. */
function started(now: number) {
  const one = rig({ exchangeNow: at(0) + 10 });
  one.pipeline.take(frame(at(0), { closed: false }), 1);
  one.time.exchange = now;
  return one;
}
const rest = (...indices: number[]) => indices.map((index) => bar(at(index), 'rest'));

describe('bars that the exchange does not have', () => {
  test('are not passed over while there is no room to name them', () => {
    const { pipeline, rows, cursor, story } = rig({ rowsMax: 1, exchangeNow: at(4) });
    pipeline.startAt(cursor.series, at(0));
    pipeline.fill(cursor, rest(0), at(1), at(4));
    pipeline.passOver(cursor, at(3), 'the exchange could not be asked for it');
    expect(cursor.due).toBe(at(1));
    rows.drop(1);
    pipeline.passOver(cursor, at(3), 'the exchange could not be asked for it');
    expect(story()).toEqual(['1–2']);
  });

  test('are a gap after three askings over ten seconds, and then the later bars go on', () => {
    const { pipeline, time, cursor, story, out } = started(at(4));
    const ask = (): number => pipeline.fill(cursor, rest(2, 3), at(4), time.exchange);
    expect(ask()).toBe(0);
    time.monotonic = 5_000;
    expect(ask()).toBe(0);
    time.monotonic = 9_999;
    expect(ask()).toBe(0);
    expect(story()).toEqual([]);
    time.monotonic = 10_000;
    expect(ask()).toBe(2);
    expect(story()).toEqual(['0–1', 2, 3]);
    expect(out()[0]).toMatchObject({
      gap: { symbol: 'BTCUSDT', interval: '1m', reason: 'the exchange has no such bar', detectedAt: at(4) },
    });
    expect(pipeline.counters.gaps).toBe(1);
  });

  test('are named together, however many holes there are', () => {
    const { pipeline, time, cursor, story } = started(at(9));
    for (const late of [0, 5_000, 10_000]) {
      time.monotonic = late;
      pipeline.fill(cursor, rest(1, 3, 4, 6, 8), at(9), time.exchange);
    }
    expect(story()).toEqual(['0–0', 1, '2–2', 3, 4, '5–5', 6, '7–7', 8]);
  });

  test('are not one after ten seconds alone', () => {
    const { pipeline, time, cursor, story } = started(at(4));
    pipeline.fill(cursor, rest(2), at(4), time.exchange);
    time.monotonic = 60_000;
    pipeline.fill(cursor, rest(2), at(4), time.exchange);
    expect(story()).toEqual([]);
  });

  test('are none when they turn up meanwhile', () => {
    const { pipeline, time, cursor, story } = started(at(3));
    for (const late of [0, 5_000]) {
      time.monotonic = late;
      pipeline.fill(cursor, rest(1, 2), at(3), time.exchange);
    }
    time.monotonic = 20_000;
    pipeline.fill(cursor, rest(0, 1, 2), at(3), time.exchange);
    expect(story()).toEqual([0, 1, 2]);
    expect(pipeline.counters.gaps).toBe(0);
  });

  test('each is asked for three times: those that ended since the first asking are not named with it', () => {
    const { pipeline, time, cursor, story } = started(at(2));
    // Exchange time runs; REST has nothing at all.
    for (const [step, until] of [2, 5, 8].entries()) {
      time.monotonic = step * 5_000;
      time.exchange = at(until);
      pipeline.fill(cursor, [], at(until), time.exchange);
    }
    expect(story()).toEqual(['0–1']);
    // The next ones turn up late; they are bars, not gaps.
    pipeline.fill(cursor, rest(2, 3, 4, 5, 6, 7), at(8), time.exchange);
    expect(story()).toEqual(['0–1', 2, 3, 4, 5, 6, 7]);
  });

  test('end before a bar that is held', () => {
    const { pipeline, time, cursor, story } = started(at(5));
    pipeline.take(frame(at(1)), 1);
    for (const late of [0, 5_000, 10_000]) {
      time.monotonic = late;
      // REST lacks bar 1 as well, which the stream brought.
      pipeline.fill(cursor, rest(2, 3), at(4), time.exchange);
    }
    expect(story()).toEqual(['0–0', 1, 2, 3]);
  });

  test('at the end of what REST has are named up to what had ended', () => {
    const { pipeline, time, cursor, story } = started(at(3));
    for (const late of [0, 5_000, 10_000]) {
      time.monotonic = late;
      pipeline.fill(cursor, [], at(3), time.exchange);
    }
    expect(story()).toEqual(['0–2']);
    expect(cursor.due).toBe(at(3));
  });

  test('a row of REST that cannot be at its place is named alone, and not those behind it', () => {
    const { pipeline, time, cursor, story } = started(at(4));
    const rows = rest(0, 1, 2, 3).map((candle, index) =>
      index === 1 ? { ...candle, closeTime: candle.closeTime + 1 } : candle,
    );
    for (const late of [0, 5_000, 10_000, 15_000]) {
      time.monotonic = late;
      pipeline.fill(cursor, rows, at(4), time.exchange);
    }
    expect(story()).toEqual([0, '1–1', 2, 3]);
  });

  test('are not named while there is no room for them', () => {
    const { pipeline, rows, time, cursor, story } = rig({ rowsMax: 1, exchangeNow: at(0) + 10 });
    pipeline.take(frame(at(0), { closed: false }), 1);
    time.exchange = at(4);
    pipeline.take(frame(at(0)), 1);
    for (const late of [0, 5_000, 10_000, 15_000]) {
      time.monotonic = late;
      pipeline.fill(cursor, rest(2, 3), at(4), time.exchange);
    }
    expect(rows.size).toBe(1);
    expect(story()).toEqual([0]);
    for (const late of [20_000, 25_000, 30_000, 35_000, 40_000]) {
      time.monotonic = late;
      pipeline.fill(cursor, rest(2, 3), at(4), time.exchange);
      story();
    }
    expect(story()).toEqual([0, '1–1', 2, 3]);
  });

  test('between months are named by the month', () => {
    const series = { symbol: 'BTCUSDT', interval: '1M' } as const;
    const january = Date.UTC(2024, 0, 1);
    const april = Date.UTC(2024, 3, 1);
    const { pipeline, time, cursor, out } = rig({ series: [series], exchangeNow: january + 1 });
    pipeline.take(frame(january, { closed: false, series }), 1);
    time.exchange = Date.UTC(2024, 4, 1) + 1;
    for (const late of [0, 5_000, 10_000]) {
      time.monotonic = late;
      pipeline.fill(cursor, [bar(april, 'rest', series)], Date.UTC(2024, 4, 1), time.exchange);
    }
    expect(out()).toMatchObject([
      { gap: { fromOpenTime: january, toOpenTime: Date.UTC(2024, 2, 1) } },
      { candle: { openTime: april } },
    ]);
  });

  test('are not what an answer had no room for', () => {
    const PAGE = 1_499;
    const { pipeline, time, cursor, story } = started(at(2 * PAGE));
    pipeline.take(frame(at(2 * PAGE - 1)), 1);
    // Bar 0 is lacking; a page is full; and the stream has brought the last bar of all.
    const page = rest(...Array.from({ length: PAGE }, (_, index) => index + 1));
    for (const late of [0, 5_000, 10_000]) {
      time.monotonic = late;
      pipeline.fill(cursor, page, at(2 * PAGE), time.exchange);
    }
    expect(story().slice(0, 3)).toEqual(['0–0', 1, 2]);
    expect(story().at(-1)).toBe(PAGE);
    expect(cursor.due).toBe(at(PAGE + 1));
  });
});
