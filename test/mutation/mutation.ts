/**
 * Mutation testing by command: `node test/mutation/mutation.ts [--files 'machines/**'] [--sample 60 --seed 1]
 * [--only REGEXP] [--budget 3000] [--parallel 2] [--at-least 90] [--out FILE] [--resume FILE] [--listed]`.
 * One small change after the other is made to the charts, the model, the ledger, the cursors and the decoder, and the
 * tests that reach it are asked, those first that have noticed most. Prints a table by file and whoever survived.
 * `--only`: those whose place, change or line it fits.
 * `--budget`: tests that take longer together without a mutant are not asked, ms of processor time.
 * `--resume`: who was noticed in an earlier run, as `--out` wrote it, is not tried again; who survived comes first.
 * `--listed`: tries those of equivalent.json instead, to see that they still survive.
 * Exit 0: at least so many percent were noticed; 1: fewer, or equivalent.json is stale; 2: wrong usage.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { numberOf } from '../support/command.ts';
import { seeded, shuffled } from '../support/seeded.ts';
import { isListed, listOffences, readEquivalents } from './equivalent.ts';
import { generate, ROOT, read } from './generate.ts';
import type { Mutant } from './mutant.ts';
import { rowOf, scoreOf, survivors, type Tried, table } from './report.ts';
import { tryMutants } from './run.ts';

/** Without the fast ways of the byte reader: most changes there make it slow, and nothing else. They are fuzzed (test/fuzz). */
const FILES = ['machines/**/*.ts', 'src/pipeline/{cursor,cursors}.ts', 'src/binance/{frame,decimal}.ts'];

function readFlags() {
  const { values } = parseArgs({
    options: {
      files: { type: 'string', multiple: true, default: FILES },
      only: { type: 'string', default: '' },
      sample: { type: 'string' },
      seed: { type: 'string', default: '1' },
      budget: { type: 'string', default: '60000' },
      parallel: { type: 'string', default: '2' },
      'at-least': { type: 'string', default: '0' },
      out: { type: 'string' },
      resume: { type: 'string' },
      listed: { type: 'boolean', default: false },
    },
  });
  return {
    files: values.files,
    only: new RegExp(values.only),
    sample:
      values.sample === undefined ? undefined : numberOf({ sample: values.sample }, 'sample', 1, 1_000_000),
    seed: numberOf(values, 'seed', 0, Number.MAX_SAFE_INTEGER),
    budgetMs: numberOf(values, 'budget', 1, 3_600_000),
    parallel: numberOf(values, 'parallel', 1, 64),
    atLeast: numberOf(values, 'at-least', 0, 100),
    out: values.out,
    resume: values.resume,
    listed: values.listed,
  };
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** What an earlier run has found, by key. */
function foundBefore(file: string | undefined): Map<string, Tried> {
  if (file === undefined || !existsSync(file)) return new Map();
  const { tried } = JSON.parse(readFileSync(file, 'utf8')) as { tried: Tried[] };
  return new Map(tried.map((one) => [one.mutant.key, one]));
}

async function main(): Promise<number> {
  const flags = readFlags();
  const files = globSync(flags.files, { cwd: fileURLToPath(ROOT) }).sort();
  const list = readEquivalents();
  const named = [...new Set([...files, ...list.map(({ file }) => file)])];
  const every = named.flatMap((file) => generate(file, read(file)));
  const offences = listOffences(list, every);
  const mutants = every.filter(({ file }) => files.includes(file));
  const [equivalent, real] = [true, false].map((is) => mutants.filter((it) => isListed(list, it) === is)) as [
    Mutant[],
    Mutant[],
  ];
  const wanted = (flags.listed ? equivalent : real).filter(({ file, line, change, on }) =>
    flags.only.test(`${file}:${line} ${change} ${on}`),
  );
  const chosen =
    flags.sample === undefined ? wanted : shuffled(wanted, seeded(flags.seed)).slice(0, flags.sample);
  const before = foundBefore(flags.resume);
  const hasSurvived = ({ key }: Mutant): boolean => before.get(key)?.verdict === 'survived';
  const isKnown = (mutant: Mutant): boolean => before.has(mutant.key) && !hasSurvived(mutant);
  const known = chosen.filter(isKnown).map((mutant): Tried => ({ ...before.get(mutant.key)!, mutant }));
  // Who survived the last time comes first: somebody may have written the test.
  const left = chosen
    .filter((mutant) => !isKnown(mutant))
    .sort((one, other) => Number(hasSurvived(other)) - Number(hasSurvived(one)));
  const since = performance.now();
  const write = (tried: readonly Tried[]): void => {
    if (flags.out) writeFileSync(flags.out, `${JSON.stringify({ tried }, null, 1)}\n`);
  };
  const fresh: Tried[] = [...known];
  const all = await tryMutants(left, {
    parallel: flags.parallel,
    budgetMs: flags.budgetMs,
    onTried: (one, done, of) => {
      fresh.push(one);
      if (done % 25 !== 0) return;
      write(fresh);
      process.stderr.write(`${done} of ${of}, ${Math.round((performance.now() - since) / 1_000)} s\n`);
    },
  });
  const tried = [...known, ...all];
  write(tried);
  say(table(tried, equivalent));
  const alive = survivors(tried);
  if (alive) say(`\nsurvived:\n${alive}`);
  for (const { mutant, message } of tried.filter(({ verdict }) => verdict === 'invalid'))
    say(`no program: ${mutant.file}:${mutant.line} ${mutant.change}: ${message}`);
  for (const offence of offences) say(`test/mutation/equivalent.json: ${offence}`);
  const score = scoreOf(rowOf('all', tried, []));
  say(
    `\n${tried.length} of ${wanted.length} mutants in ${((performance.now() - since) / 1_000).toFixed(0)} s: ${score.toFixed(1)} % noticed`,
  );
  // The listed ones are run to see that none can be noticed after all.
  if (flags.listed) return tried.every(({ verdict }) => verdict === 'survived') ? 0 : 1;
  return score >= flags.atLeast && offences.length === 0 ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof RangeError || error instanceof TypeError ? 2 : 1;
}
