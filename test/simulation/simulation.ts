/**
 * Simulated days by command: `node test/simulation/simulation.ts --seed 7 --days 1 --streams 20 [--seeds 100]
 * [--parallel 2] [--trace FILE] [--coverage] [--shrink] [--regressions]`. Exit 0: the promise was kept; 1: it was
 * not, and the seed, what broke first and a line that repeats it are printed; 2: wrong usage.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { toldOf } from '../support/command.ts';
import { drawPlan } from './draw/draw.ts';
import { type Flags, readFlags } from './flags.ts';
import { readRegressions, writeRegression } from './regressions.ts';
import { describeCoverage, describeSum, describeVerdict, describeViolation, verdictLine } from './report.ts';
import { simulate, type Verdict } from './run.ts';
import { shrinkPlan } from './shrink.ts';

const SCRIPT = fileURLToPath(import.meta.url);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const repeat = ({ days, streams }: Flags, seed: number): string =>
  `repeat: node test/simulation/simulation.ts --seed ${seed} --days ${days} --streams ${streams} --trace trace.txt`;

/** One seed, here. */
async function one(flags: Flags): Promise<number> {
  const plan = drawPlan(flags.seed, flags);
  const verdict = await simulate(plan, { tracePath: flags.trace, withCoverage: flags.coverage });
  if (flags.json) {
    say(JSON.stringify(verdict));
    return 0;
  }
  say(describeVerdict(flags.seed, verdict));
  if (flags.coverage) say(describeCoverage(new Set(verdict.edges)));
  if (verdict.violations.length === 0) return 0;
  say(repeat(flags, flags.seed));
  if (flags.shrink) {
    const shrunk = await shrinkPlan(plan, say);
    if (shrunk !== undefined)
      say(`${describeViolation(shrunk.violation)}\nwritten down: ${writeRegression(shrunk)}`);
  }
  return 1;
}

/** One seed, in a process of its own. */
function apart(flags: Flags, seed: number): Promise<Verdict> {
  const { days, streams, coverage } = flags;
  const args = ['--seed', seed, '--days', days, '--streams', streams, ...(coverage ? ['--coverage'] : [])];
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', SCRIPT, ...args.map(String), '--json'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      try {
        resolve(JSON.parse(text) as Verdict);
      } catch {
        reject(new Error(`seed ${seed} ended with ${code} and without a verdict`));
      }
    });
  });
}

/** Many, several at a time. */
async function many(flags: Flags): Promise<number> {
  const begun = performance.now();
  const seeds = Array.from({ length: flags.seeds }, (_, index) => flags.seed + index);
  const verdicts: Verdict[] = [];
  const broken: number[] = [];
  const edges = new Set<string>();
  const worker = async (): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      const verdict = await apart(flags, seed).catch((error: Error) => error);
      if (verdict instanceof Error) {
        broken.push(seed);
        say(`seed ${seed}: BROKEN ${verdict.message}\n${repeat(flags, seed)}`);
        continue;
      }
      verdicts.push(verdict);
      for (const edge of verdict.edges) edges.add(edge);
      say(verdictLine(seed, verdict));
      if (verdict.violations.length === 0) continue;
      broken.push(seed);
      say(repeat(flags, seed));
    }
  };
  await Promise.all(Array.from({ length: flags.parallel }, worker));
  say(describeSum(verdicts, performance.now() - begun));
  if (flags.coverage) say(describeCoverage(edges));
  if (broken.length > 0) say(`broken: ${broken.sort((a, b) => a - b).join(' ')}`);
  return broken.length === 0 ? 0 : 1;
}

/** Every plan that broke the promise once. */
async function again(): Promise<number> {
  let code = 0;
  for (const { name, plan } of readRegressions()) {
    const { violations } = await simulate(plan);
    say(`${name}: ${violations[0] === undefined ? 'kept' : `BROKEN ${describeViolation(violations[0])}`}`);
    if (violations.length > 0) code = 1;
  }
  return code;
}

const flags = toldOf(() => readFlags(process.argv.slice(2)));
if (flags !== undefined)
  process.exitCode = await (flags.regressions ? again() : flags.seeds > 1 ? many(flags) : one(flags));
