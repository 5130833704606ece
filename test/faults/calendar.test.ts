/** Bars over the edges of the calendar, which is UTC. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  closeTimeOf,
  countBars,
  DAY_MS,
  INTERVALS,
  nextOpenTime,
  openTimeAt,
  previousOpenTime,
} from '../../machines/model/interval.ts';
import { bar, frame, openTimes, rig } from '../pipeline/candles.ts';

const anyTime = fc.integer({ min: Date.UTC(2019, 0, 1), max: Date.UTC(2037, 0, 1) });
const anyInterval = fc.constantFrom(...INTERVALS);
const onDay = (openTime: number): number => new Date(openTime).getUTCDay();

describe('D11 the bars of any interval', () => {
  test('D11 cover all time without a hole or an overlap, each time in one of them', () => {
    fc.assert(
      fc.property(anyInterval, anyTime, (interval, time) => {
        const open = openTimeAt(interval, time);
        const next = nextOpenTime(interval, open);
        expect(open).toBeLessThanOrEqual(time);
        expect(next).toBeGreaterThan(time);
        expect(closeTimeOf(interval, open)).toBe(next - 1);
        expect(openTimeAt(interval, next - 1)).toBe(open);
        expect(openTimeAt(interval, next)).toBe(next);
        expect(previousOpenTime(interval, next)).toBe(open);
      }),
    );
  });

  test('D11 weeks open on Monday, months on the first and last as long as the calendar says', () => {
    fc.assert(
      fc.property(anyTime, (time) => {
        const week = openTimeAt('1w', time);
        expect([onDay(week), nextOpenTime('1w', week) - week]).toEqual([1, 7 * DAY_MS]);
        const month = openTimeAt('1M', time);
        const date = new Date(month);
        expect([date.getUTCDate(), date.getUTCHours(), month % DAY_MS]).toEqual([1, 0, 0]);
        const days = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
        expect(nextOpenTime('1M', month) - month).toBe(days * DAY_MS);
      }),
    );
  });

  test.each([
    ['February of a leap year', Date.UTC(2024, 1, 1), 29],
    ['February of another', Date.UTC(2025, 1, 1), 28],
    ['December', Date.UTC(2025, 11, 1), 31],
  ])('D11 %s has the length that it has', (_, openTime, days) => {
    expect((nextOpenTime('1M', openTime) - openTime) / DAY_MS).toBe(days);
    expect(openTimeAt('1M', openTime + (days - 1) * DAY_MS)).toBe(openTime);
    expect(countBars('1M', openTime, nextOpenTime('1M', openTime))).toBe(1);
  });

  test('D11 come out once each and in order over any such edge, by stream, by REST, or as a gap', () => {
    const edges = [
      Date.UTC(2024, 1, 29),
      Date.UTC(2024, 2, 1),
      Date.UTC(2025, 11, 31),
      Date.UTC(2026, 0, 1),
      Date.UTC(2026, 0, 5),
    ];
    fc.assert(
      fc.property(
        anyInterval,
        fc.constantFrom(...edges),
        fc.array(fc.constantFrom('stream', 'rest', 'nobody'), { minLength: 4, maxLength: 12 }),
        (interval, edge, sources) => {
          const series = { symbol: 'BTCUSDT', interval };
          let first = openTimeAt(interval, edge);
          for (let bars = 0; bars < 3; bars++) first = previousOpenTime(interval, first);
          const times = openTimes(interval, first, sources.length);
          const end = nextOpenTime(interval, times.at(-1)!);
          const { pipeline, time, cursor, out } = rig({ series: [series], exchangeNow: first + 1 });
          pipeline.take(frame(first, { closed: false, series }), 1);
          time.exchange = end + 10;
          const by = (source: string): number[] => times.filter((_, index) => sources[index] === source);
          for (const openTime of by('stream')) pipeline.take(frame(openTime, { series }), 1);
          for (const now of [0, 5_000, 10_000, 20_000]) {
            time.monotonic = now;
            pipeline.fill(
              cursor,
              by('rest').map((openTime) => bar(openTime, 'rest', series)),
              end,
              time.exchange,
            );
          }
          const told = out().flatMap((row) => {
            if ('candle' in row) return [row.candle.openTime];
            if (!('gap' in row)) return [];
            const { fromOpenTime, toOpenTime } = row.gap;
            return openTimes(interval, fromOpenTime, countBars(interval, fromOpenTime, toOpenTime) + 1);
          });
          expect(told).toEqual(times);
        },
      ),
      { numRuns: 300 },
    );
  });
});
