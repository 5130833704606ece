/**
 * Restarts by command: `node test/restart/restart.ts [--kills 20] [--seed 1]`. SIGINT, three bars missed, then killed at
 * random moments, each time started again on the same store. Exit 0: no hole, no double, all as on the exchange; 1: not.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeViolations } from '../oracle/judge.ts';
import { runLives } from './lives.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
if (![kills, seed].every((value) => Number.isSafeInteger(value) && value >= 0)) {
  process.stderr.write('--kills and --seed are whole numbers\n');
  process.exit(2);
}
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const folder = mkdtempSync(join(tmpdir(), 'candlestate-restart-'));
const { violations, store, bars } = await runLives({ seed, kills, folder, say });
if (violations.length === 0) say(`seed ${seed}: kept, ${bars} bars after ${kills} kills`);
else {
  say(`seed ${seed}: BROKEN\n${describeViolations(violations)}`);
  say(`store: ${store}\nrepeat: node test/restart/restart.ts --kills ${kills} --seed ${seed}`);
  process.exitCode = 1;
}
