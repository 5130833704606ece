/** The machine slept: its monotonic clock stood still while the exchange went on. */
import { expect, test } from 'vitest';
import { systemClock } from '../../src/transport/clock.ts';
import { until } from '../support/wait.ts';
import { streaming } from './scene.ts';

/** Eight hours of the exchange. */
const SLEPT_MS = 8 * 3_600_000;

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
