/**
 * Puts every listed defect into the program, one at a time, and has the simulation look for it: `npm run sabotage --
 * [--seeds N] [--days D] [--streams S] [--only I3,name] [--first] [--jobs N]` (`--first`: one of each invariant). It fails when one survives, is found first by an
 * invariant that is not the one named, or when a seed that found one finds something without it.
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import pMap from 'p-map';
import { ask, type Catch, hunt } from './hunt.ts';
import type { Mutant } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

/** A mutant may stand still in a loop; a seed takes seconds, ms. */
const SEED_TIMEOUT_MS = 60_000;
const START_MS = 20_000;
const FIRST_MAX = 110;

const wrongUsage = (why: string): never => {
  process.stderr.write(`${why}\n`);
  process.exit(2);
};

function readFlags() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string', default: '50' },
        days: { type: 'string', default: '1' },
        streams: { type: 'string', default: '6' },
        only: { type: 'string' },
        first: { type: 'boolean', default: false },
        jobs: { type: 'string', default: '2' },
      },
    }).values;
  } catch (error) {
    return wrongUsage((error as Error).message);
  }
}

const values = readFlags();
const amount = (name: 'seeds' | 'days' | 'streams' | 'jobs'): number =>
  Number(values[name]) > 0
    ? Number(values[name])
    : wrongUsage(`--${name}: ${values[name]} is not a number above 0`);
const seeds = Array.from({ length: amount('seeds') }, (_, index) => index + 1);
const extent = { days: amount('days'), streams: amount('streams') };
const only = values.only?.split(',');
const isMeant = (mutant: Mutant): boolean =>
  (only === undefined || only.includes(mutant.invariant) || only.includes(mutant.name)) &&
  (!values.first || mutant === MUTANTS.find(({ invariant }) => invariant === mutant.invariant));
if (!MUTANTS.some(isMeant)) wrongUsage(`--only: there is no mutant ${values.only}`);
const timeoutOf = (count: number): number => START_MS + count * SEED_TIMEOUT_MS;

// A program that can't even be loaded would have every mutant fail.
await ask({ seeds: [], extent }, START_MS);

const catches = await pMap(
  MUTANTS.filter(isMeant),
  async (mutant) => {
    const found = await hunt(mutant, { seeds, extent }, timeoutOf(seeds.length));
    process.stderr.write(
      `${mutant.invariant} ${mutant.name}: ${found.fate}, ${Math.round(found.tookMs / 1_000)} s\n`,
    );
    return found;
  },
  { concurrency: amount('jobs') },
);

// What finds something in the program as it is has not found the mutant.
const telling = [...new Set(catches.flatMap(({ seed }) => seed ?? []))].sort((a, b) => a - b);
const control = await ask({ seeds: telling, extent }, timeoutOf(telling.length));

const table = new Table({
  head: ['invariant', 'mutant', 'what it does', 'seed', 'fate', 'first violation'],
  style: { head: [], border: [] },
});
for (const { mutant, fate, seed, first } of catches)
  table.push([mutant.invariant, mutant.name, mutant.does, seed ?? '', fate, first.slice(0, FIRST_MAX)]);
process.stdout.write(`${table.toString()}\n`);

const wrong = catches.filter(({ fate }: Catch) => fate !== 'caught');
process.stdout.write(
  `${catches.length - wrong.length} of ${catches.length} mutants caught within ${seeds.length} seeds of ${extent.days} days and ${extent.streams} streams\n`,
);
if (control.seed !== undefined)
  process.stdout.write(
    `without any mutant seed ${control.seed} is broken too: ${JSON.stringify(control.violations[0])}\n`,
  );
process.exitCode = wrong.length === 0 && control.seed === undefined ? 0 : 1;
