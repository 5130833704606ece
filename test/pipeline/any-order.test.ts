import fc from 'fast-check';
import { expect, test } from 'vitest';
import { closeTimeOf, INTERVALS, nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import { finalOnly } from '../../src/pipeline/final-only.ts';
import { at, bar, candleOf, frame, openTimes, rig } from './candles.ts';

const AHEAD_MS = 5_000;

test('whatever comes from stream and REST, what comes out is without a hole that has no name, in order, and has ended', () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('frame' as const),
      /** Against the bar that is open. */
      back: fc.integer({ min: -1, max: 4 }),
      off: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, -1),
      closed: fc.constantFrom(true, true, true, false),
      lateMs: fc.constantFrom(undefined, -40_000, 0, 3_000),
      epoch: fc.integer({ min: 1, max: 3 }),
      low: fc.constantFrom('1', '1', '1', '1', '1', '1', '9999'),
    }),
    fc.record({
      do: fc.constant('fill' as const),
      /** Against the bar that is due. */
      from: fc.integer({ min: -1, max: 2 }),
      count: fc.integer({ min: 0, max: 6 }),
      without: fc.constantFrom(-1, -1, -1, 0, 1, 2),
    }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1_000, 4_000, 30_000, 70_000) }),
    fc.constant({ do: 'quiet' as const }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...INTERVALS),
      fc.array(step, { minLength: 40, maxLength: 80, size: 'max' }),
      fc.constantFrom(3, 50_000),
      (interval, steps, rowsMax) => {
        const series = { symbol: 'BTCUSDT', interval };
        const start = openTimeAt(interval, at(0));
        const length = nextOpenTime(interval, start) - start;
        const move = (openTime: number, bars: number): number =>
          bars < 0
            ? move(openTimeAt(interval, openTime - 1), bars + 1)
            : (openTimes(interval, openTime, bars + 1)[bars] ?? openTime);
        const one = rig({ series: [series], exchangeNow: start + 1_000, rowsMax });
        for (const action of steps) {
          const { exchange } = one.time;
          if (action.do === 'pass') {
            one.time.monotonic += action.ms;
            one.time.exchange += (action.ms / 60_000) * length;
          } else if (action.do === 'quiet') one.pipeline.goQuiet(series);
          else if (action.do === 'frame') {
            const openTime = move(openTimeAt(interval, exchange), -action.back) + action.off;
            const eventTime = action.lateMs === undefined ? exchange : openTime + length + action.lateMs;
            const made = frame(openTime, {
              series,
              closed: action.closed,
              eventTime: Math.round(Math.min(eventTime, exchange)),
              k: { l: action.low },
            });
            one.pipeline.take(made, action.epoch);
          } else {
            const first = move(one.cursor.due ?? start, action.from);
            const rows = openTimes(interval, first, action.count + 1)
              .slice(0, action.count)
              .filter((_, n) => n !== action.without)
              .map((openTime) => bar(openTime, 'rest', series));
            one.pipeline.fill(
              one.cursor,
              finalOnly(rows, exchange, 0),
              openTimeAt(interval, exchange),
              exchange,
            );
          }
          one.pipeline.scan();
          if (Math.round(one.time.monotonic) % 3_000 === 0) one.out();
        }
        let due: number | undefined;
        for (const row of one.out()) {
          const from = 'gap' in row ? row.gap.fromOpenTime : candleOf(row).openTime;
          const last = 'gap' in row ? row.gap.toOpenTime : candleOf(row).openTime;
          if (due !== undefined) expect(from).toBe(due);
          expect(last).toBeGreaterThanOrEqual(from);
          expect(closeTimeOf(interval, last)).toBeLessThan(one.time.exchange + AHEAD_MS);
          due = nextOpenTime(interval, last);
        }
      },
    ),
    { numRuns: 400 },
  );
});
