import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  closeTimeOf,
  countBars,
  DAY_MS,
  INTERVALS,
  type Interval,
  isAligned,
  isInterval,
  nextOpenTime,
  openTimeAt,
  previousOpenTime,
} from '../../../machines/model/interval.ts';

const utc = (text: string): number => Date.parse(`${text}Z`);
const anyInterval = fc.constantFrom(...INTERVALS);
/** From before the epoch to 2100. */
const anyTime = fc.integer({ min: utc('1965-01-01T00:00'), max: utc('2100-01-01T00:00') });

describe('names', () => {
  test('are the fifteen exact ones', () => {
    expect(INTERVALS).toHaveLength(15);
    expect(INTERVALS.every(isInterval)).toBe(true);
  });

  test.each(['1mo', '1H', '1D', '1W', ' 1m', '1m ', '1s', '2m', '', 'constructor', undefined, 1, null])(
    'are not folded or guessed: %j',
    (text) => expect(isInterval(text)).toBe(false),
  );

  test('1m is a minute and 1M is a month', () => {
    const at = utc('2024-05-17T13:37:42.123');
    expect(openTimeAt('1m', at)).toBe(utc('2024-05-17T13:37'));
    expect(openTimeAt('1M', at)).toBe(utc('2024-05-01T00:00'));
    expect(nextOpenTime('1m', at) - at).toBe(60_000);
  });
});

describe('the calendar', () => {
  test.each([
    ['2024-01-31T23:59:59.999', '2024-01-01T00:00', '2024-02-01T00:00'],
    ['2024-02-29T12:00', '2024-02-01T00:00', '2024-03-01T00:00'],
    ['2023-02-28T12:00', '2023-02-01T00:00', '2023-03-01T00:00'],
    ['2000-02-29T00:00', '2000-02-01T00:00', '2000-03-01T00:00'],
    ['2100-02-28T23:59', '2100-02-01T00:00', '2100-03-01T00:00'],
    ['2023-12-31T23:59:59.999', '2023-12-01T00:00', '2024-01-01T00:00'],
  ])('the month of %s opens at %s and the next at %s', (at, open, next) => {
    expect(openTimeAt('1M', utc(at))).toBe(utc(open));
    expect(nextOpenTime('1M', utc(open))).toBe(utc(next));
  });

  test.each([
    ['2024-01-01T00:00', '2024-01-01T00:00'],
    ['2024-01-07T23:59:59.999', '2024-01-01T00:00'],
    ['2024-01-08T00:00', '2024-01-08T00:00'],
    ['2024-03-01T10:00', '2024-02-26T00:00'],
    ['1970-01-01T00:00', '1969-12-29T00:00'],
  ])('the week of %s opens on Monday %s', (at, open) => {
    expect(openTimeAt('1w', utc(at))).toBe(utc(open));
    expect(new Date(openTimeAt('1w', utc(at))).getUTCDay()).toBe(1);
  });

  test('months have 28 to 31 days, and a bar ends on the last millisecond of its month', () => {
    expect(closeTimeOf('1M', utc('2024-02-01T00:00'))).toBe(utc('2024-02-29T23:59:59.999'));
    expect(countBars('1d', utc('2024-02-01T00:00'), utc('2024-03-01T00:00'))).toBe(29);
  });
});

describe('for every interval and every time', () => {
  const forAll = (check: (interval: Interval, time: number) => void): void =>
    fc.assert(fc.property(anyInterval, anyTime, check));

  test('the bar contains the time, and finding it again changes nothing', () =>
    forAll((interval, time) => {
      const open = openTimeAt(interval, time);
      expect(open).toBeLessThanOrEqual(time);
      expect(closeTimeOf(interval, open)).toBeGreaterThanOrEqual(time);
      expect(openTimeAt(interval, open)).toBe(open);
      expect(openTimeAt(interval, closeTimeOf(interval, open))).toBe(open);
      expect(isAligned(interval, open)).toBe(true);
    }));

  test('next and previous undo each other, and leave no gap', () =>
    forAll((interval, time) => {
      const open = openTimeAt(interval, time);
      const next = nextOpenTime(interval, open);
      expect(openTimeAt(interval, next)).toBe(next);
      expect(previousOpenTime(interval, next)).toBe(open);
      expect(closeTimeOf(interval, open) + 1).toBe(next);
    }));

  test('the number of bars is the number of steps', () => {
    fc.assert(
      fc.property(anyInterval, anyTime, fc.nat({ max: 500 }), (interval, time, steps) => {
        const from = openTimeAt(interval, time);
        let to = from;
        for (let i = 0; i < steps; i++) to = nextOpenTime(interval, to);
        expect(countBars(interval, from, to)).toBe(steps);
        expect(countBars(interval, to, from)).toBe(0);
      }),
    );
  });

  test('only an open time is aligned', () =>
    forAll((interval, time) => {
      const expected = interval === '3d' ? time % DAY_MS === 0 : openTimeAt(interval, time) === time;
      expect(isAligned(interval, time)).toBe(expected);
      expect(isAligned(interval, openTimeAt(interval, time) + 1)).toBe(false);
      expect(isAligned(interval, time + 0.5)).toBe(false);
    }));

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300])('%j is never aligned', (time) => {
    for (const interval of INTERVALS) expect(isAligned(interval, time)).toBe(false);
  });
});

test.each(['Asia/Kathmandu', 'America/St_Johns', 'Pacific/Apia'])(
  'the time zone of the process changes nothing: %s',
  (zone) => {
    const times = [utc('2011-12-30T12:34'), utc('2024-02-29T23:59:59.999'), utc('2024-03-31T01:30'), 0];
    const source = new URL('../../../machines/model/interval.ts', import.meta.url).href;
    const script = `import { INTERVALS, nextOpenTime, openTimeAt } from ${JSON.stringify(source)};
    const all = ${JSON.stringify(times)}.flatMap((at) => INTERVALS.map((it) => [openTimeAt(it, at), nextOpenTime(it, openTimeAt(it, at))]));
    process.stdout.write(JSON.stringify([new Date(0).getTimezoneOffset() !== 0, all]));`;
    const out = execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
      env: { ...process.env, TZ: zone },
      encoding: 'utf8',
    });
    const here = times.flatMap((at) =>
      INTERVALS.map((it) => [openTimeAt(it, at), nextOpenTime(it, openTimeAt(it, at))]),
    );
    expect(JSON.parse(out)).toEqual([true, here]);
  },
);

test('bars of three days may begin on any day, and at no other time', () => {
  for (const day of [0, 1, 2]) {
    const time = utc('2026-02-03T00:00') + day * DAY_MS;
    expect([isAligned('3d', time), isAligned('3d', time + DAY_MS / 2)]).toEqual([true, false]);
  }
});
