/** A chart as elk wants it: states inside states, lines with room for their labels. */
import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { Chart, ChartEdge, ChartState } from './describe.ts';
import { bodyOf, isLabelled, labelOf, labelSize, PAD, type Size, sizeOf, staysInside } from './measure.ts';

/** Diameter of the dot before an initial state, px. */
export const DOT = 9;
/** Between the labels of transitions that share a line, px. */
export const STACK = 3;
/** Round what is inside a state, px. */
const FRAME = 14;

export function graphOf(chart: Chart): ElkNode {
  const states = new Map(chart.states.map((state) => [state.id, state]));
  const nodeOf = (state: ChartState): ElkNode => {
    const size = sizeOf(state, bodyOf(state, chart));
    if (state.children.length === 0) return { id: state.id, ...size };
    return {
      id: state.id,
      children: [...dotOf(state), ...state.children.map((id) => nodeOf(states.get(id)!))],
      edges: state.initial === undefined ? [] : [line(`initial ${state.id}`, dotId(state), state.initial)],
      layoutOptions: holderOptions(size),
    };
  };
  const lines = [...linesOf(chart)].map(([id, edges]) => lineOf(id, edges, chart));
  return { id: '', children: [nodeOf(chart.states[0]!)], edges: lines };
}

const dotId = ({ id }: ChartState): string => `dot ${id}`;
const dotOf = (state: ChartState): ElkNode[] =>
  state.initial === undefined ? [] : [{ id: dotId(state), width: DOT, height: DOT }];

const line = (id: string, source: string, target: string): ElkExtendedEdge => ({
  id,
  sources: [source],
  targets: [target],
});

function holderOptions({ width, height }: Size): Record<string, string> {
  const top = height + PAD;
  return {
    'elk.padding': `[top=${top},left=${FRAME},bottom=${FRAME},right=${FRAME}]`,
    'elk.nodeSize.constraints': 'MINIMUM_SIZE',
    // Of a state that holds others elk means these along the layout and across it; it goes downward.
    'elk.nodeSize.minimum': `(${top},${width})`,
  };
}

/** Transitions of one kind between the same two states share a line. By its id in the graph. */
export function linesOf(chart: Chart): Map<string, readonly ChartEdge[]> {
  return Map.groupBy(
    chart.edges.filter((edge) => !staysInside(edge)),
    ({ source, kind, target }) => `${source} ${kind} ${target}`,
  );
}

function lineOf(id: string, edges: readonly ChartEdge[], chart: Chart): ElkExtendedEdge {
  const ends = line(id, edges[0]!.source, edges[0]!.target!);
  if (!isLabelled(edges[0]!, chart)) return ends;
  const sizes = edges.map((edge) => labelSize(labelOf(edge)));
  const width = Math.max(...sizes.map((size) => size.width));
  const height = sizes.reduce((sum, size) => sum + size.height, (sizes.length - 1) * STACK);
  return { ...ends, labels: [{ text: id, width, height }] };
}
