import type { AnyStateMachine } from 'xstate';
import type { EndingReport } from './ending.ts';
import { type AnyModel, catalog, examine, type Report } from './walk/index.ts';

type Models = Readonly<Record<string, AnyModel | (() => AnyModel)>>;

/** Explores and walks every model; one report each, in the given order. */
export function summarize(models: Models): Report[] {
  return Object.entries(models).map(([name, model]) => ({
    ...examine(typeof model === 'function' ? model() : model).report,
    machine: name,
  }));
}

/** `machine | states | transitions | obligations | walked`, with a last row of sums. */
export function countsTable(reports: readonly Report[]): string {
  const columns = ['states', 'transitions', 'obligations', 'walked'] as const;
  const sums = columns.map((column) => reports.reduce((sum, report) => sum + report[column], 0));
  return markdown([
    ['machine', ...columns],
    ...reports.map((report) => [report.machine, ...columns.map((column) => String(report[column]))]),
    ['**all**', ...sums.map(String)],
  ]);
}

/** `machine | states | moments | ends tried | longest`, with a last row of sums. */
export function endingsTable(reports: Readonly<Record<string, EndingReport>>): string {
  const sum = (of: (report: EndingReport) => number): string =>
    String(Object.values(reports).reduce((total, report) => total + of(report), 0));
  return markdown([
    ['machine', 'states', 'moments', 'ends tried', 'longest, ms'],
    ...Object.entries(reports).map(([name, { states, moments, tried, longestMs }]) =>
      [name, states, moments, tried, longestMs].map(String),
    ),
    ['**all**', sum(({ states }) => states), sum(({ moments }) => moments), sum(({ tried }) => tried), ''],
  ]);
}

/** Every transition of one machine: `# | from | trigger | to`. */
export function transitionsTable(machine: AnyStateMachine): string {
  const rows = catalog(machine).map(({ label }, index) => {
    const [from = '', rest = ''] = label.split(' --', 2);
    const [trigger = '', to = ''] = rest.split('--> ', 2);
    return [String(index + 1), from, trigger, to];
  });
  return markdown([['#', 'from', 'trigger', 'to'], ...rows]);
}

/** All of it as a document: the counts, then each machine's list. */
export function summary(models: Models): string {
  const lists = Object.entries(models).map(([name, model]) => {
    const { machine } = typeof model === 'function' ? model() : model;
    return `## ${name}\n\n${transitionsTable(machine as AnyStateMachine)}`;
  });
  return [countsTable(summarize(models)), ...lists].join('\n\n');
}

function markdown(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows.map((cells) => cells.map((cell) => cell.replaceAll('|', '\\|')));
  const rule = head.map(() => '---');
  return [head, rule, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
