/** What it cost when that was last recorded, as shares of the floor, and whether it costs more now. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Line, Report, Table } from './report.ts';

export const BASELINE_FILE = fileURLToPath(new URL('baseline.json', import.meta.url));

/** The most that a ratio may grow. */
const LOSS_MAX = 0.15;

/** Processor time ÷ that of the floor in the same round, by what a round was, then by contender. */
type Ratios = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface Baseline {
  readonly date: string;
  readonly machine: string;
  readonly ratios: Ratios;
}

/** Rounds of other lengths have other ratios: the shorter, the more of them is what has not been compiled yet. */
const sizeOf = ({ streams, frames }: Table): string => `${streams} streams, ${frames} frames`;

export const readBaseline = (file = BASELINE_FILE): Baseline | undefined =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Baseline) : undefined;

const ratiosOf = (lines: readonly Line[], ours: ReadonlySet<string>): Record<string, number> =>
  Object.fromEntries(
    lines.flatMap(({ id, cpu }) => (ours.has(id) && cpu !== undefined ? [[id, cpu] as const] : [])),
  );

/** Puts what was measured in the place of what was recorded of it; the rest stays. */
export function recorded(report: Report, ours: ReadonlySet<string>, old?: Baseline): Baseline {
  const ratios: Record<string, Readonly<Record<string, number>>> = { ...old?.ratios };
  for (const table of report.tables)
    ratios[sizeOf(table)] = { ...ratios[sizeOf(table)], ...ratiosOf(table.lines, ours) };
  return { date: report.date, machine: report.machine, ratios };
}

export const writeBaseline = (baseline: Baseline, file = BASELINE_FILE): void =>
  writeFileSync(file, `${JSON.stringify(baseline, undefined, 2)}\n`);

/** What costs more than it may; nothing to compare with is a loss, too. */
export function lossesOf(
  report: Report,
  ours: ReadonlySet<string>,
  baseline: Baseline | undefined,
): string[] {
  return report.tables.flatMap((table) =>
    Object.entries(ratiosOf(table.lines, ours)).flatMap(([id, ratio]) => {
      const before = baseline?.ratios[sizeOf(table)]?.[id];
      const what = `${id}, ${sizeOf(table)}`;
      if (before === undefined) return [`${what}: nothing recorded; --record does`];
      if (ratio <= before * (1 + LOSS_MAX)) return [];
      const percent = Math.round((ratio / before - 1) * 100);
      return [`${what}: ${ratio} of the floor's processor time, was ${before} (+${percent} %)`];
    }),
  );
}
