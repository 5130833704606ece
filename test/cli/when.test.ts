import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refused } from '../../src/cli/flags.ts';
import { rangeIssues, utc, when } from '../../src/cli/when.ts';

const refusal = (given: unknown): string => {
  try {
    return `taken as ${when(given)}`;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return error.message;
  }
};

describe('a moment', () => {
  test.each([
    ['2021-01-31', Date.UTC(2021, 0, 31)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['2021-01-31T12:30Z', Date.UTC(2021, 0, 31, 12, 30)],
    ['2021-01-31t12:30:15z', Date.UTC(2021, 0, 31, 12, 30, 15)],
    ['2021-01-31 12:30:15.5Z', Date.UTC(2021, 0, 31, 12, 30, 15, 500)],
    ['2021-01-31T12:30:15.123+02:00', Date.UTC(2021, 0, 31, 10, 30, 15, 123)],
    ['2021-01-01T00:30+01', Date.UTC(2020, 11, 31, 23, 30)],
    ['2021-01-31T12:30-0330', Date.UTC(2021, 0, 31, 16)],
    ['1612096200000', 1_612_096_200_000],
    [1_612_096_200_000, 1_612_096_200_000],
    ['0', 0],
    [' 2021-01-31 ', Date.UTC(2021, 0, 31)],
  ])('%s', (given, ms) => expect(when(given)).toBe(ms));

  test('of any time is read as it is written', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
        expect(when(date.toISOString())).toBe(date.getTime());
        expect(when(utc(date.getTime()))).toBe(date.getTime());
      }),
    );
  });

  test('without a zone is refused, with what to write instead', () =>
    expect(refusal('2021-01-31T12:30')).toBe(
      'a time with its zone: 2021-01-31T12:30Z when that is UTC, or as 2021-01-31T12:30+02:00; a date alone is midnight in UTC',
    ));

  test.each([
    ...['2021-02-29', '2021-13-01', '2021-1-1', '0021-01-01', '2021-01', 'yesterday', '', ' ', '1d'],
    ...['2021-01-31T24:00Z', '2021-01-31T12:60Z', '2021-01-31T12:30:60Z', '2021-01-31T12Z', '2021-01-31T'],
    ...[
      '2021-01-31T12:30:15.1234Z',
      '2021-01-31T12:30+15:00',
      '2021-01-31T12:30+02:60',
      '2021-01-31T12:30 Z',
    ],
    ...[
      '31.01.2021',
      '01/31/2021',
      '1e12',
      '0x1',
      '1612096200000.5',
      null,
      true,
      {},
      Number.NaN,
      1.5e12 + 0.5,
    ],
  ])('%s is none', (given) => expect(refusal(given)).toContain('a date as 2021-01-31'));

  test.each([
    ['a year', '2021'],
    ['a date without hyphens', '20210131'],
    ['seconds', '1612096200'],
    ['microseconds', 1_612_096_200_000_000],
    ['a negative number', '-1612096200000'],
  ])('%s is not taken for ms', (_, given) => expect(refusal(given)).toContain('12 to 15 digits'));
});

describe('a range', () => {
  const labelOf = (setting: string): string => `--${setting}`;

  test('that does not end before it begins, or has no end, is one', () => {
    expect(rangeIssues(1, 2, labelOf)).toEqual([]);
    expect(rangeIssues(2, 2, labelOf)).toEqual([]);
    expect(rangeIssues(undefined, 2, labelOf)).toEqual([]);
    expect(rangeIssues(1, undefined, labelOf)).toEqual([]);
  });

  test('that goes backwards is none', () => {
    const [from, to] = [when('2021-02-01'), when('2021-01-01')];
    const [issue] = rangeIssues(from, to, labelOf);
    expect(issue).toMatchObject({ option: '--to', given: '"2021-01-01T00:00Z"' });
    expect(issue?.allowed).toContain('not before --from, which is 2021-02-01T00:00Z');
  });
});
