/** A machine as a chart: its states and transitions, in words that a reader of the chart understands. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { edgeKey } from './edge-key.ts';
import { actionWords, type Delays, type EdgeKind, guardWords, kindOf, triggerWords } from './words.ts';

export interface ChartState {
  /** `connection.attached.open` */
  readonly id: string;
  /** `open` */
  readonly key: string;
  readonly type: AnyStateNode['type'];
  /** Absent: it is the machine itself. */
  readonly parent?: string;
  readonly description?: string;
  readonly tags: readonly string[];
  /** Names of what lives while this state does. */
  readonly invokes: readonly string[];
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  /** The state inside that is entered first. */
  readonly initial?: string;
  /** States inside, in the order of the source. */
  readonly children: readonly string[];
}

export interface ChartEdge {
  readonly key: string;
  readonly source: string;
  /** Absent: the state is not left, only actions are done; without any the event is ignored here. */
  readonly target?: string;
  readonly kind: EdgeKind;
  readonly trigger: string;
  /** `else` for one without guard behind guarded ones. */
  readonly guard?: string;
  readonly actions: readonly string[];
}

export interface Chart {
  readonly id: string;
  /** The machine itself first, each before what is inside it. */
  readonly states: readonly ChartState[];
  readonly edges: readonly ChartEdge[];
}

export function describe(machine: AnyStateMachine): Chart {
  const nodes = [...nodesOf(machine.root)];
  return {
    id: machine.id,
    states: nodes.map(stateOf),
    edges: nodes.flatMap((node) => edgesOf(node, machine.implementations.delays as Delays)),
  };
}

function* nodesOf(node: AnyStateNode): Generator<AnyStateNode> {
  yield node;
  for (const child of Object.values<AnyStateNode>(node.states)) yield* nodesOf(child);
}

function stateOf(node: AnyStateNode): ChartState {
  const initial = node.type === 'compound' ? node.initial.target?.[0]?.id : undefined;
  return {
    id: node.id,
    key: node.key,
    type: node.type,
    ...(node.parent === undefined ? {} : { parent: node.parent.id }),
    ...(node.description === undefined ? {} : { description: node.description }),
    tags: node.tags,
    invokes: node.invoke.map(({ src, id }) =>
      typeof src === 'string' && !src.startsWith('xstate.') ? src : id,
    ),
    // As configured: XState adds its own for each delay.
    entry: listed(node.config.entry).map(actionWords),
    exit: listed(node.config.exit).map(actionWords),
    ...(initial === undefined ? {} : { initial }),
    children: Object.values<AnyStateNode>(node.states).map(({ id }) => id),
  };
}

const listed = (actions: unknown): readonly unknown[] =>
  actions === undefined ? [] : Array.isArray(actions) ? actions : [actions];

function edgesOf(node: AnyStateNode, delays: Delays): ChartEdge[] {
  const byEvent: [string, readonly AnyTransitionDefinition[]][] = [...node.transitions];
  if (node.always !== undefined) byEvent.push(['', node.always]);
  return byEvent.flatMap(([event, transitions]) =>
    transitions.map((transition, index): ChartEdge => {
      const target = transition.target?.[0]?.id;
      const guard =
        transition.guard === undefined ? (index > 0 ? 'else' : undefined) : guardWords(transition.guard);
      return {
        key: edgeKey(node.id, event, index),
        source: node.id,
        ...(target === undefined ? {} : { target }),
        kind: kindOf(event),
        trigger: triggerWords(transition, delays),
        ...(guard === undefined ? {} : { guard }),
        actions: transition.actions.map(actionWords),
      };
    }),
  );
}
