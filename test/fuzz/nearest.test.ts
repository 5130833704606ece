import { expect, test } from 'vitest';
import { nearestDouble } from './nearest.ts';

test.each([
  ['0', 0],
  ['-0.00', -0],
  ['0.1', 0.1],
  ['9007199254740993', 2 ** 53],
  ['9007199254740993.00000000000000001', 2 ** 53 + 2],
  ['0.1000000000000000055511151231257827', 0.1],
  ['83091.60', 83091.6],
  [`0.${'0'.repeat(323)}2`, 0],
  [`0.${'0'.repeat(323)}3`, Number.MIN_VALUE],
  [`0.${'0'.repeat(307)}22250738585072011`, Number('2.2250738585072011e-308')],
  [`179769313486231570${'0'.repeat(291)}`, Number.MAX_VALUE],
  [`17976931348623159${'0'.repeat(292)}`, Number.POSITIVE_INFINITY],
  ['1e5', Number.NaN],
  ['', Number.NaN],
  ['١', Number.NaN],
])('the slow reference reads %s', (text, value) => {
  expect(nearestDouble(text)).toBe(value);
});
