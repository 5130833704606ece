import fc from 'fast-check';
import { expect, test } from 'vitest';
import { INTERVALS, nextOpenTime, openTimeAt, previousOpenTime } from '../../../machines/model/interval.ts';
import { atMost, type Span, shift, spanOf, unite, within, without } from '../../../machines/model/spans.ts';

const span = fc.tuple(fc.nat(60), fc.nat(9)).map(([from, length]): Span => ({ from, to: from + length }));
const spans = fc.array(span, { maxLength: 12 });
const covered = (some: readonly Span[]): Set<number> =>
  new Set(some.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, index) => from + index)));
const sorted = (some: ReadonlySet<number>): number[] => [...some].sort((one, other) => one - other);
const expectApart = (some: readonly Span[]): void => {
  for (const [index, { from, to }] of some.entries()) {
    expect(to).toBeGreaterThan(from);
    expect(from).toBeGreaterThan(some[index - 1]?.to ?? -1);
  }
};

test('spans united cover what they covered, and neither touch nor overlap', () => {
  fc.assert(
    fc.property(spans, (some) => {
      const united = unite(some);
      expect(sorted(covered(united))).toEqual(sorted(covered(some)));
      expectApart(united);
    }),
  );
});

test('spans without others cover what the others do not', () => {
  fc.assert(
    fc.property(spans, spans, (some, others) => {
      const left = without(unite(some), unite(others));
      const taken = covered(others);
      expect(sorted(covered(left))).toEqual(sorted(covered(some)).filter((time) => !taken.has(time)));
      expectApart(left);
    }),
  );
});

test('spans made fewer cover all that they covered, and the longest distances between them are kept', () => {
  fc.assert(
    fc.property(spans, fc.integer({ min: 1, max: 12 }), (some, max) => {
      const united = unite(some);
      const fewer = atMost(united, max);
      expect(fewer).toHaveLength(Math.min(max, united.length));
      const told = covered(fewer);
      expect(sorted(covered(united)).filter((time) => !told.has(time))).toEqual([]);
      expectApart(fewer);
      const between = (of: readonly Span[]): number[] =>
        of.slice(1).map((one, index) => one.from - of[index]!.to);
      const longest = between(united).sort((one, other) => other - one);
      expect(between(fewer).sort((one, other) => other - one)).toEqual(longest.slice(0, fewer.length - 1));
    }),
  );
});

test('an open time is as many bars on, or back, as one after the other', () => {
  const some = fc.record({
    interval: fc.constantFrom(...INTERVALS),
    time: fc.nat(2_000_000_000_000),
    bars: fc.nat(30),
  });
  fc.assert(
    fc.property(some, ({ interval, time, bars }) => {
      const start = openTimeAt(interval, time);
      let [on, back] = [start, start];
      for (let bar = 0; bar < bars; bar++)
        [on, back] = [nextOpenTime(interval, on), previousOpenTime(interval, back)];
      expect([shift(interval, start, bars), shift(interval, start, -bars)]).toEqual([on, back]);
    }),
  );
});

test('of distances that are as long as each other no more are closed than must be, the first ones', () => {
  const some = [0, 2, 5, 8, 11].map((from) => ({ from, to: from + 1 }));
  expect(
    [5, 4, 3, 2].map((max) =>
      atMost(some, max)
        .map(({ from, to }) => `${from}-${to}`)
        .join(' '),
    ),
  ).toEqual(['0-1 2-3 5-6 8-9 11-12', '0-3 5-6 8-9 11-12', '0-6 8-9 11-12', '0-9 11-12']);
});

test('a span has the bars of its run, and what of it lies in another', () => {
  const minutes = 60_000;
  const span = spanOf('1m', { fromOpenTime: 3 * minutes, toOpenTime: 5 * minutes });
  expect(span).toEqual({ from: 3 * minutes, to: 6 * minutes });
  expect(within(span, { from: 0, to: 4 * minutes })).toEqual({ from: 3 * minutes, to: 4 * minutes });
  expect(within(span, { from: 4 * minutes, to: 9 * minutes })).toEqual({
    from: 4 * minutes,
    to: 6 * minutes,
  });
});
