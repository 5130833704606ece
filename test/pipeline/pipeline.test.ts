import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Candle } from '../../machines/model/kline.ts';
import { at, BTC, bar, ETH, frame, MINUTE, rig, T0 } from './candles.ts';

describe('closed bars from the stream', () => {
  test('come out in order, each once, with the values of the frame', () => {
    const { pipeline, time, out, story } = rig();
    pipeline.take(frame(at(0), { closed: false }), 1);
    for (let index = 0; index < 5; index++) {
      time.exchange = at(index + 1) + 100;
      expect(pipeline.take(frame(at(index)), 1)).toBe(true);
    }
    expect(story()).toEqual([0, 1, 2, 3, 4]);
    expect(out()[2]).toEqual({ candle: bar(at(2)) });
    expect(pipeline.counters).toMatchObject({ klines: 6, closedByStream: 5, duplicates: 0 });
  });

  test('a second close, at once or late, is a duplicate', () => {
    const { pipeline, time, story } = rig({ exchangeNow: at(9) });
    for (const index of [7, 7, 8, 7, 8]) pipeline.take(frame(at(index)), 1);
    time.exchange = at(10) + 100;
    pipeline.take(frame(at(9)), 1);
    expect(story()).toEqual([7, 8, 9]);
    expect(pipeline.counters.duplicates).toBe(3);
  });

  test('a forming bar is never one of them, not even the last before the next opens', () => {
    const { pipeline, time, story } = rig();
    pipeline.take(frame(at(0), { closed: false, eventTime: at(1) - 1 }), 1);
    time.exchange = at(1) + 10;
    pipeline.take(frame(at(1), { closed: false }), 1);
    expect(story()).toEqual([]);
  });

  test('a series starts with its first frame: with that bar, closed or forming', () => {
    const closedFirst = rig({ exchangeNow: at(4) + 50 });
    closedFirst.pipeline.take(frame(at(3)), 1);
    expect(closedFirst.story()).toEqual([3]);
    const formingFirst = rig({ exchangeNow: at(3) + 50 });
    formingFirst.pipeline.take(frame(at(3), { closed: false }), 1);
    expect(formingFirst.cursor.due).toBe(at(3));
  });

  test('a bar behind a hole waits until REST has filled it', () => {
    const { pipeline, time, cursor, edges, story } = rig();
    pipeline.take(frame(at(0), { closed: false }), 1);
    time.exchange = at(4) + 100;
    pipeline.take(frame(at(0)), 1);
    pipeline.take(frame(at(3)), 1);
    expect(story()).toEqual([0]);
    expect(edges).toContain('CURSOR.HOLE');
    const candles = [1, 2, 3].map((index) => bar(at(index), 'rest'));
    expect(pipeline.fill(cursor, candles, at(4), time.exchange)).toBe(3);
    expect(story()).toEqual([0, 1, 2, 3]);
    expect(cursor.firstHeld).toBeUndefined();
  });

  test('are told of once each, as they come: not what REST brought, nor what comes again', () => {
    const { pipeline, time, cursor, closes } = rig();
    pipeline.take(frame(at(0), { closed: false }), 1);
    for (const index of [0, 2, 2]) {
      time.exchange = at(index + 1) + 100;
      pipeline.take(frame(at(index)), 1);
    }
    time.exchange = at(4);
    pipeline.fill(cursor, [bar(at(1), 'rest'), bar(at(2), 'rest')], at(3), time.exchange);
    pipeline.take(frame(at(1)), 1);
    expect(closes).toEqual([
      { openTime: at(0), at: at(1) + 100 },
      { openTime: at(2), at: at(3) + 100 },
    ]);
  });

  test('one that REST lacks and the stream brought is not lost when the hole before it is filled', () => {
    const { pipeline, time, cursor, story } = rig();
    pipeline.take(frame(at(0), { closed: false }), 1);
    time.exchange = at(5);
    pipeline.take(frame(at(2)), 1);
    // REST has 0 and 1, and 3, but not 2, which is held.
    pipeline.fill(
      cursor,
      [0, 1, 3].map((index) => bar(at(index), 'rest')),
      at(4),
      time.exchange,
    );
    expect(story()).toEqual([0, 1, 2, 3]);
  });

  test('any order of closes, holes filled by REST, ends with each bar once and in order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }).chain((count) =>
          fc.record({
            order: fc.shuffledSubarray(Array.from({ length: count }, (_, index) => index)),
            again: fc.array(fc.nat(count - 1), { maxLength: 5 }),
            count: fc.constant(count),
            fills: fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
            page: fc.integer({ min: 1, max: 4 }),
          }),
        ),
        ({ order, again, count, fills, page }) => {
          const { pipeline, time, cursor, story } = rig();
          pipeline.take(frame(at(0), { closed: false }), 1);
          time.exchange = at(count) + 200;
          const ask = (): number => {
            const from = (cursor.due! - T0) / MINUTE;
            const rows: Candle[] = [];
            for (let index = from; index < Math.min(count, from + page); index++)
              rows.push(bar(at(index), 'rest'));
            return pipeline.fill(cursor, rows, at(count), time.exchange);
          };
          for (const [step, index] of [...order, ...again].entries()) {
            pipeline.take(frame(at(index)), 1);
            if (fills[step]) ask();
          }
          for (let round = 0; round < count && cursor.due! < at(count); round++) ask();
          expect(story()).toEqual(Array.from({ length: count }, (_, index) => index));
          expect(pipeline.counters.gaps).toBe(0);
        },
      ),
    );
  });

  test('bars that wait are bounded; those beyond are owed to REST', () => {
    const { pipeline, time, cursor, story } = rig();
    pipeline.take(frame(at(0), { closed: false }), 1);
    time.exchange = at(2_002);
    for (let index = 1; index <= 2_000; index++) pipeline.take(frame(at(index)), 1);
    pipeline.fill(cursor, [bar(at(0), 'rest')], at(2_002), time.exchange);
    expect(story().length).toBe(1_501);
    // What is owed now is asked for like any other hole.
    expect(cursor.owedUntil(time.exchange, time.monotonic)).toBe(at(2_001));
    const rest = Array.from({ length: 501 }, (_, index) => bar(at(1_501 + index), 'rest'));
    pipeline.fill(cursor, rest, at(2_002), time.exchange);
    expect(story()).toEqual(Array.from({ length: 2_002 }, (_, index) => index));
  });

  test('S15 when the rows are full a bar is refused, stays due, and comes later', () => {
    const { pipeline, rows, time, cursor, story } = rig({ rowsMax: 2 });
    pipeline.take(frame(at(0), { closed: false }), 1);
    time.exchange = at(4) + 10;
    for (const index of [0, 1, 2, 3]) pipeline.take(frame(at(index)), 1);
    expect(pipeline.counters.refused).toBe(1);
    expect(rows.size).toBe(2);
    expect(cursor.due).toBe(at(2));
    expect(pipeline.fill(cursor, [bar(at(2), 'rest')], at(4), time.exchange)).toBe(0);
    expect(story()).toEqual([0, 1]);
    pipeline.fill(cursor, [bar(at(2), 'rest')], at(4), time.exchange);
    expect(story()).toEqual([0, 1, 2, 3]);
    expect(pipeline.counters.gaps).toBe(0);
  });
});

describe('frames that prove nothing', () => {
  test('of a series that nobody asked for are counted and said so', () => {
    const { pipeline, story } = rig();
    expect(pipeline.take(frame(at(0), { series: ETH }), 1)).toBe(false);
    expect(pipeline.take(frame(at(0), { series: { ...BTC, interval: '1h' }, k: { t: 0 } }), 1)).toBe(false);
    expect(pipeline.counters).toMatchObject({ foreign: 2, klines: 0 });
    expect(story()).toEqual([]);
  });

  test('the first on every new connection is an edge, the others are not', () => {
    const { pipeline, edges } = rig();
    for (const epoch of [1, 1, 2, 2]) pipeline.take(frame(at(0), { closed: false }), epoch);
    expect(edges).toEqual(['CURSOR.FIRST_FRAME', 'CURSOR.FIRST_FRAME']);
  });

  test('one that is late from an older connection is not', () => {
    const { pipeline, edges, cursor } = rig();
    pipeline.take(frame(at(0), { closed: false }), 5);
    edges.length = 0;
    pipeline.take(frame(at(0), { closed: false }), 4);
    expect(edges).toEqual([]);
    expect(cursor.epoch).toBe(5);
  });
});

describe('bars that cannot be what they claim', () => {
  const now = at(10) + 500;
  test.each([
    ['opens between two minutes', at(9) + 1, { T: at(10) }],
    ['closes at the wrong time', at(9), { T: at(10) }],
    ['opens in the future', at(20), {}],
    ['has its low above its high', at(9), { l: '999' }],
    ['opens outside its range', at(9), { o: '999' }],
    ['closes outside its range', at(9), { c: '1' }],
    ['has a negative volume', at(9), { v: '-1' }],
  ])('a bar that %s is counted and not kept', (_, openTime, k) => {
    const { pipeline, cursor, edges, story } = rig({ exchangeNow: now });
    pipeline.take(frame(at(9), { closed: false }), 1);
    edges.length = 0;
    pipeline.take(frame(openTime, { k, eventTime: now }), 1);
    expect(pipeline.counters.insane).toBe(1);
    expect(story()).toEqual([]);
    expect(cursor.due).toBe(at(9));
    expect(cursor.firstHeld).toBeUndefined();
    // The bar itself is owed as before, and REST can bring it.
    pipeline.fill(cursor, [bar(at(9), 'rest')], at(10), now);
    expect(story()).toEqual([9]);
  });

  test.each([
    ['long past', at(-500_000)],
    ['of the year 1970', 0],
    ['in the future', at(100)],
    ['between two minutes', at(10) + 7],
  ])('a first frame %s does not say where the series starts', (_, openTime) => {
    for (const closed of [false, true]) {
      const { pipeline, time, cursor, story } = rig({ exchangeNow: now });
      pipeline.take(frame(openTime, { closed, eventTime: now }), 1);
      expect(cursor.due, `closed: ${closed}`).toBeUndefined();
      expect(pipeline.counters.insane).toBe(1);
      pipeline.take(frame(at(10), { closed: false }), 1);
      expect(cursor.due).toBe(at(10));
      time.exchange = at(11) + 10;
      pipeline.take(frame(at(10)), 1);
      expect(story()).toEqual([10]);
    }
  });

  test('fields that are no numbers are malformed, and the bar stays owed', () => {
    const { pipeline, cursor, story } = rig({ exchangeNow: now });
    pipeline.take(frame(at(9), { closed: false }), 1);
    pipeline.take(frame(at(9), { k: { o: null } }), 1);
    expect(pipeline.counters.malformed).toBe(1);
    expect(story()).toEqual([]);
    expect(cursor.due).toBe(at(9));
  });

  test('one that is marked closed long before its end is not closed: the next say what is true', () => {
    const { pipeline, time, story } = rig({ exchangeNow: at(0) + 20_000 });
    pipeline.take(frame(at(0), { closed: false }), 1);
    pipeline.take(frame(at(0), { eventTime: at(0) + 20_000 }), 1);
    expect(story()).toEqual([]);
    expect(pipeline.counters.insane).toBe(1);
    time.exchange = at(1) + 50;
    pipeline.take(frame(at(0)), 1);
    expect(story()).toEqual([0]);
  });

  test('a close whose stamp is a hair before the end of its bar is taken: timers go off a little early', () => {
    const { pipeline, story } = rig({ exchangeNow: at(1) });
    const one = frame(at(0));
    pipeline.take({ ...one, eventTime: at(1) - 15 }, 1);
    expect(story()).toEqual([0]);
  });

  test('a bar of next year is not waited for, whatever its stamp says', () => {
    const { pipeline } = rig({ exchangeNow: at(1) });
    pipeline.take(frame(at(0)), 1);
    const index = 365 * 1_440;
    pipeline.take({ ...frame(at(index)), eventTime: at(index + 1) + 1 }, 1);
    expect(pipeline.counters.insane).toBe(1);
    expect([...pipeline.cursors()][0]?.firstHeld).toBeUndefined();
  });

  test('one that came when our clock lags is taken: the stamp of the exchange says that it has ended', () => {
    const { pipeline, story } = rig({ exchangeNow: at(0) });
    pipeline.take(frame(at(0), { closed: false }), 1);
    for (const index of [0, 1, 2]) pipeline.take(frame(at(index)), 1);
    expect(story()).toEqual([0, 1, 2]);
  });
});
