/** Mutants that nothing can notice, each listed with the reason, and held to be there still. */
import { readFileSync } from 'node:fs';
import type { Mutant } from './mutant.ts';

export interface Equivalent {
  readonly file: string;
  /** The line that it is on, trimmed. */
  readonly on: string;
  /** The change, as the report has it; several of one line for one reason. */
  readonly changes: readonly string[];
  readonly reason: string;
}

const LIST = new URL('equivalent.json', import.meta.url);
const MIN_REASON = 15;

export const readEquivalents = (): readonly Equivalent[] => JSON.parse(readFileSync(LIST, 'utf8'));

const fits = (entry: Equivalent, mutant: Mutant): boolean =>
  entry.file === mutant.file && entry.on === mutant.on && entry.changes.includes(mutant.change);

/** Whether a mutant is in the list. */
export const isListed = (list: readonly Equivalent[], mutant: Mutant): boolean =>
  list.some((entry) => fits(entry, mutant));

/** What is wrong with the list, given all mutants of the files that it names. */
export function listOffences(list: readonly Equivalent[], mutants: readonly Mutant[]): string[] {
  return list.flatMap((entry) => {
    const name = `${entry.file}: ${entry.on}`;
    const stale = entry.changes.filter(
      (change) => !mutants.some((mutant) => fits({ ...entry, changes: [change] }, mutant)),
    );
    return [
      ...(entry.reason.trim().length < MIN_REASON ? [`${name}: listed without a reason`] : []),
      ...(entry.changes.length === 0 ? [`${name}: lists no change`] : []),
      ...stale.map((change) => `${name}: there is no mutant "${change}"`),
    ];
  });
}
