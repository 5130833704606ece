/**
 * Storms by command: `node test/storm/storm.ts --seed 7 [--runs 20] [--seconds 60] [--count 20] [--parallel 3] [--verbose]`.
 * Runs seeds from `--seed` on, several at a time in processes of their own. Exit 0: the promise was kept in each; 1: it
 * was not, and the seed, the first broken invariant, the store and a line to repeat it are printed; 2: wrong usage.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeViolations } from '../oracle/judge.ts';
import { numberOf, toldOf } from '../support/command.ts';
import { runStorm } from './run.ts';

const SCRIPT = fileURLToPath(import.meta.url);

function readFlags() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(1 + (Date.now() % 1_000_000)) },
      runs: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '60' },
      count: { type: 'string', default: '20' },
      parallel: { type: 'string', default: '1' },
      verbose: { type: 'boolean', default: false },
    },
  });
  return {
    seed: numberOf(values, 'seed', 1, Number.MAX_SAFE_INTEGER),
    runs: numberOf(values, 'runs', 1, 100_000),
    seconds: numberOf(values, 'seconds', 1, 86_400),
    count: numberOf(values, 'count', 1, 40),
    parallel: numberOf(values, 'parallel', 1, 64),
    verbose: values.verbose,
  };
}

type Flags = ReturnType<typeof readFlags>;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const repeat = ({ seed, seconds, count }: Flags): string =>
  `node test/storm/storm.ts --seed ${seed} --seconds ${seconds} --count ${count} --verbose`;

/** One storm, here. */
async function one(flags: Flags): Promise<number> {
  const { seed, seconds, count, verbose } = flags;
  const result = await runStorm({ seed, seconds, count, say: verbose ? say : () => {} });
  const { bars, gaps, revisions, dialled, healedMs, violations, store } = result;
  const facts = `${bars} bars, ${gaps} gaps, ${revisions} revisions, ${dialled} dials, healed in ${(healedMs / 1_000).toFixed(1)} s`;
  say(`seed ${seed}: ${violations.length === 0 ? 'kept' : 'BROKEN'} (${facts})`);
  if (violations.length === 0) return 0;
  say(describeViolations(violations));
  say(`store: ${store}\nrepeat: ${repeat(flags)}`);
  return 1;
}

/** One storm, in a process of its own; what it says is said when it is over. */
function apart(flags: Flags): Promise<number> {
  const args = ['--seed', '--seconds', '--count'].flatMap((name) => [
    name,
    String(flags[name.slice(2) as 'seed' | 'seconds' | 'count']),
  ]);
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', SCRIPT, ...args, ...(flags.verbose ? ['--verbose'] : [])],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  return new Promise((resolve) => {
    child.once('error', () => resolve(1));
    child.once('close', (code) => {
      say(text.trimEnd());
      if (code !== 0 && !text.includes('repeat:'))
        say(`seed ${flags.seed}: ended with ${code}\nrepeat: ${repeat(flags)}`);
      resolve(code ?? 1);
    });
  });
}

async function all(flags: Flags): Promise<number> {
  const seeds = Array.from({ length: flags.runs }, (_, index) => flags.seed + index);
  const broken: number[] = [];
  const worker = async (): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift())
      if ((await apart({ ...flags, seed })) !== 0) broken.push(seed);
  };
  await Promise.all(Array.from({ length: flags.parallel }, worker));
  say(broken.length === 0 ? `${flags.runs} storms, all kept` : `broken: ${broken.join(' ')}`);
  return broken.length === 0 ? 0 : 1;
}

const flags = toldOf(readFlags);
if (flags !== undefined) process.exitCode = flags.runs > 1 ? await all(flags) : await one(flags);
