/** How big the parts of a drawing are before anything has its place: the lines in a state, the label of an edge. */
import type { Chart, ChartEdge, ChartState } from './describe.ts';
import { textWidth, wrapped } from './text.ts';
import type { EdgeKind } from './words.ts';

/** px at scale 1. */
export const TITLE = 13;
export const SMALL = 11;
export const LINE = 14;
/** Height of a state's head: its name and tags. */
export const HEAD = 24;
export const PAD = 10;
/** Where words go on to the next line: beside a line, in a state, in a state that holds others. */
const MAX_LABEL = 132;
const MAX_BODY = 240;
const MAX_HOLDER_BODY = 250;

/** Lines that belong together: what happens in a state, or a transition that does not leave it. */
export interface Block {
  readonly lines: readonly string[];
  readonly edge?: string;
  readonly kind?: EdgeKind;
}

/** What a transition needs and does, as its label has it. */
const conditionOf = ({ trigger, guard }: ChartEdge): string =>
  guard === undefined ? trigger : `${trigger} [${guard}]`;

/** A transition that stays where it is: without a target, or back to where it came from. */
export const staysInside = ({ source, target }: ChartEdge): boolean =>
  target === undefined || target === source;

/**
 * Between two states side by side, or what is inside them, the label is on the line. Whatever leaves what its state is
 * inside of has a long way, and what leads into its own state a short one: these are written where they begin.
 */
export const isLabelled = ({ source, target }: ChartEdge, chart: Chart): boolean => {
  const parent = chart.states.find(({ id }) => id === source)?.parent;
  return target !== undefined && parent !== undefined && holds(parent, target) && !holds(source, target);
};

/** Whether a state is another one, or has it inside. */
export const holds = (outer: string, inner: string): boolean => `${inner}.`.startsWith(`${outer}.`);

function insideWords(edge: ChartEdge): string {
  const does = edge.actions.length > 0 ? ` / ${edge.actions.join(', ')}` : '';
  if (edge.target === edge.source) return `↻ ${conditionOf(edge)}${does}`;
  if (edge.target !== undefined) return `${conditionOf(edge)} → ${edge.target.split('.').at(-1)}${does}`;
  return does === '' ? `ignores ${conditionOf(edge)}` : `${conditionOf(edge)}${does}`;
}

/** What stands in a state below its name. */
export function bodyOf(state: ChartState, chart: Chart): readonly Block[] {
  const limit = state.children.length > 0 ? MAX_HOLDER_BODY : MAX_BODY;
  const plain = [
    ...state.invokes.map((name) => `invoke / ${name}`),
    ...(state.entry.length > 0 ? [`entry / ${state.entry.join(', ')}`] : []),
    ...(state.exit.length > 0 ? [`exit / ${state.exit.join(', ')}`] : []),
  ].map((text): Block => ({ lines: wrapped(text, SMALL, limit, '   ') }));
  const staying = chart.edges
    .filter((edge) => edge.source === state.id && !isLabelled(edge, chart))
    .map(
      (edge): Block => ({
        lines: wrapped(insideWords(edge), SMALL, limit, '   '),
        edge: edge.key,
        kind: edge.kind,
      }),
    );
  return [...plain, ...staying];
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const widest = (lines: readonly string[]): number =>
  Math.max(0, ...lines.map((line) => textWidth(line, SMALL)));

/** Of a state without what is inside it. */
export function sizeOf(state: ChartState, body: readonly Block[]): Size {
  const tags = state.tags.reduce((sum, tag) => sum + tagWidth(tag) + 6, 0);
  const lines = body.flatMap((block) => block.lines);
  return {
    width: Math.ceil(Math.max(56, textWidth(state.key, TITLE, true) + tags, widest(lines)) + 2 * PAD),
    height: HEAD + (lines.length > 0 ? lines.length * LINE + 8 : 4),
  };
}

export const tagWidth = (tag: string): number => textWidth(tag, SMALL) + 10;

/** An edge's label: trigger and guard, then what is done. */
export function labelOf(edge: ChartEdge): readonly string[] {
  const condition = wrapped(conditionOf(edge), SMALL, MAX_LABEL, ' ');
  if (edge.actions.length === 0) return condition;
  return [...condition, ...wrapped(`/ ${edge.actions.join(', ')}`, SMALL, MAX_LABEL, ' ')];
}

export const labelSize = (lines: readonly string[]): Size => ({
  width: Math.ceil(widest(lines) + 8),
  height: lines.length * LINE + 2,
});
