/** A local clock that is wrong: the exchange's time decides about bars, and nothing else does. */
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/index.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { until } from '../support/wait.ts';
import { streaming } from './scene.ts';

/** The machine's clock with a calendar of its own. */
function calendarOff(): Clock & { offMs: number } {
  const clock = { ...systemClock, offMs: 0, wallNow: () => systemClock.wallNow() + clock.offMs };
  return clock;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Eight hours of the exchange. */
const SLEPT_MS = 8 * 3_600_000;

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

  test('H13 the machine slept for eight hours: its clock is set anew, and what was missed is fetched', async () => {
    const timeScale = 240;
    let sleptMs = 0;
    // To who slept, the exchange's clock and the calendar jump.
    const exchangeClock = { ...systemClock, now: () => systemClock.now() + sleptMs };
    const clock = { ...systemClock, wallNow: () => systemClock.wallNow() + sleptMs };
    const set = await streaming({ exchange: { timeScale, clock: exchangeClock }, collector: { clock } });
    const before = set.exchange.now();
    // The connection did not outlive the night.
    set.exchange.inject({ kind: 'drop' });
    sleptMs = SLEPT_MS / timeScale;
    await until('bars of after the night', () => set.hasBarsAfter(before + SLEPT_MS), 15_000);
    await set.expectKept(480);
    const { exchangeTime } = set.collector.status();
    expect(Math.abs((exchangeTime ?? 0) - set.exchange.now())).toBeLessThan(10 * 60_000);
  });
});
