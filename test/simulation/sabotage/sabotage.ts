/**
 * Puts every listed defect into the program, one at a time, and has the simulation look for it: `npm run sabotage --
 * [--seeds N] [--days D] [--streams S] [--only I3,name] [--jobs N]`. It fails when one survives, is found first by an
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

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '50' },
    days: { type: 'string', default: '1' },
    streams: { type: 'string', default: '6' },
    only: { type: 'string' },
    jobs: { type: 'string', default: '1' },
  },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => index + 1);
const extent = { days: Number(values.days), streams: Number(values.streams) };
const only = values.only?.split(',');
const isMeant = ({ invariant, name }: Mutant): boolean =>
  only === undefined || only.includes(invariant) || only.includes(name);
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
  { concurrency: Number(values.jobs) },
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
