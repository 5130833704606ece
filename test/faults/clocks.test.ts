/** A local clock that is wrong: the exchange's time decides about bars, and nothing else does. */
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/index.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { streaming } from './scene.ts';

/** The machine's clock with a calendar of its own. */
function calendarOff(): Clock & { offMs: number } {
  const clock = { ...systemClock, offMs: 0, wallNow: () => systemClock.wallNow() + clock.offMs };
  return clock;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('H13', () => {
  test.each([
    ['90 s ahead', 90_000],
    ['90 s behind', -90_000],
    ['two days behind', -48 * HOUR],
  ])('H13 a calendar %s: bars are judged by the exchange alone', async (_, offMs) => {
    const clock = calendarOff();
    clock.offMs = offMs;
    const set = await streaming({ collector: { clock } });
    const { exchangeTime } = set.collector.status();
    expect(Math.abs((exchangeTime ?? 0) - set.exchange.now())).toBeLessThan(MINUTE);
    await set.expectKept(3);
  });
});
