/** Values that nobody should give, and what every refusal must be like. */
import fc from 'fast-check';
import { ConfigurationError } from '../../src/errors.ts';
import { Wrong } from './campaign.ts';

/** Stands where a secret may be, and must never be shown. */
export const CANARY = 'c4n4ry-s3cr3t';

export const NUMBERS = [
  0,
  -0,
  1,
  -1,
  1.5,
  0.1,
  2,
  500,
  1024,
  1025,
  100_000,
  100_001,
  1_000_000,
  1_000_001,
  2 ** 31 - 2,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  315_619_200_000,
  315_619_200_001,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  8.64e15,
  8.64e15 + 1,
  1e300,
  Number.MIN_VALUE,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
]; // prettier-ignore
export const TEXTS = [
  '',
  ' ',
  '0',
  '1',
  '5s',
  'all',
  'ALL',
  'never',
  'BTCUSDT',
  'btcusdt',
  'ethusdt',
  '币安人生USDT',
  'ß',
  'ı',
  'a b',
  '../../x',
  'A'.repeat(30),
  'A'.repeat(31),
  'A'.repeat(100_000),
  '1m',
  '1M',
  '1mo',
  '1H',
  'mainnet',
  'simulator',
  'custom',
  '__proto__',
  'constructor',
  'toString',
  '\0',
  'a\0b',
  '\u001b[31mred',
  'two\nlines',
  '\u2028',
  '\u202eevil',
  '\ud800',
  "x'; DROP TABLE candles--",
  'https://user:pass@host',
  'data/x.db',
  ':memory:',
  'file:x',
  'x.csv',
  'x.PARQUET',
]; // prettier-ignore

const names = fc.oneof(
  fc.constantFrom(...TEXTS, 'wsUrl', 'apiKye', 'baseMs'),
  fc.string({ unit: 'binary', maxLength: 6 }),
);

/** Anything that a program can hand over: also what has no JSON. */
export const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, false, ...NUMBERS, ...TEXTS),
  fc.constantFrom<unknown>(
    [],
    {},
    [[]],
    Symbol('s'),
    Symbol.iterator,
    1n,
    2n ** 70n,
    new Date(0),
    new Date(Number.NaN),
    /x/u,
    new Map(),
    new URL('https://h'),
    new Uint8Array(3),
    () => 1,
    class {},
    new Error('x'),
    Promise.resolve(),
    Object.create(null),
    new AbortController().signal,
    globalThis.console,
  ),
  fc.anything({
    key: names,
    maxDepth: 2,
    maxKeys: 4,
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
  }),
); // prettier-ignore

/** Mostly right values, else any. */
export const mostly = (right: readonly unknown[], rightShare = 8): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: fc.constantFrom(...right), weight: rightShare }, { arbitrary: odd, weight: 1 });

const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/u;
const MESSAGE_MAX = 4_000;

/**
 * What is thrown is the one error of ours: it lists something, on one line, short, without a secret. `mayShow`: what
 * stands for a secret was given where none is expected.
 */
export function asRefusal(error: unknown, mayShow = false): ConfigurationError {
  if (!(error instanceof ConfigurationError)) throw error;
  if (error.code !== 'CONFIGURATION' || error.issues.length === 0)
    throw new Wrong('a refusal that names nothing');
  for (const { option, given, allowed } of error.issues) {
    if (option === '' || given === '' || allowed === '') throw new Wrong('an issue without words');
    const text = `${option} ${given} ${allowed}`;
    if (UNPRINTABLE.test(text))
      throw new Wrong(`a refusal that shows what can not be shown: ${JSON.stringify(text)}`);
    if (text.length > MESSAGE_MAX)
      throw new Wrong(`a refusal of ${text.length} characters: ${text.slice(0, 100)}`);
  }
  if (!mayShow && error.message.includes(CANARY)) throw new Wrong(`a secret is shown: ${error.message}`);
  return error;
}

/** Runs a reader: what it gives, or the refusal. */
export function outcomeOf<Result>(read: () => Result): { value: Result } | { refusal: ConfigurationError } {
  try {
    return { value: read() };
  } catch (error) {
    return { refusal: asRefusal(error) };
  }
}
