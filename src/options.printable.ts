/** How a value that was refused is shown: on one line, short, without secrets. */

const SECRET_NAME = /key|secret|token|signature|authorization|cookie|password/i;
const LONGEST = 80;

/** True when a value under this name must never be shown. */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

/** A URL without what may be secret in it: credentials, and all query values. */
export const maskUrl = (text: string): string =>
  text.replace(/\/\/[^/?#\s]*@/gu, '//***@').replace(/([?&][^=&#\s]*=)[^&#\s]*/gu, '$1***');

const escapeControls = (text: string): string =>
  text.replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

function printableText(text: string): string {
  const masked = maskUrl(text.slice(0, 1000));
  return escapeControls(JSON.stringify(masked.length > LONGEST ? `${masked.slice(0, LONGEST)}…` : masked));
}

/** A name as shown in an error message: as it is where it is a word, else as text. */
export const printableName = (name: string): string => (isWord(name) ? name : printableText(name));

const isWord = (name: string): boolean => name.length <= LONGEST && /^[\w$-]+$/u.test(name);

/** A value as shown in an error message. Objects show their keys alone. */
export function printable(value: unknown, name = ''): string {
  if (value === undefined) return 'nothing';
  if (value !== null && isSecretName(name)) return '***';
  if (typeof value === 'string') return printableText(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) {
    const shown = value.slice(0, 5).map((item) => (Array.isArray(item) ? '[…]' : printable(item)));
    return `[${shown.join(', ')}${value.length > 5 ? ', …' : ''}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const keys = Object.keys(value).slice(0, 5).map(printableName);
    return keys.length === 0 ? 'an object' : `an object with ${keys.join(', ')}`;
  }
  return typeof value === 'symbol' ? `a symbol ${printableText(value.description ?? '')}` : String(value);
}

/** As {@link printable}, for a name that nobody knows: its text could be a secret under a misspelled name. */
export function printableUnknown(value: unknown, name: string): string {
  if (isSecretName(name)) return printable(value, name);
  if (typeof value === 'string') return 'a text';
  return Array.isArray(value) ? 'a list' : printable(value, name);
}

/** How many letters must be changed, added or removed to turn one word into the other; case is free. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const changed = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

/** The word that was probably meant, or undefined when none is near. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  if (word.length > 40) return undefined;
  const given = word.toLowerCase();
  let best: string | undefined;
  let least = Math.max(2, Math.floor(given.length / 3)) + 1;
  for (const candidate of words) {
    const lower = candidate.toLowerCase();
    const away = lower.startsWith(given) && given.length > 2 ? 1 : distance(given, lower);
    if (away < least) {
      least = away;
      best = candidate;
    }
  }
  return best;
}
