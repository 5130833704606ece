/** Runs of bars, and bars compared: at the edges. */
import { describe, expect, test } from 'vitest';
import { patienceOf, prepareDelay, repairDelay } from '../../../machines/model/backoff.ts';
import { joinRuns, runsWithout } from '../../../machines/model/block-runs.ts';
import type { Run } from '../../../machines/model/gaps.ts';
import { type Candle, sameShape, sameValues, seriesKey } from '../../../machines/model/kline.ts';
import { emptyBudget, sent, usedNow } from '../../../machines/model/weight-budget.ts';
import { at, bar } from '../../pipeline/candles.ts';

const run = (from: number, to: number): Run => ({ fromOpenTime: at(from), toOpenTime: at(to) });

describe('runs', () => {
  test.each<[string, Run[], Run[]]>([
    ['none of them', [], [run(0, 9)]],
    ['their beginning', [run(0, 2)], [run(3, 9)]],
    ['their end', [run(8, 9)], [run(0, 7)]],
    ['their middle, twice', [run(2, 3), run(5, 5)], [run(0, 1), run(4, 4), run(6, 9)]],
    ['all of them', [run(0, 9)], []],
    ['others', [run(-5, -1), run(10, 12)], [run(0, 9)]],
  ])('without %s', (_, others, left) => expect(runsWithout('1m', [run(0, 9)], others)).toEqual(left));

  test('of which each lacks what lies in it', () => {
    expect(runsWithout('1m', [run(0, 1), run(5, 6)], [run(1, 1), run(5, 5)])).toEqual([run(0, 0), run(6, 6)]);
  });

  test('that go on in the next one are one', () => {
    expect(joinRuns('1m', [])).toEqual([]);
    expect(joinRuns('1m', [run(0, 1), run(2, 2), run(4, 5), run(6, 9)])).toEqual([run(0, 2), run(4, 9)]);
  });
});

describe('two readings of a bar', () => {
  const one = bar(at(0));
  const NUMBERS = Object.entries(one).flatMap(([key, value]) => (typeof value === 'number' ? [key] : []));

  test('agree in all but where they came from', () => {
    expect(sameValues(one, { ...one, source: 'vision' })).toBe(true);
    const differing = NUMBERS.filter((key) => !sameValues(one, { ...one, [key]: -1 } as Candle));
    expect(differing).toEqual(NUMBERS.filter((key) => key !== 'openTime'));
  });

  test('are drawn alike when prices and volume are the same', () => {
    const differing = NUMBERS.filter((key) => !sameShape(one, { ...one, [key]: -1 } as Candle));
    expect(differing).toEqual(['open', 'high', 'low', 'close', 'volume']);
    expect(seriesKey(one)).toBe('BTCUSDT@1m');
  });
});

describe('what an error asks for', () => {
  test.each([
    [null, 0],
    [undefined, 0],
    ['retryAfterMs', 0],
    [{}, 0],
    [{ retryAfterMs: -5 }, 0],
    [{ retryAfterMs: 'x' }, 0],
    [{ retryAfterMs: 700 }, 700],
    [{ retryAfterMs: 1e12 }, 2 ** 31 - 1],
  ])('%j is %i ms', (error, ms) => expect(patienceOf(error)).toBe(ms));

  test('is the least that is waited, and a pause doubles up to 15 or 30 s otherwise', () => {
    expect([0, 1, 3, 4, 5_000].map((tries) => prepareDelay(1_000, tries, undefined))).toEqual([
      1_000, 2_000, 8_000, 15_000, 15_000,
    ]);
    expect(prepareDelay(1_000, 0, { retryAfterMs: 20_000 })).toBe(20_000);
    expect([0, 1, 4, 5, 5_000].map((tries) => repairDelay(tries, 0))).toEqual([
      1_000, 2_000, 16_000, 30_000, 30_000,
    ]);
    expect(repairDelay(0, 0.5)).toBe(1_125);
  });
});

test('a request that nobody ended counts as under way for a minute', () => {
  const budget = sent(emptyBudget(100), {}, 7, 0);
  expect([usedNow(budget, 60_000), usedNow(budget, 60_001)]).toEqual([7, 0]);
});
