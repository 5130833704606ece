import { describe, expect, test } from 'vitest';
import { duration, list, number, oneOf, Refused, toggle, wholeNumber } from '../../src/cli/flags.ts';

describe('times with a unit', () => {
  const read = duration('5s', 86_400_000, '1d');
  test.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1.5s', 1_500],
    ['0.4ms', undefined],
    ['0s', undefined],
    ['-1s', undefined],
    ['90', undefined],
    ['', undefined],
    ['s', undefined],
    ['5 s', undefined],
    ['5S', undefined],
    ['1w', undefined],
    ['1e3s', undefined],
    ['2d', undefined],
    ['999999999999999d', undefined],
    [5_000, undefined],
    [null, undefined],
  ])('%o reads as %o ms', (given, expected) => {
    if (expected === undefined) expect(() => read(given)).toThrow(Refused);
    else expect(read(given)).toBe(expected);
  });

  test('the refusal says how to write one and how long it may be', () => {
    expect(() => read('soon')).toThrow(/as 5s; at most 1d/);
  });
});

describe('lists', () => {
  const read = list('A,B');
  test.each([
    ['A', ['A']],
    ['A, B ,C', ['A', 'B', 'C']],
    [
      ['A', 'B'],
      ['A', 'B'],
    ],
  ])('%o reads as %o', (given, expected) => {
    expect(read(given)).toEqual(expected);
  });
  test.each([[''], [','], ['A,'], [[]], [['A', 5]], [5], [{}]])('%o is refused', (given) => {
    expect(() => read(given)).toThrow(Refused);
  });
});

describe('numbers', () => {
  const port = wholeNumber(0, 65_535);
  const scale = number('above 0', (value) => value > 0);
  test.each([
    ['0', 0],
    ['8080', 8080],
    [8080, 8080],
  ])('the port %o reads as %o', (given, expected) => {
    expect(port(given)).toBe(expected);
  });
  test.each([['65536'], ['-1'], ['1.5'], ['0x10'], [' 1'], ['1e3'], [''], [Number.NaN], [true]])(
    'the port %o is refused',
    (given) => {
      expect(() => port(given)).toThrow(Refused);
    },
  );
  test('a scale may be a fraction and not endless', () => {
    expect(scale('0.5')).toBe(0.5);
    expect(() => scale('Infinity')).toThrow(Refused);
    expect(() => scale(Number.POSITIVE_INFINITY)).toThrow(Refused);
  });
});

describe('words', () => {
  test('one of a few, spelled exactly', () => {
    expect(oneOf('text', 'json')('json')).toBe('json');
    expect(() => oneOf('text', 'json')('JSON')).toThrow('one of text, json');
  });
  test.each([
    [true, true],
    ['true', true],
    ['1', true],
    [false, false],
    ['0', false],
  ])('%o is a switch that is %o', (given, expected) => {
    expect(toggle(given)).toBe(expected);
  });
  test('maybe is no switch', () => {
    expect(() => toggle('maybe')).toThrow(Refused);
  });
});
