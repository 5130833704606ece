import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  endedBefore,
  type HistoryAsk,
  openTimeFrom,
  planHistory,
} from '../../../machines/model/history-plan.ts';
import { countBars, DAY_MS, INTERVALS, nextOpenTime } from '../../../machines/model/interval.ts';
import type { Span } from '../../../machines/model/spans.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const time = (text: string): number => Date.parse(`${text}${text.length > 10 ? '' : 'T00:00'}Z`);
const text = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T00:00', '');
/** Published two days later, as the real archive's day files; months are always there. */
const published = (now: number, isLocal = false): HistoryAsk['archive'] => ({
  isLocal,
  has: (kind, from) => kind === 'month' || now >= from + 2 * DAY_MS,
});

function plan(from: string, to: string, change: Partial<HistoryAsk> = {}): string[] {
  const endedBy = change.endedBy ?? time('2024-03-10T12:34');
  const { pieces, left } = planHistory({
    symbol: 'BTCUSDT',
    interval: '1m',
    wanted: [{ from: time(from), to: time(to) }],
    source: 'auto',
    endedBy,
    archive: published(endedBy),
    hasRest: true,
    ...change,
  });
  return [
    ...pieces.map(({ by, from, to }) => `${by} ${text(from)} ${text(to)}`),
    ...left.map(({ from, to }) => `left ${text(from)} ${text(to)}`),
  ];
}

describe('a plan of auto', () => {
  test('takes whole days that are published from the archive, and parts of days and the newest from REST', () => {
    expect(plan('2024-02-27T23:10', '2024-04-01')).toEqual([
      'rest 2024-02-27T23:10 2024-02-28',
      'day 2024-02-28 2024-02-29',
      'day 2024-02-29 2024-03-01',
      ...[1, 2, 3, 4, 5, 6, 7, 8].map(
        (day) => `day 2024-03-0${day} 2024-03-${day === 9 ? 10 : `0${day + 1}`}`,
      ),
      'rest 2024-03-09 2024-03-10T12:34',
    ]);
  });

  test('raises a time in a bar to the next open time, and wants no bar that opens at the end', () => {
    const hours = { interval: '1h' } as const;
    expect(plan('2024-03-09T00:01', '2024-03-09T02:00', hours)).toEqual([
      'rest 2024-03-09T01:00 2024-03-09T02:00',
    ]);
    expect(plan('2024-03-09T00:00', '2024-03-09T01:01', hours)).toEqual(['rest 2024-03-09 2024-03-09T02:00']);
    expect(plan('2024-03-09T00:00', '2024-03-09T00:01', hours)).toEqual(['rest 2024-03-09 2024-03-09T01:00']);
  });

  test('is empty for an empty range, one in the future, one before the first bar', () => {
    expect(plan('2024-03-09', '2024-03-09')).toEqual([]);
    expect(plan('2024-03-09', '2024-03-08')).toEqual([]);
    expect(plan('2024-03-10T12:34', '2030-01-01')).toEqual([]);
    expect(plan('2024-03-01', '2024-03-02', { firstOpenTime: time('2024-03-02') })).toEqual([]);
  });

  test('takes the day on which the series begins from the archive, though it is not whole', () => {
    const firstOpenTime = time('2024-03-01T07:30');
    expect(plan('2024-02-01', '2024-03-02', { firstOpenTime })).toEqual(['day 2024-03-01T07:30 2024-03-02']);
    expect(plan('2024-03-01T07:31', '2024-03-02', { firstOpenTime })).toEqual([
      'rest 2024-03-01T07:31 2024-03-02',
    ]);
  });

  test.each(['1m', '3m', '5m', '15m', '30m', '1h'] as const)(
    'takes days of %s from the archive',
    (interval) => {
      expect(plan('2024-03-01', '2024-03-02', { interval })).toEqual(['day 2024-03-01 2024-03-02']);
    },
  );

  test.each(['2h', '4h', '6h', '8h', '12h', '1d', '3d', '1w', '1M'] as const)(
    'asks REST for %s',
    (interval) => {
      const [piece, ...others] = plan('2023-01-01', '2024-01-01', { interval });
      expect(piece).toMatch(/^rest /u);
      expect(others).toEqual([]);
    },
  );

  test('asks only for what is missing, and in one piece where it goes on', () => {
    const wanted = [
      { from: time('2024-03-01'), to: time('2024-03-01T12:00') },
      { from: time('2024-03-01T12:00'), to: time('2024-03-02T00:10') },
      { from: time('2024-03-02T00:20'), to: time('2024-03-02T00:30') },
    ];
    expect(plan('2024-03-01', '2024-03-03', { wanted })).toEqual([
      'rest 2024-03-01 2024-03-02T00:10',
      'rest 2024-03-02T00:20 2024-03-02T00:30',
    ]);
  });

  test('counts days of three from the first bar of the series', () => {
    const three = { interval: '3d', firstOpenTime: time('2024-01-02') } as const;
    expect(plan('2023-01-01', '2024-01-06', three)).toEqual(['rest 2024-01-02 2024-01-08']);
    expect(plan('2024-03-01', '2024-04-01', three)).toEqual(['rest 2024-03-02 2024-03-08']);
  });
});

describe('a plan without REST', () => {
  test('trims files, takes months for long bars, and leaves what is not published yet', () => {
    const vision = { source: 'vision' } as const;
    expect(plan('2024-03-07T23:00', '2024-03-11', vision)).toEqual([
      'day 2024-03-07T23:00 2024-03-08',
      'day 2024-03-08 2024-03-09',
      'left 2024-03-09 2024-03-10T12:34',
    ]);
    expect(plan('2024-02-01', '2024-03-05', { ...vision, interval: '1w' })).toEqual([
      'month 2024-02-05 2024-03-04',
    ]);
    expect(plan('2023-12-01', '2024-02-02', { ...vision, interval: '1M' })).toEqual([
      'month 2023-12-01 2024-01-01',
      'month 2024-01-01 2024-02-01',
      'month 2024-02-01 2024-03-01',
    ]);
    expect(plan('2024-03-05', '2024-03-07', { ...vision, interval: '12h' })).toHaveLength(2);
  });

  test('of a folder takes the day file, else the month file, else what the folder turns out to lack', () => {
    const days = [time('2024-02-02'), time('2024-04-01')];
    const archive: HistoryAsk['archive'] = {
      isLocal: true,
      has: (kind, from) => (kind === 'day' ? days.includes(from) : from === time('2024-02-01')),
    };
    const folder = { archive, hasRest: false, endedBy: time('2024-06-01') };
    expect(plan('2024-02-01', '2024-02-05T01:00', folder)).toEqual([
      'month 2024-02-01 2024-02-02',
      'day 2024-02-02 2024-02-03',
      'month 2024-02-03 2024-02-05T01:00',
    ]);
    expect(plan('2024-03-31T23:00', '2024-04-01T01:00', folder)).toEqual([
      'day 2024-03-31T23:00 2024-04-01',
      'day 2024-04-01 2024-04-01T01:00',
    ]);
    expect(plan('2024-03-31T23:00', '2024-04-01T01:00', { ...folder, hasRest: true })).toEqual([
      'rest 2024-03-31T23:00 2024-04-01',
      'day 2024-04-01 2024-04-01T01:00',
    ]);
  });
});

test('REST alone is one piece for each part that is missing', () => {
  expect(plan('2020-01-01', '2024-01-01', { source: 'rest' })).toEqual(['rest 2020-01-01 2024-01-01']);
});

describe('any plan', () => {
  const START = time('2023-11-20');
  const moments = fc.integer({ min: 0, max: 120 * 24 * 60 }).map((minutes) => START + minutes * MINUTE);
  const spans = fc
    .uniqueArray(moments, { minLength: 2, maxLength: 8 })
    .map((times) => times.toSorted((one, other) => one - other))
    .map((times) =>
      times.flatMap((from, at) => (at % 2 === 0 && times[at + 1] ? [{ from, to: times[at + 1]! }] : [])),
    );
  const asks = fc.record({
    interval: fc.constantFrom(...INTERVALS.filter((interval) => interval !== '1m')),
    wanted: spans,
    source: fc.constantFrom('auto' as const, 'vision' as const, 'rest' as const),
    endedBy: moments,
    first: fc.option(moments, { nil: undefined }),
    isLocal: fc.boolean(),
    hasRest: fc.boolean(),
    lacks: fc.integer({ min: 1, max: 4 }),
  });

  test('ascends, does not overlap, and is with what is left exactly the bars that are missing', () => {
    fc.assert(
      fc.property(asks, ({ first, isLocal, lacks, ...ask }) => {
        const firstOpenTime = first === undefined ? undefined : openTimeFrom(ask.interval, first);
        const has = (_: string, from: number): boolean => (from / DAY_MS) % lacks === 0;
        const { pieces, left } = planHistory({
          symbol: 'X',
          ...ask,
          firstOpenTime,
          archive: { isLocal, has },
        });
        const parts: Span[] = [...pieces, ...left].sort((one, other) => one.from - other.from);
        for (const [at, part] of parts.entries()) {
          expect(part.from).toBeLessThan(part.to);
          expect(part.from).toBeGreaterThanOrEqual(parts[at - 1]?.to ?? 0);
        }
        for (const [at, piece] of pieces.entries())
          expect(piece.from).toBeGreaterThanOrEqual(pieces[at - 1]?.to ?? 0);
        expect(parts.flatMap((part) => barsOf(ask.interval, part))).toEqual(
          barsOf(ask.interval, { from: START - 40 * DAY_MS, to: START + 200 * DAY_MS }).filter(
            (open) =>
              open >= (firstOpenTime ?? 0) &&
              nextOpenTime(ask.interval, open) <= ask.endedBy &&
              ask.wanted.some(({ from, to }) => from <= open && open < to),
          ),
        );
      }),
      { numRuns: 150 },
    );
  });

  test.each(INTERVALS)('knows which bars of %s have ended', (interval) => {
    const open = openTimeFrom(interval, START);
    const next = nextOpenTime(interval, open);
    expect(endedBefore(interval, next - 1)).toBe(open);
    expect(endedBefore(interval, next)).toBe(next);
    expect(countBars(interval, open, endedBefore(interval, next + HOUR / 60 - 1))).toBe(1);
  });
});

/** Open times of a span, one by one. */
function barsOf(interval: (typeof INTERVALS)[number], { from, to }: Span): number[] {
  const opens: number[] = [];
  for (let open = openTimeFrom(interval, from); open < to; open = nextOpenTime(interval, open))
    opens.push(open);
  return opens;
}
