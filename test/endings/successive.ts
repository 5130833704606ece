/** Runs one after the other on one store, without a pause: each ends as it was told to, none finds the door shut. */
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../support/seeded.ts';
import { mustEnd, mustHold } from './cases.ts';
import { collect, storeIn } from './collect.ts';
import { factsOf, remainsOf } from './store-facts.ts';

export interface SuccessiveOptions {
  readonly runs: number;
  /** How each ends. */
  readonly by: 'duration' | 'SIGINT' | 'SIGTERM';
  readonly durationS: number;
  readonly seed: number;
  /** The store may be there from runs before. */
  readonly folder: string;
}

const CODES = { duration: 0, SIGINT: 130, SIGTERM: 143 } as const;
/** From the first bar of a run to its signal. */
const LIFE_MS_MAX = 500;

/** Throws what is wrong with the first run that is; else what there is in the end. */
export async function runSuccessively(options: SuccessiveOptions): Promise<string> {
  const { runs, by, durationS, seed, folder } = options;
  const random = seeded(seed);
  let exchangeTime = 0;
  let bars = 0;
  /** From the signal; with a duration from the start. */
  let slowestMs = 0;
  for (let run = 1; run <= runs; run++) {
    await using child = collect(folder, by === 'duration' ? ['--duration', `${durationS}s`] : []);
    let askedAt = performance.now();
    if (by !== 'duration') {
      await child.says('closed BTCUSDT 1m');
      await sleep(random() * LIFE_MS_MAX);
      askedAt = child.kill(by);
    }
    const { code, killed, at, stderr } = await child.end();
    slowestMs = Math.max(slowestMs, at - askedAt);
    const remains = remainsOf(storeIn(folder));
    const facts = factsOf(storeIn(folder));
    const wrong = [
      mustEnd(code, CODES[by]),
      killed && 'a signal ended it',
      /locked|being written/iu.test(stderr) && 'it found the store locked',
      facts.candles < bars && 'bars are gone',
      facts.exchangeTime < exchangeTime && 'exchange time went back',
      ...remains,
    ];
    mustHold(wrong.map((one) => one && `run ${run}: ${one}`));
    ({ exchangeTime, candles: bars } = facts);
  }
  mustHold([bars === 0 && runs > 0 && 'nothing was collected']);
  return `each exit ${CODES[by]}, ${bars} bars in the end, no hole; slowest end ${slowestMs.toFixed(0)} ms`;
}
