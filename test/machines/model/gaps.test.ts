import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Run, runsOf, splitGap } from '../../../machines/model/gaps.ts';
import {
  closeTimeOf,
  INTERVALS,
  type Interval,
  nextOpenTime,
  openTimeAt,
} from '../../../machines/model/interval.ts';

const START = Date.UTC(2024, 0, 1);
const barsAt = (interval: Interval, openTimes: readonly number[]) =>
  openTimes.map((openTime) => ({ openTime, closeTime: closeTimeOf(interval, openTime) }));
/** Open times of `count` bars from `first` on. */
function times(interval: Interval, first: number, count: number): number[] {
  const all = [first];
  while (all.length < count) all.push(nextOpenTime(interval, all.at(-1)!));
  return all;
}
const unrolled = (interval: Interval, runs: readonly Run[]): number[] =>
  runs.flatMap(({ fromOpenTime, toOpenTime }) => {
    const all: number[] = [];
    for (let at = fromOpenTime; at <= toOpenTime; at = nextOpenTime(interval, at)) all.push(at);
    return all;
  });

describe('a gap of which bars turn up', () => {
  test('is cut into what is there and what is not', () => {
    const all = times('1M', START, 9);
    const gap = { fromOpenTime: all[0]!, toOpenTime: all[8]! };
    const { filled, open } = splitGap('1M', gap, barsAt('1M', [all[1]!, all[2]!, all[5]!]));
    const run = (from: number, to: number): Run => ({ fromOpenTime: all[from]!, toOpenTime: all[to]! });
    expect(filled).toEqual([run(1, 2), run(5, 5)]);
    expect(open).toEqual([run(0, 0), run(3, 4), run(6, 8)]);
  });

  test('whichever they are: each bar of it is in exactly one piece, and no other is', () => {
    const some = fc.record({
      interval: fc.constantFrom(...INTERVALS),
      // A series of three days may count from any midnight.
      phase: fc.integer({ min: 0, max: 2 }),
      length: fc.integer({ min: 1, max: 40 }),
      there: fc.array(fc.integer({ min: -2, max: 42 })),
    });
    fc.assert(
      fc.property(some, ({ interval, phase, length, there }) => {
        const first = interval === '3d' ? START + phase * 86_400_000 : openTimeAt(interval, START);
        const [before, all] = [times(interval, first, 50).slice(0, 3), times(interval, first, 50).slice(3)];
        const gap = { fromOpenTime: all[0]!, toOpenTime: all[length - 1]! };
        const chosen = [...before, ...all].filter((_, index) => there.includes(index - 3));
        const { filled, open } = splitGap(interval, gap, barsAt(interval, chosen));
        const within = all.slice(0, length);
        expect(unrolled(interval, filled)).toEqual(within.filter((time) => chosen.includes(time)));
        expect(unrolled(interval, open)).toEqual(within.filter((time) => !chosen.includes(time)));
        expect(runsOf(barsAt(interval, unrolled(interval, open)))).toEqual(open);
      }),
    );
  });
});
