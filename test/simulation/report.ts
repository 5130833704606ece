/** Verdicts in words. */
import type { Violation } from './check/violations.ts';
import { reachedOf } from './coverage.ts';
import { DAY_MS } from './plan.ts';
import type { Verdict } from './run.ts';

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

const speed = (simulatedMs: number, wallMs: number): string =>
  Math.round(simulatedMs / wallMs).toLocaleString('en');

export const describeViolation = ({ invariant, name, detail, atMs }: Violation): string =>
  `${invariant} ${name}: ${detail}, at ${(atMs / 1_000).toFixed(3)} s`;

/** One seed at length. */
export function describeVerdict(seed: number, verdict: Verdict): string {
  const { violations, faults, kinds, simulatedMs, wallMs } = verdict;
  return [
    `seed ${seed}: ${(simulatedMs / DAY_MS).toFixed(2)} days in ${(wallMs / 1_000).toFixed(1)} s, ${speed(simulatedMs, wallMs)} simulated seconds a second`,
    `faults: ${total(faults)} (${listed(faults)})`,
    `what they did: ${listed(kinds)}`,
    `processes: ${verdict.lives}; connections: ${verdict.reconnects}; bars delivered: ${verdict.bars}, stored: ${verdict.stored}; gaps: ${verdict.gaps}; revisions: ${verdict.revisions}`,
    `live again after the last fault: ${(verdict.healedMs / 1_000).toFixed(0)} s`,
    `trace: ${verdict.hash}`,
    violations.length === 0 ? 'kept' : `BROKEN\n${violations.map(describeViolation).join('\n')}`,
  ].join('\n');
}

/** One seed of many. */
export function verdictLine(seed: number, verdict: Verdict): string {
  const { violations, faults, simulatedMs, wallMs, hash } = verdict;
  const facts = [
    `${total(faults)} faults`,
    `${verdict.reconnects} connections`,
    `${verdict.lives} processes`,
    `${verdict.bars} bars`,
    `${verdict.gaps} gaps`,
    `${speed(simulatedMs, wallMs)} s/s`,
    hash.slice(0, 12),
  ];
  const first = violations[0];
  const broken = first === undefined ? 'kept' : `BROKEN ${describeViolation(first)}`;
  return `seed ${seed}: ${broken} (${facts.join(', ')})`;
}

/** All of them. */
export function describeSum(verdicts: readonly Verdict[], wallMs: number): string {
  const sum = (of: (verdict: Verdict) => number): number =>
    verdicts.reduce((count, verdict) => count + of(verdict), 0);
  const simulatedMs = sum((verdict) => verdict.simulatedMs);
  const rows: Record<string, number> = {};
  for (const { faults } of verdicts)
    for (const [row, count] of Object.entries(faults)) rows[row] = (rows[row] ?? 0) + count;
  const sorted = Object.fromEntries(Object.entries(rows).sort(([one], [other]) => (one < other ? -1 : 1)));
  return [
    `${verdicts.length} seeds, ${(simulatedMs / DAY_MS).toFixed(1)} simulated days in ${(wallMs / 1_000).toFixed(0)} s, ${speed(simulatedMs, wallMs)} simulated seconds a second`,
    `faults: ${total(rows)} (${listed(sorted)})`,
    `processes: ${sum((one) => one.lives)}; connections: ${sum((one) => one.reconnects)}; bars: ${sum((one) => one.bars)}; gaps: ${sum((one) => one.gaps)}; revisions: ${sum((one) => one.revisions)}`,
    `violations: ${sum((one) => one.violations.length)}`,
  ].join('\n');
}

/** Transitions of the charts that were taken: a line for each, and those that never were. */
export function describeCoverage(edges: ReadonlySet<string>): string {
  const all = reachedOf(edges);
  const reached = all.reduce((sum, one) => sum + one.reached, 0);
  const count = all.reduce((sum, one) => sum + one.total, 0);
  return [
    ...all.map(({ machine, reached, total }) => `${machine}: ${reached} of ${total} transitions`),
    `all charts: ${reached} of ${count}`,
    ...all.flatMap(({ machine, missing }) => missing.map((label) => `never: ${machine}: ${label}`)),
  ].join('\n');
}
