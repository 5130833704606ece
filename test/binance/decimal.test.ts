import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecimalReader, readDecimal } from '../../src/binance/decimal.ts';
import { decimal } from '../../src/binance/frame.ts';

const read = (text: string): number => {
  const bytes = Buffer.from(`9${text}9`, 'latin1');
  return readDecimal(bytes, 1, bytes.length - 1);
};

const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength, maxLength });
const zeros = (maxLength: number) => fc.nat(maxLength).map((length) => '0'.repeat(length));
const sign = fc.constantFrom('', '', '-');
const fraction = fc.oneof(
  fc.constant(''),
  digits(1, 8).map((it) => `.${it}`),
  digits(1, 40).map((it) => `.${it}`),
  fc.tuple(digits(1, 9), zeros(30)).map(([some, none]) => `.${some}${none}`),
  fc.tuple(zeros(30), digits(1, 20)).map(([none, some]) => `.${none}${some}`),
);
const text = fc.tuple(sign, fc.oneof(digits(1, 9), digits(9, 25)), fraction).map((parts) => parts.join(''));

describe('the number of a decimal text', () => {
  test('is the double nearest to it, whatever its length', () => {
    fc.assert(
      fc.property(text, (it) => {
        expect(read(it)).toBe(Number(it));
      }),
      { numRuns: 3_000 },
    );
  });

  test('is the one it was printed from', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.nat(20), (value, places) => {
        const fixed = Math.abs(value) < 1e21 ? value.toFixed(places) : '0';
        expect(read(fixed)).toBe(Number(fixed));
        const shortest = String(value);
        expect(read(shortest)).toBe(/e/u.test(shortest) ? Number.NaN : Number(shortest));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['0', 0],
    ['-0', -0],
    ['-0.000', -0],
    ['4', 4],
    ['007177', 7177],
    ['0.00100000', 0.001],
    ['-1.5', -1.5],
    ['975444194.13799830', 975444194.1379983],
    ['9007199254740991', 2 ** 53 - 1],
    ['9007199254740992', 2 ** 53],
    ['9007199254740993', 2 ** 53],
    ['9007199254740993.0', 2 ** 53],
    ['9007199254740993.00000000000000001', 2 ** 53 + 2],
    ['0.1000000000000000055511151231257827', 0.1],
    ['100000000000000000000000', 1e23],
    [`0.${'0'.repeat(400)}`, 0],
    // As many decimals as powers of ten are exact, and one more.
    [`0.${'0'.repeat(21)}1`, 1e-22],
    [`0.${'0'.repeat(22)}1`, 1e-23],
    ['9'.repeat(400), Number.POSITIVE_INFINITY],
  ])('%s is %d', (it, value) => {
    expect(read(it)).toBe(value);
    expect(decimal(it)).toBe(value);
  });

  test('is none where frames have none', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'019.-+eEx, \0\u00e9'), maxLength: 6 });
    fc.assert(
      fc.property(noise, (it) => {
        expect(read(it)).toBe(decimal(it));
      }),
      { numRuns: 5_000 },
    );
    for (const it of [
      '',
      '-',
      '.',
      '.5',
      '5.',
      '-.5',
      '1..2',
      '1.2.3',
      '--1',
      '+1',
      '1e5',
      'NaN',
      '0x1',
      ' 1',
      '1 ',
    ])
      expect(read(it), it).toBeNaN();
  });
});

test('a reader knows where the text ended', () => {
  const bytes = Buffer.from('12.50,-3"x');
  const reader = new DecimalReader();
  expect([reader.read(bytes, 0, bytes.length), reader.end]).toEqual([12.5, 5]);
  expect([reader.read(bytes, 6, bytes.length), reader.end]).toEqual([-3, 8]);
  expect([reader.read(bytes, 9, bytes.length), reader.end]).toEqual([Number.NaN, 9]);
  expect([reader.read(bytes, 0, 4), reader.end]).toEqual([12.5, 4]);
});
