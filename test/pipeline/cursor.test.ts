import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY_MS, INTERVALS, nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';
import { Absences } from '../../src/pipeline/absences.ts';
import { Cursor } from '../../src/pipeline/cursor.ts';
import { closeGraceMs } from '../../src/pipeline/grace.ts';
import { at, BTC, bar } from './candles.ts';

function dueAt(openTime: number, series: Series = BTC, graceMs = 0): Cursor {
  const cursor = new Cursor(series, graceMs);
  cursor.due = openTime;
  return cursor;
}

describe('bars held behind a hole', () => {
  test('are given out by open time whatever order they came in, each once', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 40 }), (indices) => {
        const cursor = dueAt(at(0));
        const fresh = indices.map((index) => cursor.hold(bar(at(index))));
        expect(fresh.filter((isNew) => isNew)).toHaveLength(new Set(indices).size);
        const out: number[] = [];
        for (let index = 0; index <= 20; index++) {
          cursor.due = at(index);
          const held = cursor.peekDue();
          if (held === undefined) continue;
          cursor.takeDue();
          out.push(index);
        }
        expect(out).toEqual([...new Set(indices)].sort((a, b) => a - b));
      }),
    );
  });

  test('that were overtaken are forgotten', () => {
    const cursor = dueAt(at(0));
    for (const index of [1, 2, 5]) cursor.hold(bar(at(index)));
    cursor.due = at(4);
    expect(cursor.peekDue()).toBeUndefined();
    expect(cursor.firstHeld).toBe(at(5));
    cursor.due = at(9);
    expect([cursor.peekDue(), cursor.firstHeld]).toEqual([undefined, undefined]);
  });

  test('beyond the bound the newest go, and a nearer one finds room', () => {
    const cursor = dueAt(at(0));
    for (let index = 2; index <= 1_600; index++) expect(cursor.hold(bar(at(index)))).toBe(true);
    expect(cursor.hold(bar(at(1)))).toBe(true);
    expect(cursor.firstHeld).toBe(at(1));
    let count = 0;
    for (let index = 1; index <= 1_600; index++) {
      cursor.due = at(index);
      if (cursor.peekDue() === undefined) continue;
      cursor.takeDue();
      count += 1;
    }
    expect(count).toBe(1_500);
  });
});

describe('what is owed', () => {
  test('is nothing before the bar that is due has ended for the grace', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...INTERVALS),
        fc.integer({ min: 1_500_000_000_000, max: 2_000_000_000_000 }),
        fc.integer({ min: 0, max: 10_000 }),
        fc.integer({ min: 0, max: 90 * DAY_MS }),
        (interval, time, grace, later) => {
          const due = openTimeAt(interval, time);
          const until = dueAt(due, { symbol: 'BTCUSDT', interval }, grace).owedUntil(due + later, 0);
          const hasEnded = nextOpenTime(interval, due) <= due + later - grace;
          expect(until !== undefined).toBe(hasEnded);
          if (until !== undefined) expect(until).toBeLessThanOrEqual(due + later - grace);
        },
      ),
    );
  });

  test.each([0, 1, 2])('of bars of three days it follows the phase of the series: day %i', (day) => {
    const due = openTimeAt('3d', at(0)) + day * DAY_MS;
    const cursor = dueAt(due, { symbol: 'BTCUSDT', interval: '3d' });
    expect(cursor.owedUntil(due + 3 * DAY_MS - 1, 0)).toBeUndefined();
    expect(cursor.owedUntil(due + 3 * DAY_MS, 0)).toBe(due + 3 * DAY_MS);
    expect(cursor.owedUntil(due + 8 * DAY_MS, 0)).toBe(due + 6 * DAY_MS);
    expect(cursor.skipTo(due + 6 * DAY_MS)).toEqual({ fromOpenTime: due, toOpenTime: due + 3 * DAY_MS });
  });

  test('is a bar that is held, whatever the clock says', () => {
    const cursor = dueAt(at(0), BTC, 5_000);
    cursor.hold(bar(at(3)));
    expect(cursor.owedUntil(Number.NaN, 0)).toBe(at(3));
    expect(cursor.owedUntil(at(-100), 0)).toBe(at(3));
  });

  test('is nothing for a series that has not started', () => {
    expect(new Cursor(BTC, 0).owedUntil(at(100), 0)).toBeUndefined();
  });
});

test('a series is silent since its last frame, or since somebody hears of it', () => {
  const cursor = dueAt(at(0));
  cursor.heardSince = 100;
  expect(cursor.silentMs(150)).toBe(50);
});

describe('where a series stands', () => {
  test('follows the days that the exchange counts its three from, once a row has told; no other interval does', () => {
    const three = { symbol: 'BTCUSDT', interval: '3d' } as const;
    const due = openTimeAt('3d', at(0));
    const cursor = dueAt(due, three);
    cursor.alignTo(due - DAY_MS);
    expect(cursor.due).toBe(due);
    cursor.alignTo(due + 7 * DAY_MS);
    expect(cursor.due).toBe(due + DAY_MS);
    const fresh = new Cursor(three, 0);
    fresh.alignTo(due);
    expect(fresh.due).toBeUndefined();
    const minutes = dueAt(at(0));
    minutes.alignTo(at(0) + 30_000);
    expect(minutes.due).toBe(at(0));
  });

  test('is told by the first bar that is held, until that is taken', () => {
    const cursor = dueAt(at(1));
    for (const index of [1, 2]) cursor.hold(bar(at(index)));
    expect(cursor.peekDue()?.openTime).toBe(at(1));
    cursor.takeDue();
    expect(cursor.firstHeld).toBe(at(2));
  });

  test('is behind the last bar that was delivered, each of which is counted', () => {
    const cursor = dueAt(at(0));
    for (const index of [0, 1]) cursor.advance(bar(at(index)));
    expect([cursor.due, cursor.last?.openTime, cursor.closed]).toEqual([at(2), at(1), 2]);
  });

  test('is over where its symbol ends: the bar that would open there is not owed, whatever is held', () => {
    const cursor = dueAt(at(1));
    cursor.hold(bar(at(4)));
    cursor.retire(at(2));
    expect([cursor.firstHeld, cursor.isEnded, cursor.isOwed(at(9), 0)]).toEqual([undefined, false, true]);
    expect(cursor.owedUntil(at(9), 0)).toBe(at(2));
    cursor.advance(bar(at(1)));
    cursor.hold(bar(at(4)));
    expect([cursor.isEnded, cursor.isOwed(at(9), 0), cursor.owedUntil(at(9), 0)]).toEqual([
      true,
      false,
      undefined,
    ]);
    cursor.reopen();
    expect([cursor.isEnded, cursor.isOwed(at(9), 0)]).toEqual([false, true]);
  });
});

describe('bars that REST lacks', () => {
  const range = (from: number, until: number) => ({ from: at(from), until: at(until) });

  test('are those between what it has and what is held, from the bar due up to what had ended', () => {
    const cursor = dueAt(at(0));
    cursor.hold(bar(at(3)));
    const has = [bar(at(1)), bar(at(6))];
    expect(cursor.missing(has, at(9), true)).toEqual([range(0, 1), range(2, 3), range(4, 6), range(7, 9)]);
    expect(cursor.missing(has, at(9), false).at(-1)).toEqual(range(4, 6));
  });

  test('are none behind the last bar of an answer that was cut at its limit, though later ones are held', () => {
    const cursor = dueAt(at(0));
    cursor.hold(bar(at(5)));
    const has = [bar(at(1)), bar(at(2))];
    expect(cursor.missing(has, at(9), false)).toEqual([range(0, 1)]);
    expect(cursor.missing([], at(9), false)).toEqual([]);
    expect(cursor.missing(has, at(9), true)).toEqual([range(0, 1), range(3, 5), range(6, 9)]);
  });

  test('are established all at once after three askings over ten seconds', () => {
    const absences = new Absences();
    const holes = [range(0, 1), range(5, 7)];
    for (const now of [0, 5_000, 9_999]) absences.note(holes, now);
    expect(absences.establishedFrom(at(0), 9_999)).toBeUndefined();
    expect(absences.establishedFrom(at(0), 10_000)).toBe(at(1));
    expect(absences.establishedFrom(at(5), 10_000)).toBe(at(7));
    expect(absences.establishedFrom(at(1), 10_000)).toBeUndefined();
  });

  test('are asked for once, however often that was at the same moment', () => {
    const absences = new Absences();
    for (const now of [0, 1, 2, 999]) absences.note([range(0, 1)], now);
    absences.note([range(0, 1)], 20_000);
    expect(absences.establishedFrom(at(0), 20_000)).toBeUndefined();
  });

  test('are forgotten once it has them', () => {
    const absences = new Absences();
    for (const now of [0, 5_000]) absences.note([range(0, 1)], now);
    absences.note([], 6_000);
    absences.note([range(0, 1)], 10_000);
    expect(absences.establishedFrom(at(0), 10_000)).toBeUndefined();
  });
});

describe('the grace for a close', () => {
  test('is five seconds of exchange time and up to one more', () => {
    expect(closeGraceMs(1, 0)).toBe(5_000);
    expect(closeGraceMs(1, 0.999)).toBeLessThan(6_000);
  });

  test('is never shorter than frames need to travel, however fast the exchange runs', () => {
    expect(closeGraceMs(1_000, 0) / 1_000).toBeGreaterThanOrEqual(500);
  });
});
