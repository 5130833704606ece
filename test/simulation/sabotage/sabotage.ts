/**
 * Puts every listed defect into the program, one at a time, and has the simulation look for it: `npm run sabotage --
 * [--seeds N] [--days D] [--streams S] [--only I3,name] [--first] [--jobs N]` (`--first`: one of each invariant). It fails when one survives, is found first by an
 * invariant that is not the one named, or when a seed that found one finds something without it.
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import pMap from 'p-map';
import { numberOf, toldOf } from '../../support/command.ts';
import { STREAMS_MAX } from '../draw/draw.ts';
import { ask, type Catch, hunt } from './hunt.ts';
import { MUTANTS } from './mutants.ts';

/** A mutant may stand still in a loop; a seed takes seconds, ms. */
const SEED_TIMEOUT_MS = 60_000;
const START_MS = 20_000;
const FIRST_MAX = 110;

function readFlags() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '50' },
      days: { type: 'string', default: '1' },
      streams: { type: 'string', default: '6' },
      only: { type: 'string' },
      first: { type: 'boolean', default: false },
      jobs: { type: 'string', default: '2' },
    },
  });
  const only = values.only?.split(',');
  const firsts = new Map(MUTANTS.toReversed().map((mutant) => [mutant.invariant, mutant]));
  const meant = MUTANTS.filter(
    (mutant) =>
      (only === undefined || only.includes(mutant.invariant) || only.includes(mutant.name)) &&
      (!values.first || mutant === firsts.get(mutant.invariant)),
  );
  if (meant.length === 0) throw new RangeError(`--only: there is no mutant ${values.only}`);
  return {
    meant,
    seeds: Array.from({ length: numberOf(values, 'seeds', 1, 1_000) }, (_, index) => index + 1),
    extent: {
      days: numberOf(values, 'days', 0.01, 366, 'a number'),
      streams: numberOf(values, 'streams', 1, STREAMS_MAX),
    },
    jobs: numberOf(values, 'jobs', 1, 64),
  };
}

const flags = toldOf(readFlags);
if (flags === undefined) process.exit();
const { meant, seeds, extent, jobs } = flags;
const timeoutOf = (count: number): number => START_MS + count * SEED_TIMEOUT_MS;

// A program that can't even be loaded would have every mutant fail.
await ask({ seeds: [], extent }, START_MS);

const catches = await pMap(
  meant,
  async (mutant) => {
    const found = await hunt(mutant, { seeds, extent }, timeoutOf(seeds.length));
    process.stderr.write(
      `${mutant.invariant} ${mutant.name}: ${found.fate}, ${Math.round(found.tookMs / 1_000)} s\n`,
    );
    return found;
  },
  { concurrency: jobs },
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
