/**
 * A process in which the program has one defect, or none: it simulates seed after seed until one breaks a promise, and prints
 * what it found as a line of JSON.
 */
import { patchSource } from '../../support/patched-source.ts';
import type { Extent } from '../draw/draw.ts';
import { MUTANTS } from './mutants.ts';

export interface ChildQuestion {
  /** Absent: the program as it is. */
  readonly mutant?: string;
  readonly seeds: readonly number[];
  readonly extent: Extent;
}

/** What broke a promise, and by which seed; nothing where none did. */
export interface ChildAnswer {
  readonly seed?: number;
  readonly violations: readonly {
    readonly invariant: string;
    readonly name: string;
    readonly detail: string;
  }[];
}

const SHOWN_MAX = 5;

const { mutant: name, seeds, extent } = JSON.parse(process.argv[2] ?? '') as ChildQuestion;
const mutant = MUTANTS.find((one) => one.name === name);
if (name !== undefined && mutant === undefined) throw new Error(`no mutant is called ${name}`);
for (const { file, find, replace } of mutant?.patches ?? []) patchSource(file, find, replace);

// Only now is the program read.
const { simulate } = await import('../run.ts');
const { drawPlan } = await import('../draw/draw.ts');

let answer: ChildAnswer = { violations: [] };
for (const seed of seeds) {
  const { violations } = await simulate(drawPlan(seed, extent));
  if (violations.length === 0) continue;
  answer = { seed, violations: violations.slice(0, SHOWN_MAX) };
  break;
}
process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit());
