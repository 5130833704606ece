/** What broke the promise once does not break it again: the short ones. All: `npm run simulation -- --regressions`. */
import { describe, expect, test } from 'vitest';
import { readRegressions } from './regressions.ts';
import { describeVerdict } from './report.ts';
import { simulate } from './run.ts';

/** Simulated days: what takes no more than a second or two here. */
const SHORT_DAYS = 0.2;

describe('a plan that broke the promise once', () => {
  test('is kept from now on', async () => {
    const short = readRegressions().filter(({ plan }) => plan.days < SHORT_DAYS);
    expect(short.length).toBeGreaterThan(0);
    for (const { name, plan } of short) {
      const verdict = await simulate(plan);
      expect(verdict.violations, `${name}: ${describeVerdict(plan.seed, verdict)}`).toEqual([]);
    }
  });
});
