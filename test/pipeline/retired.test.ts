import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { at, BTC, bar, frame, rig } from './candles.ts';

/** A series whose bar 0 is due, and whose symbol ends with bar `last`, at exchange time `now`. */
function ending(last: number, now = at(last + 1) + 30_000) {
  const one = rig({ exchangeNow: at(0) + 10 });
  one.pipeline.take(frame(at(0), { closed: false }), 1);
  one.time.exchange = now;
  one.pipeline.retire(BTC, at(last + 1));
  one.edges.length = 0;
  /** REST is asked until it would be a gap, having these bars. */
  const ask = (...indices: number[]): void => {
    for (const late of [0, 5_000, 10_000]) {
      one.time.monotonic += late;
      const bars = indices.map((index) => bar(at(index), 'rest'));
      const until = Math.floor((one.time.exchange - at(0)) / 60_000);
      one.pipeline.fill(one.cursor, bars, at(until), one.time.exchange);
    }
  };
  return { ...one, ask };
}

describe('a series whose symbol ends', () => {
  test('owes what closed before the end, takes nothing behind it, and then tells that it is over', () => {
    const { pipeline, cursor, edges, story, ask } = ending(2);
    pipeline.scan();
    expect(edges).toEqual(['CURSOR.HOLE']);
    ask(0, 1, 2, 3, 4);
    pipeline.take(frame(at(3)), 1);
    pipeline.take(frame(at(4), { closed: false }), 1);
    expect(story()).toEqual([0, 1, 2]);
    expect(pipeline.counters.ended).toBe(2);
    expect(cursor.isEnded).toBe(true);
    edges.length = 0;
    pipeline.scan();
    expect(edges).toEqual(['CURSOR.ENDED']);
  });

  test('has no gap behind the last bar of the exchange, once that was asked for as often as for a gap', () => {
    const { pipeline, time, cursor, story } = ending(4);
    for (const late of [0, 5_000]) {
      time.monotonic = late;
      pipeline.fill(cursor, [bar(at(0), 'rest'), bar(at(1), 'rest')], at(5), time.exchange);
      expect(cursor.isEnded).toBe(false);
    }
    time.monotonic = 10_000;
    pipeline.fill(cursor, [], at(5), time.exchange);
    expect(story()).toEqual([0, 1]);
    expect(cursor.isEnded).toBe(true);
    expect(pipeline.counters.gaps).toBe(0);
  });

  test('has a gap before it, when the exchange has later bars', () => {
    const { story, ask, cursor } = ending(4);
    ask(0, 3);
    expect(story()).toEqual([0, '1–2', 3]);
    ask();
    expect(story()).toEqual([0, '1–2', 3]);
    expect(cursor.isEnded).toBe(true);
  });

  test('has a gap before a bar that the stream brought and REST lacks', () => {
    const { pipeline, story, ask, cursor } = ending(4);
    pipeline.take(frame(at(2)), 1);
    ask();
    ask();
    expect(story()).toEqual(['0–1', 2]);
    expect(cursor.isEnded).toBe(true);
  });

  test('names nothing as missing before its end has come: it may have fallen silent for good', () => {
    const { story, ask, cursor, time } = ending(9, at(5) + 10_000);
    ask(0, 1);
    ask();
    expect(story()).toEqual([0, 1]);
    expect(cursor.due).toBe(at(2));
    time.exchange = at(10) + 10;
    ask();
    expect(story()).toEqual([0, 1]);
    expect(cursor.isEnded).toBe(true);
  });

  test('drops what waits behind a hole and lies behind the end', () => {
    const { pipeline, time, cursor, story, ask } = ending(9, at(9));
    time.exchange = at(9);
    for (const index of [3, 5, 8]) pipeline.take(frame(at(index)), 1);
    pipeline.retire(BTC, at(5));
    expect(cursor.endOpen).toBe(at(5));
    ask(0, 1, 2, 3, 4, 5, 6);
    expect(story()).toEqual([0, 1, 2, 3, 4]);
  });

  test('that never started is over at once', () => {
    const { pipeline, edges, cursor } = rig();
    pipeline.retire(BTC, at(0));
    pipeline.startNow(BTC);
    pipeline.scan();
    expect(edges).toEqual(['CURSOR.ENDED']);
    expect(cursor.isEnded).toBe(true);
  });

  test('goes on when it is listed again: what lies between is owed, and named if there is nothing', () => {
    const { pipeline, time, ask, story, cursor, edges } = ending(1);
    ask(0, 1);
    expect(cursor.isEnded).toBe(true);
    expect(pipeline.add(BTC)).toBe(cursor);
    expect(cursor.isEnded).toBe(false);
    time.exchange = at(5) + 10;
    edges.length = 0;
    pipeline.scan();
    expect(edges).toEqual(['CURSOR.HOLE']);
    ask(4);
    expect(story()).toEqual([0, 1, '2–3', 4]);
  });

  test('keeps its end when it is added while that is not reached', () => {
    const { pipeline, cursor } = ending(3);
    pipeline.add(BTC);
    expect(cursor.endTime).toBe(at(4));
  });

  test.each([
    ['1h', Date.UTC(2026, 0, 5, 9, 30), Date.UTC(2026, 0, 5, 10)],
    ['1w', Date.UTC(2026, 0, 7), Date.UTC(2026, 0, 12)],
    ['1M', Date.UTC(2024, 1, 29, 9), Date.UTC(2024, 2, 1)],
    ['1M', Date.UTC(2024, 2, 1), Date.UTC(2024, 2, 1)],
  ] as const)('of %s owes the bar in which the symbol ends', (interval, endTime, endOpen) => {
    const series = { symbol: 'BTCUSDT', interval };
    const { pipeline, cursor } = rig({ series: [series], exchangeNow: endTime - 1 });
    pipeline.startNow(series);
    pipeline.retire(series, endTime);
    expect(cursor.endOpen).toBe(endOpen);
    expect(cursor.isEnded).toBe(false);
    cursor.due = endOpen;
    expect(cursor.isEnded).toBe(true);
  });

  test('whatever comes and lacks, ends with each bar once up to the last one of the exchange', () => {
    const indices = fc.uniqueArray(fc.integer({ min: 0, max: 19 }), { maxLength: 20 });
    fc.assert(
      fc.property(indices, indices, fc.integer({ min: 0, max: 15 }), (has, streamed, last) => {
        const { pipeline, ask, story, cursor } = ending(last, at(20) + 10);
        for (const index of streamed) pipeline.take(frame(at(index)), 1);
        const all = [...has].sort((one, other) => one - other);
        for (let round = 0; round < 3; round++) ask(...all);
        const there = new Set([...has, ...streamed].filter((index) => index <= last));
        const end = Math.max(-1, ...there);
        const told = story().flatMap((one) => {
          if (typeof one === 'number') return [[one, true]];
          const [from, to] = one.split('–').map(Number) as [number, number];
          return Array.from({ length: to - from + 1 }, (_, offset) => [from + offset, false]);
        });
        expect(told).toEqual(Array.from({ length: end + 1 }, (_, index) => [index, there.has(index)]));
        expect(cursor.isEnded).toBe(true);
      }),
    );
  });
});
