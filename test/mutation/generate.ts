/** All mutants of a source file, but for those that could not be noticed by rule. */
import { readFileSync } from 'node:fs';
import { type Edit, type Mutant, mutantsOf } from './mutant.ts';
import { chartEdits, isChartName } from './mutate-chart.ts';
import { codeEdits, textOf } from './mutate-code.ts';
import { type Above, type Node, nameOf, parse, walk } from './tree.ts';

export const ROOT = new URL('../../', import.meta.url);
export const read = (file: string): string => readFileSync(new URL(file, ROOT), 'utf8');

/** What is under such a property is for people, for the compiler, or against what does not happen. */
const EXEMPT_PROPERTIES = new Set(['description', 'types', 'options']);

/** Functions that make actors which only say that they are not provided. */
const STAND_INS = new Set(['helper', 'notProvided']);

/**
 * No mutants here:
 * - what only people read: descriptions, messages, texts of errors;
 * - types, and their stand-ins `{} as T` in `setup({ types })`;
 * - `options: { maxIterations }`, the net under endless loops, which test/architecture asks for;
 * - an actor that every user replaces, and that says so: `Promise.reject(new Error('… is not provided'))`;
 * - names of ids: a chart that is addressed by another one does not load.
 */
function isExempt(node: Node, text: string): boolean {
  if (node.type === 'ImportDeclaration' || node.type === 'ExportAllDeclaration') return true;
  if (node.type === 'Property' && nameOf(node) === 'message')
    return /^(Template)?Literal$/.test((node['value'] as Node).type);
  if (node.type === 'Property') return EXEMPT_PROPERTIES.has(nameOf(node));
  if (node.type === 'NewExpression') return /Error$/.test(nameOf(node['callee'] as Node));
  if (node.type === 'VariableDeclarator') return STAND_INS.has(nameOf(node['id'] as Node));
  if (node.type === 'CallExpression' && STAND_INS.has(nameOf(node['callee'] as Node))) return true;
  if (node.type === 'CallExpression')
    return (
      /^(fromPromise|fromCallback)\b/.test(text.slice(node.start, node.end)) &&
      /is not provided'/.test(text.slice(node.start, node.end))
    );
  return false;
}

/** Keys of objects and what an export is from are no values. */
const isKey = (node: Node, above: Above): boolean =>
  (above[0]?.type === 'Property' && above[0]['key'] === node && above[0]['value'] !== node) ||
  (above[0] !== undefined && above[0]['source'] === node);

/** A name in a chart, or `reenter: true`, which is dropped as a whole. */
const isChartWord = (node: Node, above: Above): boolean =>
  typeof node['value'] === 'string' ? isChartName(above) : nameOf(above[0]) === 'reenter';

/** Mutants of this text, as the file of that path: a chart where it lies in `machines/`, and not below. */
export function generate(file: string, source: string): Mutant[] {
  const isChart = /^machines\/[^/]+$/.test(file);
  const text = textOf(source);
  const edits: Edit[] = [];
  walk(parse(file, source).program, (node, above) => {
    if (isExempt(node, source)) return false;
    if (isKey(node, above)) return false;
    if (isChart) edits.push(...chartEdits(node, above, text));
    if (!(isChart && node.type === 'Literal' && isChartWord(node, above)))
      edits.push(...codeEdits(node, above, text));
    return true;
  });
  return mutantsOf(file, source, edits);
}
