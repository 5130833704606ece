/** The listed defects, of each invariant of the fault matrix one at least. */
import { BAR_MUTANTS } from './bar-mutants.ts';
import { CONDUCT_MUTANTS } from './conduct-mutants.ts';
import type { Mutant } from './mutant.ts';

const numberOf = ({ invariant }: Mutant): number => Number(invariant.slice(1));

/** In the order of the invariants. */
export const MUTANTS: readonly Mutant[] = [...BAR_MUTANTS, ...CONDUCT_MUTANTS].sort(
  (a, b) => numberOf(a) - numberOf(b),
);
