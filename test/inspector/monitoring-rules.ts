/** What the examples for operators may say. Each offence is a line; none: all is well. */
import { type AnyStateNode, StateMachine } from 'xstate';
import type { Family } from './exposition.ts';
import { readPromql, type Selector } from './promql.ts';

/** Metrics and labels that Prometheus itself adds. */
const OF_PROMETHEUS = ['up'];
const ADDED = ['job', 'instance'];

/** Units that Grafana knows by these ids. */
const UNITS = ['none', 'short', 's', 'bytes', 'percentunit', 'mps', 'cps'];

/** A machine's states by their text, each with one actor in it; of one without regions. */
export function leafStates(exported: unknown): [string, Record<string, number>][] {
  if (!(exported instanceof StateMachine)) return [];
  const leaves = (node: AnyStateNode): string[] => {
    const children = Object.values(node.states) as AnyStateNode[];
    if (node.type === 'parallel') return [];
    return children.length === 0 ? [node.path.join('.')] : children.flatMap(leaves);
  };
  const states = leaves(exported.root).map((state): [string, number] => [state, 1]);
  return [[exported.id, Object.fromEntries(states)]];
}

export function promqlOffences(expression: string, metrics: ReadonlyMap<string, Family>): string[] {
  // What Grafana puts in before it asks.
  const asked = expression.replaceAll(/\$__(?:rate_)?interval/gu, '5m');
  try {
    const { selectors, grouping } = readPromql(asked);
    const labels = new Set([
      ...ADDED,
      ...selectors.flatMap(({ metric }) => labelsOf(linesOf(metric, metrics))),
    ]);
    return [
      ...selectors.flatMap((selector) => selectorOffences(selector, metrics)),
      ...grouping.filter((label) => !labels.has(label)).map((label) => `${expression}: no label ${label}`),
    ];
  } catch (error) {
    return [String(error)];
  }
}

/** Lines of exactly that name: a histogram has none of its own. */
const linesOf = (name: string, metrics: ReadonlyMap<string, Family>): Family['samples'] =>
  [...metrics.values()].flatMap(({ samples }) => samples.filter((sample) => sample.name === name));

const labelsOf = (samples: Family['samples']): string[] =>
  samples.flatMap(({ labels }) => Object.keys(labels));

function selectorOffences({ metric, matchers }: Selector, metrics: ReadonlyMap<string, Family>): string[] {
  const ofOurs = matchers.filter(({ label }) => !ADDED.includes(label));
  if (OF_PROMETHEUS.includes(metric)) return ofOurs.map(({ label }) => `${metric} has no label ${label}`);
  let lines = linesOf(metric, metrics);
  if (lines.length === 0) return [`no metric ${metric}`];
  return ofOurs.flatMap(({ label, operator, value }) => {
    if (!labelsOf(lines).includes(label)) return [`${metric} has no label ${label}`];
    if (operator !== '=' && operator !== '=~') return [];
    const wanted = operator === '=' ? [value] : value.split('|');
    const missing = wanted.filter((one) => !lines.some(({ labels }) => labels[label] === one));
    lines = lines.filter(({ labels }) => wanted.includes(labels[label] ?? ''));
    return missing.map((one) => `${metric}: ${label} is never ${one}`);
  });
}

export function variableOffences(
  { name, type, query }: { name: string; type: string; query: string | { query: string } },
  metrics: ReadonlyMap<string, Family>,
): string[] {
  const text = typeof query === 'string' ? query : query.query;
  if (type === 'datasource') return text === 'prometheus' ? [] : [`${name}: not of Prometheus`];
  const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/u.exec(text) ?? [];
  return [
    ...promqlOffences(selector, metrics),
    ...(ADDED.includes(label) ? [] : [`${name}: no label ${label}`]),
  ];
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly refId: string; readonly legendFormat: string }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

export function panelOffences(panel: Panel, all: readonly Panel[]): string[] {
  const { id, title, type, gridPos, description = '', datasource, targets = [], fieldConfig } = panel;
  const { x, y, w, h } = gridPos;
  const others = all.filter((other) => other !== panel);
  const overlaps = others.filter(
    ({ gridPos: it }) => x < it.x + it.w && it.x < x + w && y < it.y + it.h && it.y < y + h,
  );
  const refIds = new Set(targets.map(({ refId }) => refId));
  const unit = fieldConfig?.defaults.unit ?? '';
  const isRow = type === 'row';
  const checks: [boolean, string][] = [
    [others.some((other) => other.id === id), 'its id is taken'],
    [overlaps.length > 0, `overlaps ${overlaps[0]?.title}`],
    [x < 0 || x + w > 24, 'is beyond the 24 columns'],
    [!isRow && description === '', 'has no description'],
    [!isRow && !UNITS.includes(unit), `has the unit '${unit}'`],
    [!isRow && !/^\$\{datasource\}$/u.test(datasource?.uid ?? ''), 'asks another data source'],
    [!isRow && targets.length === 0, 'asks for nothing'],
    [
      refIds.size < targets.length || targets.some(({ legendFormat }) => legendFormat === ''),
      'has unnamed lines',
    ],
  ];
  return checks.filter(([isWrong]) => isWrong).map(([, why]) => `${title}: ${why}`);
}
