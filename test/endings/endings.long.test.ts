/** Endings that are quickly shown, each by a real process; all of them and more by `npm run endings`. */
import { describe, expect, test } from 'vitest';
import { emptyFolder } from '../cli/child.ts';
import { judgeCase } from './cases.ts';
import { CONTAINERS } from './containers.ts';
import { DEATHS } from './deaths.ts';
import { runSuccessively } from './successive.ts';

const QUICK =
  /process 1 of a container: SIGTERM →|npm start, which passes it on|stalled under a flood|head -1|goes away|suspended|100 ms after|rejection|observer|no file may grow/u;
const quick = [...CONTAINERS, ...DEATHS].filter(({ name }) => QUICK.test(name));

describe.concurrent('a program ends', () => {
  test.for(quick.map((one) => [one.name, one] as const))('%s', async ([, one], context) => {
    const { outcome, detail } = await judgeCase(one, emptyFolder(context.onTestFinished));
    if (outcome === 'skipped') context.skip(detail);
    expect(outcome, detail).toBe('ok');
  });

  test('three times without a pause, each time by itself; none finds the store locked, and there is no hole', async (context) => {
    const place = emptyFolder(context.onTestFinished);
    await runSuccessively({ runs: 3, by: 'duration', durationS: 2, seed: 1, folder: place });
  });
});
