import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DEFAULT_BACKOFF,
  isAlarming,
  reconnectDelay,
  repairDelay,
  timerPiece,
} from '../../../machines/model/backoff.ts';

const { baseMs, maxMs, slowMs } = DEFAULT_BACKOFF;
const delay = (attempt: number, random: number, end = {}): number =>
  reconnectDelay(DEFAULT_BACKOFF, attempt, random, { code: 1006, ...end });
const anyAttempt = fc.nat({ max: 10_000 });
const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the delay before the next dial', () => {
  test('lies anywhere between nothing and a cap that doubles with each attempt', () => {
    fc.assert(
      fc.property(anyAttempt, anyRandom, (attempt, random) => {
        const cap = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 20));
        expect(delay(attempt, random)).toBe(Math.ceil(random * cap));
        expect(delay(attempt, random)).toBeLessThanOrEqual(maxMs);
        expect(delay(attempt + 1, random)).toBeGreaterThanOrEqual(delay(attempt, random));
      }),
    );
  });

  test('is slow after an answer that asking at once cannot change, whatever the attempt', () => {
    const hopeless = fc.constantFrom({ status: 403 }, { status: 404 }, { status: 451 }, { code: 1008 });
    fc.assert(
      fc.property(anyAttempt, anyRandom, hopeless, (attempt, random, end) => {
        expect(delay(attempt, random, end)).toBeGreaterThanOrEqual(slowMs);
        expect(delay(attempt, random, end)).toBeLessThanOrEqual(maxMs);
      }),
    );
  });

  test('is never shorter than the server asked for, however long that is', () => {
    const anyTime = fc.nat({ max: 10 ** 12 });
    fc.assert(
      fc.property(anyAttempt, anyRandom, anyTime, (attempt, random, retryAfterMs) => {
        expect(delay(attempt, random, { retryAfterMs })).toBeGreaterThanOrEqual(retryAfterMs);
      }),
    );
  });

  test('is nothing when a server goes away for the first time, and the usual one when that goes on', () => {
    for (const end of [{ code: 1001 }, { announced: true as const }])
      expect([0, 1, 2].map((attempt) => delay(attempt, 0.5, end))).toEqual([0, 500, 1_000]);
  });

  test('is 5 to 30 s after a restart of the service, and slow when it wants to be left alone', () => {
    expect([0, 0.999999].map((random) => delay(0, random, { code: 1012 }))).toEqual([5_000, 30_000]);
    expect([0, 0.999999].map((random) => delay(0, random, { code: 1013 }))).toEqual([30_000, 37_500]);
  });

  test('T04 is kept in pieces that a timer can wait', () => {
    expect([-5, 0, 0.3, 1_000, 10 ** 12].map(timerPiece)).toEqual([1, 1, 1, 1_000, 2 ** 31 - 1]);
  });

  test('spreads many clients that fell together', () => {
    const all = Array.from({ length: 100 }, (_, i) => delay(10, i / 100));
    expect(new Set(all).size).toBe(100);
    expect(Math.max(...all) - Math.min(...all)).toBeGreaterThan(maxMs / 2);
  });
});

test.each([
  [{ code: 1006 }, false],
  [{ code: 1000 }, false],
  [{ code: 1006, status: 429 }, false],
  [{ code: 1006, status: 500 }, false],
  [{ code: 1006, status: 404 }, true],
  [{ code: 1006, status: 451 }, true],
  [{ code: 1006, status: 302 }, true],
  [{ code: 1008 }, true],
  [{ code: 1013 }, false],
  [{ code: 0, mute: true as const }, true],
])('after %j an operator is needed: %s', (end, expected) => {
  expect(isAlarming(end)).toBe(expected);
});

test('a repair is tried again after 1, 2, 4 … 30 s, up to a quarter more', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 1_000].map((tries) => repairDelay(tries, 0))).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ]);
  fc.assert(
    fc.property(anyAttempt, anyRandom, (tries, random) => {
      expect(repairDelay(tries, random)).toBeGreaterThanOrEqual(repairDelay(tries, 0));
      expect(repairDelay(tries, random)).toBeLessThanOrEqual(repairDelay(tries, 0) * 1.25);
    }),
  );
});
