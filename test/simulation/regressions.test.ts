/** What broke the promise once does not break it again. */
import { describe, expect, test } from 'vitest';
import { readRegressions } from './regressions.ts';
import { describeVerdict } from './report.ts';
import { simulate } from './run.ts';

describe('a plan that broke the promise once', () => {
  test('is kept from now on', async () => {
    for (const { name, plan } of readRegressions()) {
      const verdict = await simulate(plan);
      expect(verdict.violations, `${name}: ${describeVerdict(plan.seed, verdict)}`).toEqual([]);
    }
  });
});
