/** A mutant: one small change of one source file that a test ought to notice. */
import { createHash } from 'node:crypto';

/** What is changed, by the name that the report uses. */
export type Kind =
  | 'guard'
  | 'target'
  | 'transition'
  | 'action'
  | 'invoke'
  | 'delay'
  | 'state'
  | 'condition'
  | 'comparison'
  | 'boolean'
  | 'arithmetic'
  | 'constant'
  | 'string'
  | 'statement'
  | 'value';

/** Another text in the place of what stands from `start` to `end`. */
export interface Edit {
  readonly kind: Kind;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Mutant extends Edit {
  /** Path from the repository's root. */
  readonly file: string;
  readonly line: number;
  /** The change in words. */
  readonly change: string;
  /** The line that it is on, trimmed. */
  readonly on: string;
  /** The same for the same change of the same line, wherever the line has moved to. */
  readonly key: string;
}

const SHOWN_MAX = 60;
const shown = (text: string): string => {
  const flat = text.replace(/\s+/g, ' ').trim();
  if (flat === '') return 'nothing';
  return flat.length > SHOWN_MAX ? `${flat.slice(0, SHOWN_MAX)}…` : flat;
};

/** Edits as mutants, in the order of the file, each change once. */
export function mutantsOf(file: string, source: string, edits: readonly Edit[]): Mutant[] {
  const times = new Map<string, number>();
  const seen = new Set<string>();
  const mutants: Mutant[] = [];
  for (const edit of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    const before = source.slice(edit.start, edit.end);
    const id = `${edit.start} ${edit.end} ${edit.text}`;
    if (before === edit.text || seen.has(id)) continue;
    seen.add(id);
    const head = source.slice(0, edit.start);
    const on = (/[^\n]*$/.exec(head)?.[0] ?? '')
      .concat(/^[^\n]*/.exec(source.slice(edit.start))?.[0] ?? '')
      .trim();
    const change = `${edit.kind}: ${shown(before)} → ${shown(edit.text)}`;
    const name = `${file}|${on}|${change}`;
    const nth = times.get(name) ?? 0;
    times.set(name, nth + 1);
    const key = createHash('sha256').update(`${name}|${nth}`).digest('hex').slice(0, 12);
    mutants.push({ ...edit, file, line: head.split('\n').length, change, on, key });
  }
  return mutants;
}

export const mutated = (source: string, { start, end, text }: Pick<Edit, 'start' | 'end' | 'text'>): string =>
  source.slice(0, start) + text + source.slice(end);
