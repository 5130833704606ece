/** Readers of single values: text from the command line or the environment, or JSON from a file. */
import { isIP } from 'node:net';

/** A value that won't do. The message says what is allowed. */
export class Refused extends Error {}

/** Turns what was given into a value, or throws {@link Refused}. */
export type Reader<T> = (given: unknown) => T;

const refuse = (allowed: string): never => {
  throw new Refused(allowed);
};

export const text =
  (what: string): Reader<string> =>
  (given) =>
    typeof given === 'string' && given.trim() !== '' ? given : refuse(what);

/** A name of a host, or an address, IPv6 in brackets or without: no URL, and no port. */
export const host: Reader<string> = (given) => {
  const isOne =
    typeof given === 'string' &&
    (isIP(given.replace(/^\[(.*)\]$/, '$1')) !== 0 || /^[a-z0-9_](?:[a-z0-9_.-]{0,252})$/iu.test(given));
  return isOne ? given : refuse('a host name or address, without a port');
};

/** `A,B,C`; in a file also an array. Blanks around commas do no harm, empty items do. */
export const list =
  (example: string): Reader<readonly string[]> =>
  (given) => {
    const allowed = `a list with commas and no empty items, as ${example}`;
    const items: unknown[] =
      typeof given === 'string' ? given.split(',') : Array.isArray(given) ? given : refuse(allowed);
    const names = items.map((item) => (typeof item === 'string' ? item.trim() : ''));
    return names.length === 0 || names.includes('') ? refuse(allowed) : names;
  };

export const oneOf =
  <T extends string>(...words: readonly T[]): Reader<T> =>
  (given) =>
    words.find((word) => word === given) ??
    refuse(words.length === 1 ? `only ${words[0]}` : `one of ${words.join(', ')}`);

/** A decimal number; no exponents, no blanks, no hexadecimals. */
function decimal(given: unknown): number {
  if (typeof given === 'number') return given;
  return typeof given === 'string' && /^-?\d{1,20}(?:\.\d{1,20})?$/u.test(given) ? Number(given) : Number.NaN;
}

export const number =
  (allowed: string, fits: (value: number) => boolean): Reader<number> =>
  (given) => {
    const value = decimal(given);
    return Number.isFinite(value) && fits(value) ? value : refuse(allowed);
  };

export const wholeNumber = (min: number, max: number): Reader<number> =>
  number(
    `a whole number from ${min} to ${max}`,
    (value) => Number.isSafeInteger(value) && value >= min && value <= max,
  );

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time with its unit, in ms. `limit` is how the longest one is written. */
export const duration =
  (examples: string, maxMs: number, limit: string): Reader<number> =>
  (given) => {
    const allowed = `a time with its unit (ms, s, m, h or d), as ${examples}; at most ${limit}`;
    const match = typeof given === 'string' ? /^(\d{1,15}(?:\.\d{1,6})?)(ms|s|m|h|d)$/u.exec(given) : null;
    const value = Math.round(Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ''] ?? Number.NaN));
    return value >= 1 && value <= maxMs ? value : refuse(allowed);
  };

/** Given or not; `true` and `false` in a file or the environment. */
export const toggle: Reader<boolean> = (given) => {
  if (given === true || given === 'true' || given === '1') return true;
  if (given === false || given === 'false' || given === '0') return false;
  return refuse('true or false');
};
