/** Figures of a run of mutants, in words. */
import type { Mutant } from './mutant.ts';
import type { Result } from './pool.ts';

export interface Tried extends Result {
  readonly mutant: Mutant;
}

interface Row {
  readonly name: string;
  readonly killed: number;
  readonly timeout: number;
  readonly survived: number;
  readonly equivalent: number;
}

/** Noticed, of those that could be; an endless loop is noticed by whoever waits for it. Percent. */
export const scoreOf = ({ killed, timeout, survived }: Row): number =>
  killed + timeout + survived === 0 ? 100 : (100 * (killed + timeout)) / (killed + timeout + survived);

export function rowOf(name: string, tried: readonly Tried[], equivalent: readonly Mutant[]): Row {
  const count = (verdict: Result['verdict']): number => tried.filter((it) => it.verdict === verdict).length;
  return {
    name,
    killed: count('killed'),
    timeout: count('timeout'),
    survived: count('survived'),
    equivalent: equivalent.length,
  };
}

/** The rooms whose scores are promised, beside the files. */
export const ROOMS: readonly (readonly [string, (file: string) => boolean])[] = [
  ['machines/ without model/', (file) => /^machines\/[^/]+$/.test(file)],
  ['machines/model/', (file) => file.startsWith('machines/model/')],
  ['machines/', (file) => file.startsWith('machines/')],
  ['src/', (file) => file.startsWith('src/')],
];

/** A table: each file, then the rooms, then all. */
export function table(tried: readonly Tried[], equivalent: readonly Mutant[]): string {
  const files = [
    ...new Set([...tried.map((it) => it.mutant.file), ...equivalent.map((it) => it.file)]),
  ].sort();
  const rowFor = (name: string, holds: (file: string) => boolean): Row =>
    rowOf(
      name,
      tried.filter((it) => holds(it.mutant.file)),
      equivalent.filter((it) => holds(it.file)),
    );
  const rows = [
    ...files.map((file) => rowFor(file, (other) => other === file)),
    ...ROOMS.filter(([, holds]) => files.some(holds)).map(([name, holds]) => rowFor(name, holds)),
    rowFor('all', () => true),
  ];
  const lines = rows.map((row) => [
    row.name,
    String(row.killed + row.timeout + row.survived),
    String(row.killed),
    String(row.timeout),
    String(row.survived),
    String(row.equivalent),
    `${scoreOf(row).toFixed(1)} %`,
  ]);
  const all = [['file', 'mutants', 'killed', 'by time', 'survived', 'equivalent', 'score'], ...lines];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  return all
    .map((line) =>
      line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
    )
    .join('\n');
}

export const survivors = (tried: readonly Tried[]): string =>
  tried
    .filter(({ verdict }) => verdict === 'survived')
    .map(({ mutant: { file, line, change, on } }) => `${file}:${line}  ${change}\n    ${on}`)
    .join('\n');
