/** Changes of a statechart: guards, targets, transitions, actions, invocations, delays, tags. */
import type { Edit } from './mutant.ts';
import type { Text } from './mutate-code.ts';
import { type Above, type Node, nameOf } from './tree.ts';

const list = (node: Node | undefined, name: string): readonly Node[] =>
  (node?.[name] ?? []) as readonly Node[];
const givenTo = (property: Node): Node => property['value'] as Node;
const isObject = (node: Node | undefined): node is Node => node?.type === 'ObjectExpression';
const isString = (node: Node): boolean => node.type === 'Literal' && typeof node['value'] === 'string';
const propertyOf = (object: Node | undefined, name: string): Node | undefined =>
  list(object, 'properties').find((it) => nameOf(it) === name);

/** Properties that a chart can do without, one by one. */
const DROPPED: Readonly<Record<string, Edit['kind']>> = {
  guard: 'guard',
  actions: 'action',
  entry: 'action',
  exit: 'action',
  invoke: 'invoke',
  onDone: 'transition',
  onError: 'transition',
  always: 'transition',
  tags: 'state',
  reenter: 'transition',
  output: 'state',
};
/** Properties whose list is shortened by one. */
const SHORTENED: Readonly<Record<string, Edit['kind']>> = {
  actions: 'action',
  entry: 'action',
  exit: 'action',
  always: 'transition',
  onDone: 'transition',
  onError: 'transition',
  tags: 'state',
};
/** Names in a chart: changed by the changes here and by no other. */
const NAMES = new Set([
  'target',
  'guard',
  'actions',
  'entry',
  'exit',
  'src',
  'id',
  'initial',
  'tags',
  'systemId',
]);
const HOLDING = new Set(['on', 'after']);

/** A text that is the name of a state, an action, a guard or an actor of a chart, not a value. */
export function isChartName(above: Above): boolean {
  const properties = above.filter((it) => it.type === 'Property');
  const [nearest] = properties;
  if (nearest === undefined) return false;
  const name = nameOf(nearest);
  const direct = above[0] === nearest || (above[0]?.type === 'ArrayExpression' && above[1] === nearest);
  if (NAMES.has(name) || ['onDone', 'onError', 'always'].includes(name)) return direct;
  if (name === 'type') {
    const holder = nameOf(properties[1]);
    // { type: 'noteFailed', params } names an action or a guard; 'final' a kind of state.
    return NAMES.has(holder) || ['states', ''].includes(holder) || inStates(above);
  }
  return direct && HOLDING.has(nameOf(properties[1]));
}

/** Straight below `states: { name: … }`. */
const inStates = (above: Above): boolean => {
  const properties = above.filter((it) => it.type === 'Property');
  return nameOf(properties[2]) === 'states';
};

/** The names of the states beside the one that a node is in, and of those inside it. */
function neighbours(above: Above): { beside: string[]; inside: string[] } {
  const names = (states: Node | undefined): string[] => list(states, 'properties').map(nameOf);
  const holder = above.findIndex((it, i) => isObject(it) && nameOf(above[i + 1]) === 'states');
  const beside = holder < 0 ? [] : names(above[holder]);
  // The state's own object lies two above its property.
  const own =
    holder < 2 ? above.findLast((it) => isObject(it) && propertyOf(it, 'states')) : above[holder - 2];
  const states = propertyOf(own, 'states');
  return { beside, inside: states ? names(givenTo(states)) : [] };
}

/** Another state that could stand in its place. */
export function otherTarget(target: string, above: Above): string | undefined {
  const { beside, inside } = neighbours(above);
  const among = (names: readonly string[], name: string): string | undefined =>
    names.length < 2 ? undefined : names[(names.indexOf(name) + 1) % names.length];
  if (target.startsWith('#')) return undefined;
  if (target.startsWith('.')) {
    const other = among(inside, target.slice(1));
    return other && `.${other}`;
  }
  if (target.includes('.')) return target.slice(0, target.indexOf('.'));
  return beside.includes(target) ? among(beside, target) : undefined;
}

function* delayEdits(value: Node, text: Text): Generator<Edit> {
  const { start, end } = value;
  yield {
    kind: 'delay',
    start,
    end,
    text: `((it) => (...all) => 2 * (typeof it === 'function' ? it(...all) : it))(${text.of(value)})`,
  };
  yield { kind: 'delay', start, end, text: '0' };
}

/** The changes of this property of a chart or of what it is made of. */
export function* chartEdits(node: Node, above: Above, text: Text): Generator<Edit> {
  if (
    node.type === 'Literal' &&
    isString(node) &&
    above[0]?.type === 'Property' &&
    above[0]['value'] === node
  )
    yield* targetEdits(node, above);
  if (node.type !== 'Property' || !isObject(above[0])) return;
  const name = nameOf(node);
  const value = givenTo(node);
  const holder = nameOf(above.filter((it) => it.type === 'Property')[0]);
  if (holder === 'guards') {
    const { start, end } = value;
    yield { kind: 'guard', start, end, text: '() => true' };
    yield { kind: 'guard', start, end, text: '() => false' };
    yield { kind: 'guard', start, end, text: `(...all) => !(${text.of(value)})(...all)` };
  }
  if (holder === 'delays') yield* delayEdits(value, text);
  if (HOLDING.has(holder)) yield text.element('transition', node);
  if (holder === 'after' && /^\d+$/.test(name.replaceAll('_', ''))) {
    const { start, end } = node['key'] as Node;
    yield { kind: 'delay', start, end, text: String(Number(name) * 2) };
    yield { kind: 'delay', start, end, text: '0' };
  }
  const drop = DROPPED[name];
  // In setup({ … }) these are the tables of what the chart is made of.
  const isTable = nameOf(above[1]?.['callee'] as Node | undefined) === 'setup';
  if (drop && !isTable && holder !== 'delays' && holder !== 'context') yield text.element(drop, node);
  if (name === 'target') yield text.element('target', node);
  if (name === 'type' && value['value'] === 'final') yield text.element('state', node);
  const shorten = SHORTENED[name] ?? (HOLDING.has(holder) ? 'transition' : undefined);
  if (shorten && value.type === 'ArrayExpression' && list(value, 'elements').length > 1)
    for (const element of list(value, 'elements')) yield text.element(shorten, element);
}

function* targetEdits(node: Node, above: Above): Generator<Edit> {
  const name = nameOf(above[0]);
  const holder = nameOf(above.filter((it) => it.type === 'Property')[1]);
  const isTarget =
    name === 'target' ||
    name === 'initial' ||
    ['onDone', 'onError', 'always'].includes(name) ||
    HOLDING.has(holder);
  const target = String(node['value']);
  // The states of `initial` are those of its own object.
  const other = isTarget
    ? otherTarget(name === 'initial' ? `.${target}` : target, name === 'initial' ? above.slice(1) : above)
    : undefined;
  const { start, end } = node;
  if (other) yield { kind: 'target', start, end, text: `'${name === 'initial' ? other.slice(1) : other}'` };
}
