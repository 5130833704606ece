import type { AnyStateMachine, AnyStateNode } from 'xstate';
import type { EndingReport } from './ending.ts';
import { stateNodes } from './walk/catalog.ts';
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

/** Events from outside that a chart listens to anywhere, in the order in which it names them. */
export const alphabetOf = (machine: AnyStateMachine, internal: readonly string[] = []): string[] => {
  const types = catalog(machine).map(({ transition }) => String(transition.eventType));
  return [...new Set(types)].filter((type) => /^(?!xstate\.)[^*]+$/u.test(type) && !internal.includes(type));
};

/** Whether it, or a state around it, listens to the event. */
function listens(node: AnyStateNode | undefined, type: string): boolean {
  if (node === undefined) return false;
  return node.transitions.has(type) || node.transitions.has('*') || listens(node.parent, type);
}

/** What each innermost state does not listen to, and so ignores: `state | ignores`. */
function ignoredTable(machine: AnyStateMachine, internal: readonly string[] | undefined): string {
  const alphabet = alphabetOf(machine, internal);
  const rows = [...stateNodes(machine.root)]
    .filter(({ type }) => type === 'atomic')
    .map((node) => [node.id, alphabet.filter((type) => !listens(node, type)).join(', ') || 'nothing']);
  return markdown([['state', 'ignores'], ...rows]);
}

/** All of it as a document: the counts, then each machine's list. */
export function summary(models: Models): string {
  const lists = Object.entries(models).map(([name, model]) => {
    const { machine, internal } = typeof model === 'function' ? model() : model;
    const tables = [transitionsTable(machine as AnyStateMachine), ignoredTable(machine, internal)];
    return `## ${name}\n\n${tables.join('\n\n')}`;
  });
  return [countsTable(summarize(models)), ...lists].join('\n\n');
}

function markdown(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows.map((cells) => cells.map((cell) => cell.replaceAll('|', '\\|')));
  const rule = head.map(() => '---');
  return [head, rule, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
