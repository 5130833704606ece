/** TypeScript as a tree, as vite's parser gives it: walked with the way down to each node, types left out. */
import { parseSync } from 'vite';

export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** The nodes above one, the nearest first. */
export type Above = readonly Node[];

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** Fields that hold types alone: gone at run time. */
const TYPES = new Set([
  'typeAnnotation',
  'typeParameters',
  'typeArguments',
  'returnType',
  'superTypeArguments',
]);
/** What TypeScript writes around an expression that stays. */
const AROUND = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression']);

/** Calls `visit` for each node that is there at run time, outermost first; below a node only when it answers true. */
export function walk(node: Node, visit: (node: Node, above: Above) => boolean, above: Above = []): void {
  if (node.type.startsWith('TS') && !AROUND.has(node.type)) return;
  if (!visit(node, above)) return;
  for (const [field, value] of Object.entries(node)) {
    if (TYPES.has(field)) continue;
    for (const child of Array.isArray(value) ? value : [value])
      if (isNode(child)) walk(child, visit, [node, ...above]);
  }
}

export interface Parsed {
  readonly program: Node;
  /** What the file imports at run time, as written. */
  readonly imports: readonly string[];
}

/** Throws when the text is no TypeScript. */
export function parse(file: string, text: string): Parsed {
  const { program, module, errors } = parseSync(file, text);
  const [error] = errors;
  if (error !== undefined) throw new SyntaxError(`${file}: ${error.message}`);
  const asked = module.staticImports
    .filter(({ entries }) => entries.length === 0 || entries.some((entry) => !entry.isType))
    .map(({ moduleRequest }) => moduleRequest.value);
  const passed = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest, isType }) => (moduleRequest && !isType ? [moduleRequest.value] : [])),
  );
  const dynamic = module.dynamicImports.map(({ moduleRequest: { start, end } }) =>
    text.slice(start + 1, end - 1),
  );
  return { program: program as unknown as Node, imports: [...new Set([...asked, ...passed, ...dynamic])] };
}

/** Name of a property or of what is called, where it is spelled out. */
export function nameOf(node: Node | undefined): string {
  const key = node?.['key'] ?? node?.['property'] ?? node;
  if (!isNode(key)) return '';
  return String(key['name'] ?? key['value'] ?? '');
}
