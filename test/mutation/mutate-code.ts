/** Changes of ordinary code: comparisons, conditions, arithmetic, constants, codes, statements, values. */
import type { Edit, Kind } from './mutant.ts';
import { type Above, type Node, nameOf } from './tree.ts';

const COMPARISONS: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
};
const ARITHMETIC: Readonly<Record<string, string>> = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '**': '*',
  '&': '|',
  '|': '&',
  '^': '&',
  '+=': '-=',
  '-=': '+=',
  '*=': '/=',
};
const LOGIC: Readonly<Record<string, string>> = { '&&': '||', '||': '&&', '??': '&&' };
const CALLS: Readonly<Record<string, string>> = {
  'Math.min': 'Math.max',
  'Math.max': 'Math.min',
  some: 'every',
  every: 'some',
};
/** What a table has of its own under a name. */
const of = <Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** Functions that give the context new values, property by property. */
const ASSIGNING = new Set(['assign', 'enqueue.assign']);
/** Values whose body says something by itself; others are changed from within. */
const WHOLE = new Set([
  'CallExpression',
  'ObjectExpression',
  'MemberExpression',
  'ArrayExpression',
  'NewExpression',
]);

const field = (node: Node, name: string): Node | undefined => node[name] as Node | undefined;
const list = (node: Node, name: string): readonly Node[] => (node[name] ?? []) as readonly Node[];

export interface Text {
  /** The source between two places. */
  of(node: Pick<Node, 'start' | 'end'>): string;
  /** What is taken away with an element of a list: it, and the comma behind it. */
  element(kind: Kind, node: Node): Edit;
}

export const textOf = (source: string): Text => ({
  of: ({ start, end }) => source.slice(start, end),
  element(kind, { start, end }) {
    const comma = /^\s*,/.exec(source.slice(end));
    return { kind, start, end: end + (comma?.[0].length ?? 0), text: '' };
  },
});

/** An operator between two operands, replaced. */
function operator(kind: Kind, node: Node, text: Text, by: string): Edit {
  const [left, right] = [field(node, 'left')!, field(node, 'right')!];
  return {
    kind,
    start: left.end,
    end: right.start,
    text: text.of({ start: left.end, end: right.start }).replace(String(node['operator']), () => by),
  };
}

const isText = (node: Node | undefined): boolean =>
  node?.type === 'TemplateLiteral' ||
  (node?.type === 'Literal' && typeof node['value'] === 'string') ||
  (node?.type === 'BinaryExpression' && (isText(field(node, 'left')) || isText(field(node, 'right'))));

function* conditionEdits(test: Node | undefined, loop: boolean): Generator<Edit> {
  if (!test) return;
  const { start, end } = test;
  yield { kind: 'condition', start, end, text: 'false' };
  if (!loop) yield { kind: 'condition', start, end, text: 'true' };
}

function constant(node: Node): string | undefined {
  const { value } = node as { value?: unknown };
  if (typeof value === 'boolean') return String(!value);
  if (typeof value !== 'number') return undefined;
  return String(value < 10 ? value + 1 : value * 2);
}

/** The changes of this one node, not of what is below it. */
export function* codeEdits(node: Node, above: Above, text: Text): Generator<Edit> {
  const { start, end } = node;
  const op = String(node['operator'] ?? '');
  switch (node.type) {
    case 'BinaryExpression': {
      for (const by of COMPARISONS[op] ?? []) yield operator('comparison', node, text, by);
      const other = ARITHMETIC[op];
      if (other && !isText(node)) yield operator('arithmetic', node, text, other);
      return;
    }
    case 'AssignmentExpression':
      if (ARITHMETIC[op] && !isText(field(node, 'right')))
        yield operator('arithmetic', node, text, ARITHMETIC[op]);
      return;
    case 'LogicalExpression':
      // Beside each other, && and ?? are no JavaScript without brackets.
      if (LOGIC[op])
        yield {
          kind: 'boolean',
          start,
          end,
          text: `((${text.of(field(node, 'left')!)}) ${LOGIC[op]} (${text.of(field(node, 'right')!)}))`,
        };
      return;
    case 'UnaryExpression':
      if (op === '!') yield { kind: 'boolean', start, end, text: text.of(field(node, 'argument')!) };
      if (op === '-' && !(field(node, 'argument')?.['value'] === 1))
        yield { kind: 'arithmetic', start, end, text: text.of(field(node, 'argument')!) };
      return;
    case 'UpdateExpression':
      yield { kind: 'arithmetic', start, end, text: text.of(node).replace(op, op === '++' ? '--' : '++') };
      return;
    case 'IfStatement':
    case 'ConditionalExpression':
      yield* conditionEdits(field(node, 'test'), false);
      return;
    case 'WhileStatement':
    case 'ForStatement':
      yield* conditionEdits(field(node, 'test'), true);
      return;
    case 'Literal': {
      const other = constant(node);
      if (other !== undefined) yield { kind: 'constant', start, end, text: other };
      if (typeof node['value'] === 'string' && node['value'] !== '')
        yield { kind: 'string', start, end, text: "''" };
      return;
    }
    case 'TemplateLiteral':
      yield { kind: 'string', start, end, text: '``' };
      return;
    case 'ExpressionStatement':
      if (!['Literal'].includes(field(node, 'expression')?.type ?? ''))
        yield { kind: 'statement', start, end, text: ';' };
      return;
    case 'CallExpression': {
      const callee = text.of(field(node, 'callee')!);
      const by = of(CALLS, callee) ?? of(CALLS, nameOf(field(node, 'callee')));
      const name = field(field(node, 'callee')!, 'property');
      if (of(CALLS, callee)) yield { kind: 'value', ...spot(field(node, 'callee')!), text: by! };
      else if (by && name) yield { kind: 'value', ...spot(name), text: by };
      if (nameOf(name) === 'filter')
        yield { kind: 'value', start: field(field(node, 'callee')!, 'object')!.end, end, text: '' };
      const [given] = list(node, 'arguments');
      if (ASSIGNING.has(callee) && given?.type === 'ObjectExpression')
        for (const property of list(given, 'properties')) yield text.element('action', property);
      return;
    }
    case 'ArrowFunctionExpression':
    case 'FunctionDeclaration':
    case 'FunctionExpression':
      yield* bodyEdits(node, above);
      return;
  }
}

const spot = ({ start, end }: Node) => ({ start, end });

/** A function that does nothing, or whose value is nothing. */
function* bodyEdits(node: Node, above: Above): Generator<Edit> {
  const body = field(node, 'body');
  if (!body || above[0]?.['kind'] === 'constructor') return;
  if (body.type === 'BlockStatement') {
    if (list(body, 'body').length > 0) yield { kind: 'value', ...spot(body), text: '{}' };
  } else {
    const inner = body.type === 'ParenthesizedExpression' ? field(body, 'expression')! : body;
    if (WHOLE.has(inner.type)) yield { kind: 'value', ...spot(body), text: 'undefined' };
  }
}
