import fc from 'fast-check';
import { expect, test } from 'vitest';
import { at, bar, frame, rig } from './candles.ts';

const LAST = 40;
const indices = fc.uniqueArray(fc.integer({ min: 0, max: LAST - 1 }), { maxLength: LAST });

test('whatever the stream brings and REST lacks, each bar comes once, in order, and the gaps are exactly what both lack', () => {
  fc.assert(
    fc.property(indices, indices, fc.array(indices, { maxLength: 4 }), (lacking, streamed, late) => {
      const { pipeline, time, cursor, story } = rig({ exchangeNow: at(0) + 10 });
      pipeline.take(frame(at(0), { closed: false }), 1);
      time.exchange = at(LAST);
      // What the stream brings comes in any order, and some of it between two askings.
      const shares = [streamed, ...late];
      const brought = new Set<number>();
      for (const [step, pauseMs] of [0, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000].entries()) {
        time.monotonic += pauseMs;
        for (const index of shares[step] ?? []) {
          // Once a bar is named as missing, its late close is a duplicate here.
          if (cursor.due !== undefined && at(index) >= cursor.due) brought.add(index);
          pipeline.take(frame(at(index)), 1);
        }
        const has = Array.from({ length: LAST }, (_, index) => index).filter(
          (index) => !lacking.includes(index) && at(index) >= (cursor.due ?? 0),
        );
        pipeline.fill(
          cursor,
          has.map((index) => bar(at(index), 'rest')),
          at(LAST),
          time.exchange,
        );
      }
      const told = story().flatMap((one) => {
        if (typeof one === 'number') return [{ index: one, gap: false }];
        const [from, to] = one.split('–').map(Number) as [number, number];
        return Array.from({ length: to - from + 1 }, (_, offset) => ({ index: from + offset, gap: true }));
      });
      expect(told.map((one) => one.index)).toEqual(Array.from({ length: LAST }, (_, index) => index));
      for (const { index, gap } of told) expect(gap).toBe(lacking.includes(index) && !brought.has(index));
      expect(cursor.due).toBe(at(LAST));
    }),
    { numRuns: 500 },
  );
});
