import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closeTimeOf, INTERVALS, nextOpenTime, openTimeAt } from '../../../machines/model/interval.ts';
import { type Candle, seriesKey } from '../../../machines/model/kline.ts';
import { hasEnded, insanity, judge, owedBefore } from '../../../machines/model/ledger.ts';

const OPEN = Date.UTC(2024, 4, 17, 13, 37);
const sane: Candle = {
  symbol: 'BTCUSDT',
  interval: '1m',
  openTime: OPEN,
  open: 10,
  high: 12,
  low: 9,
  close: 11,
  volume: 5,
  closeTime: OPEN + 59_999,
  quoteVolume: 50,
  count: 3,
  takerBuyVolume: 2,
  takerBuyQuoteVolume: 20,
  source: 'stream',
};
const anyInterval = fc.constantFrom(...INTERVALS);
const anyTime = fc.integer({ min: 0, max: 4e12 });

describe('what a bar is', () => {
  test('is one of four things, whatever the numbers', () => {
    fc.assert(
      fc.property(fc.option(fc.integer(), { nil: undefined }), fc.integer(), (due, openTime) => {
        const expected =
          due === undefined
            ? 'first'
            : (['duplicate', 'next', 'ahead'] as const)[Math.sign(openTime - due) + 1];
        expect(judge(due, openTime)).toBe(expected);
      }),
    );
  });

  test('goes through first, next, duplicate and ahead as bars come', () => {
    const due = nextOpenTime('1m', OPEN);
    expect(judge(undefined, OPEN)).toBe('first');
    expect([OPEN, due, nextOpenTime('1m', due)].map((at) => judge(due, at))).toEqual([
      'duplicate',
      'next',
      'ahead',
    ]);
  });
});

describe('a closed bar', () => {
  test('that is sane passes, also when nothing was traded', () => {
    expect(insanity(sane, OPEN + 60_000)).toBeUndefined();
    const still = { open: 10, high: 10, low: 10, close: 10, volume: 0, quoteVolume: 0, count: 0 };
    expect(insanity({ ...sane, ...still }, OPEN)).toBeUndefined();
  });

  test.each<[string, Partial<Candle>]>([
    ['misaligned open time', { openTime: OPEN + 1 }],
    ['misaligned open time', { openTime: Number.NaN }],
    ['wrong close time', { closeTime: OPEN + 60_000 }],
    ['wrong close time', { interval: '3m', openTime: openTimeAt('3m', OPEN) }],
    ['opens in the future', { openTime: OPEN + 120_000, closeTime: OPEN + 179_999 }],
    ['low above high', { low: 13 }],
    ['open outside low and high', { open: 12.5 }],
    ['open outside low and high', { open: 8.5 }],
    ['close outside low and high', { close: 12.5 }],
    ['close outside low and high', { close: 8.5 }],
    ['negative volume or count', { volume: -1 }],
    ['negative volume or count', { quoteVolume: -1 }],
    ['negative volume or count', { count: -1 }],
  ])('is refused: %s %j', (why, differing) => {
    expect(insanity({ ...sane, ...differing }, OPEN + 60_000)).toBe(why);
  });
});

describe('what is owed', () => {
  test('is every bar that ended at least the grace time ago, and no other', () => {
    fc.assert(
      fc.property(anyInterval, anyTime, fc.nat({ max: 60_000 }), (interval, now, graceMs) => {
        const before = owedBefore(interval, now, graceMs);
        expect(openTimeAt(interval, before)).toBe(before);
        // The last bar that is owed has ended long enough ago, the one after it has not.
        expect(before).toBeLessThanOrEqual(now - graceMs);
        expect(closeTimeOf(interval, before) + 1).toBeGreaterThan(now - graceMs);
      }),
    );
  });

  test('a bar has ended after its last millisecond', () => {
    expect([59_999, 60_000].map((ms) => hasEnded(sane, OPEN + ms))).toEqual([false, true]);
  });
});

test('the key of a series tells a minute from a month', () => {
  expect(seriesKey({ symbol: 'BTCUSDT', interval: '1m' })).toBe('BTCUSDT@1m');
  expect(seriesKey({ symbol: 'BTCUSDT', interval: '1M' })).toBe('BTCUSDT@1M');
});
