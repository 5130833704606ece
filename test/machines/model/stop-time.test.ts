import { expect, test } from 'vitest';
import { componentTime, forceAfter, reportAfter } from '../../../machines/model/stop-time.ts';

test.each([
  // Whole, left, own deadline, what it has.
  [5_000, 5_000, undefined, 4_750],
  [5_000, 5_000, 2_000, 2_000],
  [5_000, 1_000, 2_000, 750],
  [60_000, 60_000, undefined, 59_750],
  [1_000, 1_000, undefined, 900],
  [100, 100, undefined, 90],
  // The reserve has been begun.
  [5_000, 250, undefined, 62],
  [5_000, 188, 10, 10],
  [5_000, 125, undefined, 0],
  [5_000, 0, undefined, 0],
  [0, 0, 1_000, 0],
])('of %i ms with %i ms left and a deadline of %s, a component has %i ms', (whole, left, deadline, has) => {
  expect(componentTime(whole, left, deadline)).toBe(has);
});

test.each([0, 1, 10, 100, 1_000, 5_000, 3_600_000])(
  'of %i ms: components, then checks, then the report, all before the end',
  (whole) => {
    expect(componentTime(whole, whole)).toBeLessThanOrEqual(forceAfter(whole));
    expect(forceAfter(whole)).toBeLessThanOrEqual(reportAfter(whole));
    expect(reportAfter(whole)).toBeLessThanOrEqual(whole);
  },
);

test('a chain in which each uses up what it has leaves some time to the fifth', () => {
  let left = 5_000;
  for (let i = 0; i < 5; i++) {
    const has = componentTime(5_000, left);
    expect([i, has > 0]).toEqual([i, true]);
    left -= has;
  }
  expect(5_000 - left).toBeLessThanOrEqual(forceAfter(5_000));
});
