/**
 * Endings by command: `node test/endings/endings.ts [--rounds 50] [--seed 1] [--runs 10]`. Two signals during a commit;
 * runs one after the other on one store; as process 1, below shells and npm; odd deaths. Exit 0: all as promised; 1: not.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Case, judgeCase } from './cases.ts';
import { runRounds } from './commit-rounds.ts';
import { CONTAINERS } from './containers.ts';
import { DEATHS } from './deaths.ts';
import { runSuccessively } from './successive.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '10' },
  },
});
const [rounds, seed, runs] = [Number(values.rounds), Number(values.seed), Number(values.runs)];
if (![rounds, seed, runs].every((value) => Number.isSafeInteger(value) && value >= 0)) {
  process.stderr.write('--rounds, --seed and --runs are whole numbers\n');
  process.exit(2);
}
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const folder = mkdtempSync(join(tmpdir(), 'candlestate-endings-'));
const broken: string[] = [];
const seen = { ok: 0, skipped: 0, BROKEN: 0 };

async function show(one: Case, place: string): Promise<void> {
  mkdirSync(place, { recursive: true });
  const { outcome, detail } = await judgeCase(one, place);
  seen[outcome] += 1;
  say(`${outcome.padEnd(7)} ${one.name}: ${detail}`);
  if (outcome === 'BROKEN') broken.push(`${one.name}: ${detail} (${place})`);
}

const places = join(folder, 'rounds');
mkdirSync(places);
const { tookMs, complaints } = await runRounds({ rounds, seed, folder: places, say });
broken.push(...complaints);
const sorted = tookMs.toSorted((a, b) => a - b);
const ms = (value: number | undefined): string => `${value?.toFixed(0) ?? '–'} ms`;
const took = `median ${ms(sorted[Math.floor(sorted.length / 2)])}, worst ${ms(sorted.at(-1))}`;
say(`${rounds} rounds, from the second signal to the end: ${took}\n`);

for (const by of ['duration', 'SIGINT', 'SIGTERM'] as const) {
  const run = (place: string): Promise<string> =>
    runSuccessively({ runs, by, durationS: 2, seed, folder: place });
  await show({ name: `${runs} runs without a pause, ended by ${by}`, run }, join(folder, 'runs'));
}
for (const [index, one] of [...CONTAINERS, ...DEATHS].entries())
  await show(one, join(folder, `case-${index + 1}`));

say(`\n${rounds} rounds: ${took}; endings: ${seen.ok} ok, ${seen.skipped} skipped`);
if (broken.length === 0) {
  say(`seed ${seed}: kept`);
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
} else {
  say(`seed ${seed}: BROKEN\n${broken.join('\n')}`);
  say(`repeat: node test/endings/endings.ts --rounds ${rounds} --seed ${seed} --runs ${runs}`);
  process.exitCode = 1;
}
