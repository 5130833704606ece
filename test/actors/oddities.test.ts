import { expect, test } from 'vitest';
import { oddityLog } from '../../src/actors/oddities.ts';
import { FakeClock } from '../transport/fake-clock.ts';

test('B05 each kind of oddity is said once in ten seconds, with how many came meanwhile', async () => {
  const clock = new FakeClock();
  const said: object[] = [];
  const silent = (): void => {};
  const log = oddityLog(
    {
      debug: silent,
      info: silent,
      warn: (message, fields) => said.push({ message, ...fields }),
      error: silent,
    },
    clock,
  );
  for (let n = 0; n < 1_000; n++) log('nonsense', { bytes: n });
  log('another', {});
  expect(said).toEqual([{ message: 'nonsense', bytes: 0 }, { message: 'another' }]);
  await clock.advance(10_000);
  log('nonsense', { bytes: 7 });
  expect(said.at(-1)).toEqual({ message: 'nonsense', bytes: 7, alsoSince: 999 });
});
