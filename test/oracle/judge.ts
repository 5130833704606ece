/** All invariants at once. The oracle knows the contract, the file, the wire and the exchange; nothing of the program. */
import { clean, honest } from './conduct.ts';
import { equal, once, order } from './content.ts';
import type { Evidence, Violation } from './evidence.ts';
import { named } from './holes.ts';

export const INVARIANTS = { once, order, equal, honest, named, clean } as const;

/** What is wrong, in the order of the invariants; nothing when the promise was kept. */
export const judge = (evidence: Evidence): Violation[] =>
  Object.values(INVARIANTS).flatMap((invariant) => invariant(evidence));

/** As text: the first of each clause, and how many more there are. */
export function describeViolations(violations: readonly Violation[]): string {
  const clauses = Map.groupBy(violations, ({ invariant, name }) => `${invariant}: ${name}`);
  return [...clauses]
    .map(([clause, [first, ...more]]) => {
      const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
      return `${clause}: ${first?.detail}${rest}`;
    })
    .join('\n');
}
