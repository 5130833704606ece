import { describe, expect, test } from 'vitest';
import type { Series } from '../../machines/model/kline.ts';
import { at, BTC, bar, frame, rig } from './candles.ts';

/** Bar 0 is due and the next has begun, at wall 0. */
function overtaken(openTime = at(1), exchangeNow = at(1) + 100) {
  const one = rig();
  one.pipeline.take(frame(at(0), { closed: false }), 1);
  one.time.exchange = exchangeNow;
  one.pipeline.take(frame(openTime, { closed: false }), 1);
  one.edges.length = 0;
  const look = (until: number): void => {
    for (; one.time.monotonic <= until; one.time.monotonic += 250) one.pipeline.scan();
  };
  return { ...one, look };
}

describe('a frame of a later bar than the one that is due', () => {
  test('makes its close owed after half a second, long before the grace', () => {
    const { look, edges } = overtaken();
    look(250);
    expect(edges).toEqual([]);
    look(500);
    expect(edges).toEqual(['CURSOR.HOLE']);
  });

  test('makes nothing owed when the close comes meanwhile', () => {
    const { look, edges, pipeline, time, story } = overtaken();
    look(250);
    pipeline.take(frame(at(0)), 1);
    look(10_000);
    expect(edges).toEqual([]);
    expect(story()).toEqual([0]);
    // The next one has its own half second.
    time.exchange = at(2) + 100;
    pipeline.take(frame(at(2), { closed: false }), 1);
    pipeline.scan();
    expect(edges).toEqual([]);
    look(11_000);
    expect(edges).toEqual(['CURSOR.HOLE']);
  });

  test.each([
    ['of the future', at(100)],
    ['between two minutes', at(1) + 7],
  ])('is evidence of nothing when it is %s', (_, openTime) => {
    const { look, edges, cursor, time } = overtaken(openTime);
    look(20_000);
    expect(edges).toEqual([]);
    expect(cursor.owedUntil(time.exchange, time.monotonic)).toBeUndefined();
  });

  test('counts while the exchange time is not known', () => {
    const { look, edges, cursor } = overtaken(at(1), Number.NaN);
    look(1_000);
    expect(edges).toEqual(['CURSOR.HOLE']);
    expect(cursor.owedUntil(Number.NaN, 1_000)).toBe(at(1));
  });
});

describe('a close that comes once more', () => {
  test('is handed on with its values, and so is that of a bar that waits behind a hole', () => {
    const { pipeline, time, again, story } = rig();
    pipeline.take(frame(at(0), { closed: false }), 1);
    time.exchange = at(4);
    for (const index of [0, 0, 2, 2]) pipeline.take(frame(at(index), { k: { v: '7' } }), 1);
    pipeline.take(frame(at(0), { closed: false }), 1);
    expect(again).toEqual([at(0), at(2)].map((openTime) => bar(openTime, 'stream', BTC, { volume: 7 })));
    expect(pipeline.counters).toMatchObject({ duplicates: 2, late: 1 });
    expect(story()).toEqual([0]);
  });

  test('is handed on when it is of a bar that was named as missing', () => {
    const { pipeline, time, cursor, again } = rig();
    pipeline.take(frame(at(0), { closed: false }), 1);
    time.exchange = at(3);
    for (time.monotonic of [0, 5_000, 10_000])
      pipeline.fill(cursor, [bar(at(1), 'rest'), bar(at(2), 'rest')], at(3), time.exchange);
    pipeline.take(frame(at(0)), 1);
    expect(again).toMatchObject([{ openTime: at(0) }]);
  });

  test('is none when its values are nonsense', () => {
    const { pipeline, time, again, odd } = rig();
    pipeline.take(frame(at(0), { closed: false }), 1);
    time.exchange = at(4);
    pipeline.take(frame(at(0)), 1);
    pipeline.take(frame(at(0), { k: { l: '9999' } }), 1);
    expect(again).toEqual([]);
    expect(odd).toMatchObject([{ series: 'BTCUSDT@1m', openTime: at(0), reason: 'low above high' }]);
  });
});

test('looking through ten thousand series takes a few milliseconds', () => {
  const series: Series[] = Array.from({ length: 10_000 }, (_, index) => ({
    symbol: `S${index}USDT`,
    interval: (['1m', '1h', '1d', '1M'] as const)[index % 4]!,
  }));
  const { pipeline, time } = rig({ series, exchangeNow: Date.UTC(2026, 0, 1) + 1_000 });
  let edges = 0;
  for (const cursor of pipeline.cursors()) {
    cursor.onEdge = () => {
      edges += 1;
    };
    pipeline.take(frame(Date.UTC(2026, 0, 1), { closed: false, series: cursor.series }), 1);
  }
  edges = 0;
  const took: number[] = [];
  for (let look = 0; look < 40; look++) {
    time.monotonic += 250;
    time.exchange += 250;
    const began = performance.now();
    pipeline.scan();
    took.push(performance.now() - began);
  }
  expect(edges).toBe(0);
  // The least: what it costs, without what else the machine does.
  expect(Math.min(...took)).toBeLessThan(8);
  // All owed at once, for half a minute: each chart hears of it every five seconds, not at every look.
  time.exchange = Date.UTC(2026, 2, 1);
  for (let look = 0; look < 120; look++) {
    time.monotonic += 250;
    pipeline.scan();
  }
  expect(edges).toBeLessThanOrEqual(70_000);
});
