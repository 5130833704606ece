/** The sources of the house, and how they are read: comments and strings blanked out, imports listed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Path within the repository → its text. */
export type Sources = ReadonlyMap<string, string>;

export function filesBelow(folder: string, extension: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(extension))
    .map((path) => posix.join(folder, path.replaceAll('\\', '/')))
    .sort();
}

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/**
 * The source with every comment blanked out, and every string and regular expression too when `strings` says so. Length and
 * line breaks stay, so an index means the same place. Code inside `${…}` stays visible.
 */
export function blanked(source: string, strings: boolean): string {
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`|\$\{|[{}]|(?<=(?:^|[=(,:;!&|?{}[+>]|\breturn)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*/gm;
  const out = source.split('');
  const blank = (from: number, to: number): void => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' ';
  };
  // Depth of braces per open `${`; while the last entry is 'text' we are between backticks.
  const stack: (number | 'text')[] = [];
  let at = 0;
  while (at < source.length) {
    if (stack.at(-1) === 'text') {
      const rest = /\\[\s\S]|`|\$\{/g;
      rest.lastIndex = at;
      const end = rest.exec(source);
      const stop = end?.index ?? source.length;
      if (strings) blank(at, stop);
      if (!end) break;
      at = stop + end[0].length;
      if (end[0] === '`') stack.pop();
      else if (end[0] === '${') stack.push(0);
      else if (strings) blank(stop, at);
      continue;
    }
    token.lastIndex = at;
    const found = token.exec(source);
    if (!found) break;
    const [text] = found;
    at = found.index + text.length;
    const depth = stack.at(-1);
    if (text === '`') stack.push('text');
    else if (text === '{' && typeof depth === 'number') stack[stack.length - 1] = depth + 1;
    else if (text === '}' && typeof depth === 'number') {
      if (depth === 0) stack.pop();
      else stack[stack.length - 1] = depth - 1;
    } else if (text.startsWith('//') || text.startsWith('/*')) blank(found.index, at);
    else if (strings && text.length > 1) blank(found.index + 1, at - 1);
  }
  return out.join('');
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** `import type`: gone at run time. */
  readonly typeOnly: boolean;
  /** The names asked for, as far as they are spelled. */
  readonly statement: string;
}

export const lineOf = (source: string, index: number): number => source.slice(0, index).split('\n').length;

/** Everything a file pulls in: import and export … from, bare and dynamic imports, require, URLs beside the module. */
export function importsOf(source: string): Import[] {
  const code = blanked(source, false);
  const bare = blanked(source, true);
  const patterns = [
    /\b(?:import|export)\s+(type\s+(?!from\b))?(?:[\w$*\s{},]*?\bfrom\s*)?['"]([^'"\n]+)['"]/g,
    /\bimport\s*\(\s*()['"`]([^'"`\n]+)['"`]/g,
    /\brequire\s*\(\s*()['"`]([^'"`\n]+)['"`]/g,
    /\bnew\s+URL\s*\(\s*()['"`]([^'"`\n]+)['"`]\s*,\s*import\.meta\.url/g,
    // A dynamic import of something that is no literal cannot be judged: it is reported as what it is.
    /\b(import)\s*\(\s*(?!['"`\s])([^)]*)/g,
  ];
  return patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)]
      .filter((match) => bare[match.index] !== ' ') // not inside a string
      .map((match) => ({
        specifier: match[1] === 'import' ? `(${match[2]})` : (match[2] ?? ''),
        line: lineOf(source, match.index),
        typeOnly: match[1]?.startsWith('type') ?? false,
        statement: match[0],
      })),
  );
}
