/** For tests: the promise was kept. */
import { expect } from 'vitest';
import type { Evidence } from './evidence.ts';
import { describeViolations, judge } from './judge.ts';

/** Every invariant holds, and there is something for it to hold of: `least` bars of each series. */
export function expectKept(evidence: Evidence, least = 2): void {
  expect(describeViolations(judge(evidence))).toBe('');
  for (const { symbol, interval } of evidence.series) {
    const isOurs = (one: { symbol: string; interval: string }): boolean =>
      one.symbol === symbol && one.interval === interval;
    const told = evidence.told.filter((one) => one.kind === 'candle' && isOurs(one.candle)).length;
    const count = evidence.store?.candles.filter(isOurs).length ?? told;
    expect(count, `bars of ${symbol}@${interval}`).toBeGreaterThanOrEqual(least);
  }
}
