import { expect, test } from 'vitest';
import { retryAfterMs } from '../../src/binance/retry-after.ts';

const DATE = 'Wed, 21 Oct 2026 07:28:00 GMT';

test.each([
  ['17', undefined, 17_000],
  [' 1.5 ', undefined, 1_500],
  ['0.0001', undefined, 1],
  ['4294967296', undefined, 4_294_967_296_000],
  ['Wed, 21 Oct 2026 07:29:30 GMT', DATE, 90_000],
])('Retry-After %j at the server time %j asks for %i ms', (text, date, ms) => {
  expect(retryAfterMs(text, date)).toBe(ms);
});

test.each([
  [undefined, undefined],
  ['', undefined],
  ['0', undefined],
  ['-1', undefined],
  ['NaN', undefined],
  ['Infinity', undefined],
  ['1e9', undefined],
  ['soon', undefined],
  ['9'.repeat(400), undefined],
  ['Wed, 21 Oct 2026 07:29:30 GMT', undefined],
  ['Wed, 21 Oct 2026 07:29:30 GMT', 'yesterday'],
  ['Wed, 21 Oct 2026 07:27:00 GMT', DATE],
])('Retry-After %j at the server time %j asks for nothing', (text, date) => {
  expect(retryAfterMs(text, date)).toBeUndefined();
});
