/** Where everything in a drawing goes: by elk's layered layout, with the states inside their states. */
import ElkBundle, { type ELK, type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { Chart, ChartEdge, ChartState } from './describe.ts';
import {
  type Block,
  bodyOf,
  holds,
  isLabelled,
  labelOf,
  labelSize,
  PAD,
  type Size,
  sizeOf,
  staysInside,
} from './measure.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point, Size {
  readonly state: ChartState;
  readonly body: readonly Block[];
  /** How many states it is inside of. */
  readonly depth: number;
  /** It is active together with its siblings. */
  readonly isRegion: boolean;
}

export interface Label extends Point, Size {
  readonly edge: ChartEdge;
  readonly lines: readonly string[];
}

export interface Line {
  /** Those that run the same way; absent: it leads into the initial state. */
  readonly edges: readonly ChartEdge[];
  readonly points: readonly Point[];
}

export interface Drawing extends Size {
  readonly boxes: readonly Box[];
  /** Where an initial state is entered from. */
  readonly dots: readonly Point[];
  readonly lines: readonly Line[];
  readonly labels: readonly Label[];
}

export type Direction = 'DOWN' | 'RIGHT';

/** Diameter, px. */
export const DOT = 9;
/** Between the labels of transitions that share a line. */
const STACK = 3;

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.randomSeed': '1',
  'elk.spacing.nodeNode': '22',
  'elk.spacing.edgeNode': '12',
  'elk.spacing.edgeEdge': '8',
  'elk.spacing.edgeLabel': '4',
  'elk.spacing.labelNode': '6',
  'elk.layered.spacing.nodeNodeBetweenLayers': '22',
  'elk.layered.spacing.edgeNodeBetweenLayers': '11',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
  'elk.layered.considerModelOrder.strategy': 'NONE',
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.thoroughness': '20',
};

// Its types say that the module is what it exports as default.
const Elk = ElkBundle as unknown as new () => ELK;

export async function layOut(
  chart: Chart,
  direction: Direction = 'DOWN',
  extra: Record<string, string> = {},
): Promise<Drawing> {
  const parts = partsOf(chart, direction);
  const root = await new Elk().layout(
    { id: '', children: [parts.node(chart.states[0]!.id)], edges: [...parts.edges] },
    // Of each state inside a state, too: they inherit nothing from one another.
    { layoutOptions: { ...OPTIONS, 'elk.direction': direction, ...extra } },
  );
  return parts.drawing(root);
}

function partsOf(chart: Chart, direction: Direction) {
  const states = new Map(chart.states.map((state) => [state.id, state]));
  const bodies = new Map(chart.states.map((state) => [state.id, bodyOf(state, chart)]));
  const groups = groupsOf(chart);

  function node(id: string): ElkNode {
    const state = states.get(id)!;
    const size = sizeOf(state, bodies.get(id)!);
    if (state.children.length === 0) return { id, ...size };
    const inside = state.children.map(node);
    if (state.initial === undefined)
      return { id, children: inside, layoutOptions: containerOptions(size, direction) };
    const dot = `dot ${id}`;
    return {
      id,
      children: [{ id: dot, width: DOT, height: DOT }, ...inside],
      edges: [{ id: `initial ${id}`, sources: [dot], targets: [state.initial] }],
      layoutOptions: containerOptions(size, direction),
    };
  }

  const edges = [...groups].map(([id, group]): ElkExtendedEdge => {
    const sizes = group.map((edge) => labelSize(labelOf(edge)));
    const ends = { id, sources: [group[0]!.source], targets: [group[0]!.target!] };
    if (!isLabelled(group[0]!, chart)) return ends;
    return {
      ...ends,
      labels: [
        {
          text: id,
          width: Math.max(...sizes.map(({ width }) => width)),
          height: sizes.reduce((sum, { height }) => sum + height, (sizes.length - 1) * STACK),
        },
      ],
    };
  });

  function drawing(root: ElkNode): Drawing {
    const at = new Map<string, Point>();
    const boxes: Box[] = [];
    const dots: Point[] = [];
    const visit = (placed: ElkNode, origin: Point, depth: number): void => {
      const here = { x: origin.x + (placed.x ?? 0), y: origin.y + (placed.y ?? 0) };
      at.set(placed.id, here);
      const state = states.get(placed.id);
      if (state !== undefined)
        boxes.push({
          ...here,
          width: placed.width!,
          height: placed.height!,
          state,
          body: bodies.get(placed.id)!,
          depth,
          isRegion: states.get(state.parent ?? '')?.type === 'parallel',
        });
      else if (placed.id !== '') dots.push(here);
      for (const child of placed.children ?? []) visit(child, here, depth + (state === undefined ? 0 : 1));
    };
    visit(root, { x: 0, y: 0 }, 0);

    /** Into its own state a line begins below what is written in there, not above. */
    const belowHead = (points: readonly Point[], edge: ChartEdge | undefined): readonly Point[] => {
      const [first, next, ...rest] = points;
      if (edge === undefined || !holds(edge.source, edge.target!) || first!.x !== next!.x) return points;
      const y = at.get(edge.source)!.y + sizeOf(states.get(edge.source)!, bodies.get(edge.source)!).height;
      return y < next!.y ? [{ x: first!.x, y }, next!, ...rest] : points;
    };

    const lines: Line[] = [];
    const labels: Label[] = [];
    for (const edge of edgesBelow(root)) {
      const origin = at.get((edge as { container?: string }).container ?? '') ?? { x: 0, y: 0 };
      const moved = ({ x, y }: Point): Point => ({ x: x + origin.x, y: y + origin.y });
      const group = groups.get(edge.id) ?? [];
      for (const { startPoint, bendPoints = [], endPoint } of edge.sections ?? [])
        lines.push({
          edges: group,
          points: belowHead([startPoint, ...bendPoints, endPoint].map(moved), group[0]),
        });
      for (const label of edge.labels ?? []) {
        let { x, y } = moved({ x: label.x ?? 0, y: label.y ?? 0 });
        for (const member of group) {
          const rows = labelOf(member);
          const size = labelSize(rows);
          labels.push({ x, y, ...size, edge: member, lines: rows });
          y += size.height + STACK;
        }
      }
    }
    return { width: root.width!, height: root.height!, boxes, dots, lines, labels };
  }

  return { node, edges, drawing };
}

function containerOptions({ width, height }: Size, direction: Direction): Record<string, string> {
  const top = height + PAD;
  return {
    'elk.padding': `[top=${top},left=14,bottom=14,right=14]`,
    'elk.nodeSize.constraints': 'MINIMUM_SIZE',
    // Of a state that holds others elk means this in the direction in which it lays out.
    'elk.nodeSize.minimum': direction === 'DOWN' ? `(${top},${width})` : `(${width},${top})`,
  };
}

/** Transitions of one kind between the same two states share a line. */
function groupsOf(chart: Chart): Map<string, ChartEdge[]> {
  const groups = new Map<string, ChartEdge[]>();
  for (const edge of chart.edges) {
    if (staysInside(edge)) continue;
    const id = `${edge.source} ${edge.kind} ${edge.target}`;
    groups.set(id, [...(groups.get(id) ?? []), edge]);
  }
  return groups;
}

const edgesBelow = (node: ElkNode): ElkExtendedEdge[] => [
  ...(node.edges ?? []),
  ...(node.children ?? []).flatMap(edgesBelow),
];
