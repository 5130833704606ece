/** What a source may not say: time, chance and ambient things outside their door, the venue's spelling, too many lines. */
import { mayUseTimers } from './imports.ts';
import { blanked, lineOf, type Sources } from './source.ts';

export const MAX_LINES = 350;

const IMPURE: readonly RegExp[] = [
  /\bDate\s*\.\s*now\b/g,
  /\bnew\s+Date\b(?!\s*\(\s*[^)\s])/g,
  /\bMath\s*\.\s*random\b/g,
  // As the name of a property these are just words.
  /(?<![.\w$])(?:setTimeout|setInterval|setImmediate|queueMicrotask|fetch|Buffer|globalThis)\b(?!\s*\??:)/g,
  /(?<![.\w$])(?:performance|process|console)\b(?!\s*\??:)/g,
];
const AMBIENT: readonly RegExp[] = [
  /\bDate\s*\.\s*now\b/g,
  /\bMath\s*\.\s*random\b/g,
  /(?<![.\w$])performance\s*\.\s*now\b/g,
  /(?<![.\w$])(?:setTimeout|setInterval)\s*\(/g,
  /\bglobalThis\s*\.\s*(?:setTimeout|setInterval|performance|Date|Math)\b/g,
];
const VENUE = /fstream\.binance|fapi\.binance|\/fapi\/v1\/|\/market\/stream/g;

/** `setTimeout(callback: …): Timer` declares a method of that name; only a call takes the time. */
function isDeclaration(code: string, index: number): boolean {
  if (/\bfunction\s+$/.test(code.slice(0, index))) return true;
  let depth = 0;
  for (let i = code.indexOf('(', index); i >= 0 && i < code.length; i++) {
    if (code[i] === '(') depth++;
    if (code[i] === ')' && --depth === 0) return /^\s*[:{]/.test(code.slice(i + 1));
  }
  return false;
}

function hits(file: string, code: string, patterns: readonly RegExp[], rule: string): string[] {
  return patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)]
      .filter(({ 0: text, index }) => !(text.endsWith('(') && isDeclaration(code, index)))
      .map(({ 0: text, index }) => `${file}:${lineOf(code, index)}: ${text.replace(/\s*\($/, '')} ${rule}`),
  );
}

export function purityOffences(sources: Sources): string[] {
  return [...sources].flatMap(([file, source]) => {
    const code = blanked(source, true);
    if (file.startsWith('machines/')) return hits(file, code, IMPURE, 'in a machine, which must be pure');
    return mayUseTimers(file) ? [] : hits(file, code, AMBIENT, 'comes only through src/transport/clock.ts');
  });
}

export function venueOffences(sources: Sources): string[] {
  return [...sources]
    .filter(([file]) => file !== 'src/binance/venue.ts')
    .flatMap(([file, source]) =>
      hits(file, blanked(source, false), [VENUE], 'is spelled only in src/binance/venue.ts'),
    );
}

export function lengthOffences(sources: Sources): string[] {
  return [...sources].flatMap(([file, source]) => {
    const lines = source.replace(/\n$/, '').split('\n').length;
    return lines > MAX_LINES ? [`${file}:${lines}: longer than ${MAX_LINES} lines`] : [];
  });
}
