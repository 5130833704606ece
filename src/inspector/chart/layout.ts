/** Where everything in a drawing goes: by elk's layered layout, from top to bottom. */
import ElkBundle, { type ELK, type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { Chart, ChartEdge, ChartState } from './describe.ts';
import { graphOf, linesOf, STACK } from './graph.ts';
import { type Block, bodyOf, holds, labelOf, labelSize, type Size, sizeOf } from './measure.ts';

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
  /** Those that run the same way; none: it leads into the initial state. */
  readonly edges: readonly ChartEdge[];
  readonly points: readonly Point[];
}

/** px at scale 1, from the upper left. */
export interface Drawing extends Size {
  readonly boxes: readonly Box[];
  /** Where an initial state is entered from. */
  readonly dots: readonly Point[];
  readonly lines: readonly Line[];
  readonly labels: readonly Label[];
}

/** What elk leaves to taste: where on a line its label goes, and by which of many ways it gets there. */
export interface Take {
  readonly labels: 'MEDIAN' | 'TAIL' | 'HEAD' | 'SPACE_EFFICIENT';
  readonly seed: number;
}

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.spacing.nodeNode': '22',
  'elk.spacing.edgeNode': '12',
  'elk.spacing.edgeEdge': '8',
  'elk.spacing.edgeLabel': '4',
  'elk.spacing.labelNode': '6',
  'elk.layered.spacing.nodeNodeBetweenLayers': '22',
  'elk.layered.spacing.edgeNodeBetweenLayers': '11',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.thoroughness': '20',
};

// Its types say that the module is what it exports as default.
const Elk = ElkBundle as unknown as new () => ELK;

export async function layOut(chart: Chart, take: Take): Promise<Drawing> {
  const layoutOptions = {
    ...OPTIONS,
    'elk.randomSeed': String(take.seed),
    'elk.layered.edgeLabels.centerLabelPlacementStrategy': `${take.labels}_LAYER`,
  };
  // Given beside the graph they hold in every state; given to the root they would hold in none of them.
  return placed(await new Elk().layout(graphOf(chart), { layoutOptions }), chart);
}

/** What elk has said, in places that count from the upper left of the drawing. */
function placed(root: ElkNode, chart: Chart): Drawing {
  const origins = new Map<string, Point>();
  const boxes: Box[] = [];
  const dots: Point[] = [];
  const visit = (node: ElkNode, parent: Point, depth: number): void => {
    const at = { x: parent.x + (node.x ?? 0), y: parent.y + (node.y ?? 0) };
    origins.set(node.id, at);
    const state = chart.states.find(({ id }) => id === node.id);
    if (state !== undefined) boxes.push(boxOf(state, chart, { ...at, ...sizeOfNode(node) }, depth));
    else if (node.id !== root.id) dots.push(at);
    for (const child of node.children ?? []) visit(child, at, state === undefined ? depth : depth + 1);
  };
  visit(root, { x: 0, y: 0 }, 0);

  const lines: Line[] = [];
  const labels: Label[] = [];
  const shared = linesOf(chart);
  for (const line of linesBelow(root)) {
    const edges = shared.get(line.id) ?? [];
    const origin = origins.get(line.container ?? root.id)!;
    const moved = ({ x = 0, y = 0 }: Partial<Point>): Point => ({ x: x + origin.x, y: y + origin.y });
    for (const { startPoint, bendPoints = [], endPoint } of line.sections ?? []) {
      const points = [startPoint, ...bendPoints, endPoint].map(moved);
      lines.push({ edges, points: edges[0] === undefined ? points : belowHead(points, edges[0], boxes) });
    }
    for (const label of line.labels ?? []) labels.push(...stacked(edges, moved(label)));
  }
  return { ...sizeOfNode(root), boxes, dots, lines, labels };
}

const sizeOfNode = ({ width = 0, height = 0 }: ElkNode): Size => ({ width, height });

const boxOf = (state: ChartState, chart: Chart, place: Point & Size, depth: number): Box => ({
  ...place,
  state,
  body: bodyOf(state, chart),
  depth,
  isRegion: chart.states.find(({ id }) => id === state.parent)?.type === 'parallel',
});

const linesBelow = (node: ElkNode): ElkExtendedEdge[] => [
  ...(node.edges ?? []),
  ...(node.children ?? []).flatMap(linesBelow),
];

/** A line into its own state begins below what is written at the head of that state. */
function belowHead(points: readonly Point[], edge: ChartEdge, boxes: readonly Box[]): readonly Point[] {
  const [first, next, ...rest] = points;
  const box = boxes.find(({ state }) => state.id === edge.source);
  if (box === undefined || !holds(edge.source, edge.target!) || first!.x !== next!.x) return points;
  const y = box.y + sizeOf(box.state, box.body).height;
  return y < next!.y ? [{ x: first!.x, y }, next!, ...rest] : points;
}

/** The labels of transitions that share a line, one below the other. */
function stacked(edges: readonly ChartEdge[], { x, y }: Point): Label[] {
  let top = y;
  return edges.map((edge) => {
    const lines = labelOf(edge);
    const label = { x, y: top, ...labelSize(lines), edge, lines };
    top += label.height + STACK;
    return label;
  });
}
