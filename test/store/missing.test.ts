/** What a store lacks of a range. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockOf } from '../../machines/model/block.ts';
import {
  ARCHIVE_LACKS,
  EXCHANGE_FORGOT,
  EXCHANGE_LACKS,
  EXCHANGE_UNREACHED,
  FOLDER_FORGOT,
  FOLDER_LACKS,
} from '../../machines/model/gap-reasons.ts';
import { DAY_MS, INTERVALS, type Interval, nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import type { Gap } from '../../machines/model/row.ts';
import type { Span } from '../../machines/model/spans.ts';
import { readMissing } from '../../src/store/blocks.ts';
import { at, BTC, bar, ETH, openTimes } from '../pipeline/candles.ts';
import { batchOf, collected, gapAt, type Numbers, numberOf, spanAt, withStore } from './histories.ts';
import { execute, useFolder } from './stores.ts';

const { here } = useFolder();
const NOW = at(100_000);

/** Runs by their numbers, of the range by its. */
const missing = (range: Numbers, exchangeTime = NOW): Numbers[] =>
  readMissing(here.path, BTC, spanAt(range), { exchangeTime }).map(
    ({ from, to }) => [numberOf(from), numberOf(to)] as const,
  );

describe('what is missing', () => {
  test('of a range is what is not there', () => {
    withStore(here.path, (store) => {
      store.load(
        batchOf([
          [10, 20],
          [25, 30],
        ]),
        NOW,
      );
      expect(store.missing(BTC, spanAt([0, 40]), NOW)).toEqual(
        [
          [0, 10],
          [20, 25],
          [30, 40],
        ].map((one) => spanAt(one as never)),
      );
    });
    expect(missing([10, 20])).toEqual([]);
    expect(missing([12, 28])).toEqual([[20, 25]]);
    expect(missing([20, 25])).toEqual([[20, 25]]);
    expect(missing([15, 15])).toEqual([]);
    expect(missing([30, 20])).toEqual([]);
    expect(readMissing(here.path, ETH, spanAt([0, 9]), { exchangeTime: NOW })).toEqual([spanAt([0, 9])]);
  });

  test('of a range that is no multiple of bars is what opens in it', () => {
    withStore(here.path, (store) => store.load(batchOf([[10, 20]]), NOW));
    const of = (from: number, to: number) => readMissing(here.path, BTC, { from, to }, { exchangeTime: NOW });
    expect(of(at(8) + 1, at(10) + 1)).toEqual([{ from: at(9), to: at(10) }]);
    expect(of(at(19) + 1, at(20) + 1)).toEqual([{ from: at(20), to: at(20) + 1 }]);
    expect(of(at(20) + 1, at(21))).toEqual([]);
  });

  test('is not what the exchange said less than a day ago to lack; after that it is worth asking again', () => {
    const detectedAt = at(500);
    withStore(here.path, (store) => {
      store.load(
        batchOf(
          [
            [0, 10],
            [20, 30],
          ],
          { gaps: [gapAt([10, 20], EXCHANGE_LACKS, detectedAt)] },
        ),
        NOW,
      );
    });
    expect(missing([0, 30], detectedAt + DAY_MS - 1)).toEqual([]);
    expect(missing([5, 15], detectedAt + DAY_MS - 1)).toEqual([]);
    expect(missing([0, 30], detectedAt + DAY_MS)).toEqual([[10, 20]]);
    expect(missing([15, 25], detectedAt + DAY_MS)).toEqual([[15, 20]]);
    withStore(here.path, (store) =>
      store.load(batchOf([], { gaps: [gapAt([10, 20], EXCHANGE_LACKS, detectedAt + DAY_MS)] }), NOW),
    );
    expect(missing([0, 30], detectedAt + DAY_MS)).toEqual([]);
  });

  test.each([FOLDER_LACKS, ARCHIVE_LACKS, FOLDER_FORGOT, EXCHANGE_UNREACHED])(
    'is what was named because "%s"',
    (reason) => {
      withStore(here.path, (store) => store.load(batchOf([], { gaps: [gapAt([10, 20], reason, NOW)] }), NOW));
      expect(missing([5, 15])).toEqual([[5, 15]]);
    },
  );

  test.each([EXCHANGE_LACKS, EXCHANGE_FORGOT])('is not, for a day, what was named because "%s"', (reason) => {
    withStore(here.path, (store) => store.load(batchOf([], { gaps: [gapAt([10, 20], reason, NOW)] }), NOW));
    expect(missing([5, 15])).toEqual([[5, 10]]);
  });

  test('counts no row at a time at which no bar opens', () => {
    withStore(here.path, (store) => store.commit(collected([0, 10]), NOW));
    execute(here.path, `UPDATE candles SET open_time = open_time + 1 WHERE open_time = ${at(5)}`);
    expect(missing([0, 10])).toEqual([[5, 6]]);
  });

  test('of three days is counted from the days of the bars that are there; of none nothing is known', () => {
    const series = { symbol: 'BTCUSDT', interval: '3d' as const };
    const of = (from: number, to: number) =>
      readMissing(here.path, series, { from, to }, { exchangeTime: NOW }).map((run) => [
        run.from / DAY_MS,
        run.to / DAY_MS,
      ]);
    withStore(here.path, () => {});
    expect(of(100 * DAY_MS, 121 * DAY_MS)).toEqual([[100, 121]]);
    const days = [101, 104, 110].map((day) => bar(day * DAY_MS, 'rest', series));
    withStore(here.path, (store) =>
      store.load({ series, blocks: [blockOf(series, 'rest', days)], gaps: [], collected: [] }, NOW),
    );
    expect(of(96 * DAY_MS, 116 * DAY_MS)).toEqual([
      [98, 101],
      [107, 110],
      [113, 116],
    ]);
  });

  test('in more than ten thousand runs is told in fewer, and none of it is left out', () => {
    const count = 30_000;
    const numbers = Array.from({ length: count }, (_, index) => 2 * index + (index % 3 === 0 ? 1 : 0));
    withStore(here.path, (store) =>
      store.load(
        {
          series: BTC,
          blocks: [
            blockOf(
              BTC,
              'rest',
              numbers.map((n) => bar(at(n), 'rest')),
            ),
          ],
          gaps: [],
          collected: [],
        },
        NOW,
      ),
    );
    const runs = missing([0, 2 * count]);
    expect(runs.length).toBeLessThanOrEqual(10_000);
    const isThere = new Set(numbers);
    const told = new Set(
      runs.flatMap(([from, to]) => Array.from({ length: to - from }, (_, index) => from + index)),
    );
    for (let number = 0; number < 2 * count; number++)
      if (!isThere.has(number)) expect(told.has(number), `bar ${number}`).toBe(true);
  });
});

test('whatever is stored and named, of any interval: exactly the bars that are neither are missing', () => {
  const count = 60;
  const index = fc.nat(count - 1);
  const naming = fc.record({
    from: index,
    bars: fc.integer({ min: 1, max: 9 }),
    isFresh: fc.boolean(),
    isSaid: fc.boolean(),
  });
  const scene = fc.record({
    interval: fc.constantFrom(...INTERVALS),
    stored: fc.uniqueArray(index),
    named: fc.array(naming, { maxLength: 5 }),
    later: fc.uniqueArray(index, { maxLength: 9 }),
    from: index,
    bars: fc.nat(count),
  });
  let round = 0;
  withStore(here.path, (store) => {
    fc.assert(
      fc.property(scene, ({ interval, stored, named, later, from, bars }) => {
        // A series of its own for each round; three days are counted from the day of its first bar.
        const series = { symbol: `S${round++}USDT`, interval };
        const times = openTimes(interval, openTimeAt(interval, 1_700_000_000_000), count + bars + 1);
        const now = 2_000_000_000_000;
        const block = (of: readonly number[]) =>
          blockOf(
            series,
            'rest',
            of.map((n) => bar(times[n]!, 'rest', series)),
          );
        const gaps = named.map(
          ({ from: first, bars: length, isFresh, isSaid }): Gap => ({
            ...series,
            fromOpenTime: times[first]!,
            toOpenTime: times[Math.min(first + length, count) - 1]!,
            reason: isSaid ? EXCHANGE_LACKS : FOLDER_LACKS,
            detectedAt: now - (isFresh ? DAY_MS - 1 : DAY_MS),
          }),
        );
        const all = { series, collected: [] };
        store.load({ ...all, blocks: [block(stored)], gaps }, now);
        store.load({ ...all, blocks: [block(later)], gaps: [] }, now);

        const there = new Set([...stored, ...later]);
        const isTold = (n: number): boolean => {
          // The latest word of the exchange counts; what was named without it says nothing.
          const said = named.filter(
            (one) => one.isSaid && n >= one.from && n < Math.min(one.from + one.bars, count),
          );
          return said.some((one) => one.isFresh);
        };
        const range = { from: times[from]!, to: times[from + bars]! };
        const wanted = Array.from({ length: bars }, (_, offset) => from + offset).filter(
          (n) => !there.has(n) && !isTold(n),
        );
        const isKnown = interval !== '3d' || there.size > 0 || gaps.length > 0;
        const runs = store.missing(series, range, now);
        if (isKnown) expect(unrolled(interval, runs)).toEqual(wanted.map((n) => times[n]));
        else expect(runs).toEqual(bars === 0 ? [] : [range]);
        for (const [at, run] of runs.entries()) expect(run.from).toBeGreaterThan(runs[at - 1]?.to ?? 0);
      }),
      { numRuns: 300 },
    );
  });
});

const unrolled = (interval: Interval, runs: readonly Span[]): number[] =>
  runs.flatMap(({ from, to }) => {
    const all: number[] = [];
    for (let openTime = from; openTime < to; openTime = nextOpenTime(interval, openTime)) all.push(openTime);
    return all;
  });
