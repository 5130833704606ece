import { describe, expect, test } from 'vitest';
import { finalOnly } from '../../src/pipeline/final-only.ts';
import { at, BTC, bar, ETH, frame, rig } from './candles.ts';

describe('what REST returned', () => {
  test('its open row is dropped to the millisecond', () => {
    const rows = [bar(at(0), 'rest'), bar(at(1), 'rest')];
    expect(finalOnly(rows, at(1), 0)).toEqual([rows[0]]);
    expect(finalOnly(rows, at(1) - 1, 0)).toEqual([]);
    expect(finalOnly(rows, at(2) - 1, 0)).toEqual([rows[0]]);
    expect(finalOnly(rows, Number.NaN, 0)).toEqual([]);
    expect(finalOnly(rows, Number.NEGATIVE_INFINITY, 0)).toEqual([]);
  });

  test('its last row is final once it ended well back; one with a row behind it at once', () => {
    const rows = [bar(at(0), 'rest'), bar(at(1), 'rest')];
    expect(finalOnly(rows, at(2) + 14_999, 15_000)).toEqual([rows[0]]);
    expect(finalOnly(rows, at(2) + 15_000, 15_000)).toEqual(rows);
  });

  test('bars before the one that is due are passed over', () => {
    const { pipeline, time, cursor, story } = rig();
    pipeline.take(frame(at(0), { closed: false }), 1);
    time.exchange = at(3);
    const rows = [-2, -1, 0, 0, 1].map((index) => bar(at(index), 'rest'));
    expect(pipeline.fill(cursor, rows, at(2), time.exchange)).toBe(2);
    expect(story()).toEqual([0, 1]);
  });

  test('fills nothing of a series that has not started', () => {
    const { pipeline, cursor, story } = rig();
    expect(pipeline.fill(cursor, [bar(at(-1), 'rest')], at(0), at(0))).toBe(0);
    expect(story()).toEqual([]);
  });

  test('is taken at its word when the values of a bar are odd: the stream alone is not', () => {
    const { pipeline, time, cursor, story } = rig();
    pipeline.take(frame(at(0), { closed: false }), 1);
    time.exchange = at(1) + 10;
    pipeline.take(frame(at(0), { k: { l: '999' } }), 1);
    expect(story()).toEqual([]);
    pipeline.fill(cursor, [bar(at(0), 'rest', BTC, { low: 999 })], at(1), time.exchange);
    expect(story()).toEqual([0]);
  });
});

describe('a series that REST shows quiet', () => {
  test('owes its bars from the current one on', () => {
    const { pipeline, cursor, edges } = rig({ exchangeNow: at(3) + 20_000 });
    pipeline.goQuiet(BTC);
    expect(cursor.due).toBe(at(3));
    expect(edges).toEqual(['CURSOR.QUIET']);
    pipeline.goQuiet(ETH);
  });

  test('keeps what it was owed before', () => {
    const { pipeline, cursor } = rig({ exchangeNow: at(9) });
    pipeline.resume(BTC, at(2));
    pipeline.goQuiet(BTC);
    expect(cursor.due).toBe(at(3));
  });

  test('is not started by a time that is not known', () => {
    const { pipeline, cursor } = rig({ exchangeNow: Number.NaN });
    pipeline.goQuiet(BTC);
    expect(cursor.due).toBeUndefined();
  });
});

describe('bars that are overdue', () => {
  test('are told after the grace, and again every five seconds for as long as they are missing', () => {
    const { pipeline, time, cursor, edges } = rig();
    pipeline.take(frame(at(0), { closed: false }), 1);
    edges.length = 0;
    time.exchange = at(1) + 4_999;
    pipeline.scan();
    expect(edges).toEqual([]);
    time.exchange = at(1) + 5_000;
    for (time.monotonic = 0; time.monotonic < 10_000; time.monotonic += 250) pipeline.scan();
    expect(edges).toEqual(['CURSOR.HOLE', 'CURSOR.HOLE']);
    // A repair that has ended, and left it: what is still true is told at once.
    cursor.retell();
    pipeline.scan();
    expect(edges).toHaveLength(3);
    pipeline.take(frame(at(0)), 1);
    pipeline.scan();
    expect(edges).toHaveLength(3);
    time.exchange = at(2) + 5_000;
    pipeline.scan();
    expect(edges).toHaveLength(4);
  });

  test('are not told of a series that has not started, or while the time is unknown', () => {
    const { pipeline, time, edges } = rig();
    pipeline.scan();
    pipeline.resume(BTC, at(0));
    time.exchange = Number.NaN;
    pipeline.scan();
    expect(edges).toEqual([]);
  });
});

describe('a series that goes on where the store ends', () => {
  test('owes the bar behind the watermark, and never goes back', () => {
    const { pipeline, cursor } = rig();
    pipeline.resume(BTC, at(5));
    expect(cursor.due).toBe(at(6));
    pipeline.resume(BTC, at(2));
    pipeline.startAt(BTC, at(0));
    pipeline.take(frame(at(0), { closed: false }), 1);
    expect(cursor.due).toBe(at(6));
    pipeline.resume(ETH, at(5));
  });
});

describe('a series from which no frame ever comes', () => {
  test('is owed its bars after half a minute all the same, and that is said once', () => {
    const { pipeline, time, cursor, edges, silent } = rig({ exchangeNow: at(3) + 1_000 });
    cursor.heardSince = 0;
    time.monotonic = 29_999;
    pipeline.scan();
    expect(cursor.due).toBeUndefined();
    time.monotonic = 30_000;
    for (let look = 0; look < 3; look++) pipeline.scan();
    expect(cursor.due).toBe(at(3));
    expect(silent).toEqual(['BTCUSDT@1m']);
    expect(edges).toEqual([]);
    time.exchange = at(4) + 5_000;
    pipeline.scan();
    expect(edges).toEqual(['CURSOR.HOLE']);
  });

  test('waits for as long as its stream is not there', () => {
    const { pipeline, time, cursor } = rig();
    time.monotonic = 1e9;
    pipeline.scan();
    expect(cursor.due).toBeUndefined();
  });
});
