/** Fuzzing of what is asked of the past: a load of history, and a question for candles. */
import fc from 'fast-check';
import { INTERVALS, type Interval, isAligned } from '../../machines/model/interval.ts';
import { resolveHistoryOptions } from '../../src/options.history.ts';
import { resolveQuery } from '../../src/options.query.ts';
import { type ValuesPart, type Verdict, Wrong } from './campaign.ts';
import { CANARY, mostly, NUMBERS, odd, outcomeOf } from './odd-values.ts';

type Fields = Record<string, unknown>;

const YEAR_10000 = 253_402_300_800_000;
const MOMENTS = [
  0,
  1,
  1_735_689_600_000,
  1_738_368_000_000,
  1_738_368_000_001,
  new Date(1_735_689_600_000),
  YEAR_10000 - 1,
  YEAR_10000,
  ...NUMBERS,
]; // prettier-ignore

const isMoment = (value: unknown): boolean => {
  const ms = value instanceof Date ? value.getTime() : value;
  return typeof ms === 'number' && Number.isInteger(ms) && ms >= 0 && ms < YEAR_10000;
};
const isSymbol = (value: unknown): boolean =>
  typeof value === 'string' && /^[\p{L}\p{N}_]{1,30}$/u.test(value) && value.toLowerCase() !== 'all';
const isInterval = (value: unknown): boolean => INTERVALS.some((interval) => interval === value);
const isSource = (value: unknown): boolean =>
  [undefined, 'auto', 'vision', 'rest'].includes(value as undefined);
const isToggle = (value: unknown): boolean => value === undefined || typeof value === 'boolean';

/** What both may be told, and is wrong by itself. */
const RULES: Readonly<Record<string, (value: unknown) => boolean>> = {
  symbol: isSymbol,
  interval: isInterval,
  from: isMoment,
  to: isMoment,
  source: isSource,
};
const LOAD_RULES: typeof RULES = { ...RULES, replace: isToggle, noCache: isToggle, dryRun: isToggle };

const common = {
  symbol: mostly(['BTCUSDT', 'btcusdt', '币安人生USDT']),
  interval: mostly(INTERVALS, 30),
  from: mostly(MOMENTS, 20),
  to: mostly(MOMENTS, 20),
  source: mostly([undefined, 'auto', 'vision', 'rest'], 20),
};
const url = mostly(['https://h', 'http://127.0.0.1:1', 'http://h', `https://u:${CANARY}@h`]);
const more = {
  network: fc.oneof(
    mostly(['mainnet', 'testnet', 'simulator']),
    fc.record({ wsUrl: url, restUrl: url, visionUrl: url }, { requiredKeys: [] }),
  ),
  origin: mostly(['simulator', 'testnet', 'mainnet', 'custom']),
  store: mostly(['x.db']),
  out: mostly(['x.csv', 'x.PARQUET', 'x.txt']),
  replace: mostly([true, false]),
  cacheDir: mostly(['c']),
  noCache: mostly([true, false]),
  cacheMaxBytes: mostly([0, 1e9]),
  archiveDir: mostly(['a']),
  dryRun: mostly([true, false]),
  stopTimeoutMs: mostly([1, 5_000]),
  timeScale: mostly([1, 60]),
  apiKye: mostly([CANARY, [CANARY]]),
}; // prettier-ignore

const loads = fc.oneof(
  {
    arbitrary: fc.record({ ...common, ...more }, { requiredKeys: ['symbol', 'interval', 'from', 'to'] }),
    weight: 10,
  },
  { arbitrary: fc.record(common, { requiredKeys: ['symbol', 'interval', 'from', 'to'] }), weight: 10 },
  { arbitrary: odd, weight: 1 },
);

function checkNamed(input: unknown, rules: typeof RULES, told: readonly string[]): void {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return;
  for (const [name, rule] of Object.entries(rules))
    if (!rule((input as Fields)[name]) && !told.includes(name))
      throw new Wrong(`${name} is wrong and not named`);
}

function checkRange({ from, to, interval }: { from: number; to: number; interval: Interval }): void {
  const isRange = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from <= to;
  if (!isRange) throw new Wrong(`a range from ${from} to ${to}`);
  if (!isAligned(interval, from) || !isAligned(interval, to))
    throw new Wrong('a range that begins or ends within a bar');
}

function checkLoad(input: unknown): Verdict {
  const got = outcomeOf(() => resolveHistoryOptions(input));
  const told = 'refusal' in got ? got.refusal.issues.map(({ option }) => option) : [];
  checkNamed(input, LOAD_RULES, told);
  if ('refusal' in got) return 'refused';
  const { value } = got;
  checkRange(value);
  if (value.from === value.to) throw new Wrong('a range without a bar');
  const given = input as Fields;
  if (given['store'] !== undefined && given['out'] !== undefined) throw new Wrong('bars go to two places');
  if (value.source === 'rest' && value.visionUrl !== undefined) throw new Wrong('the archive is asked');
  if (value.source === 'vision' && value.restUrl !== undefined) throw new Wrong('REST is asked');
  if (given['noCache'] === true && value.cacheDir !== undefined) throw new Wrong('a cache is kept');
  const isReal = value.origin === 'mainnet' || value.origin === 'testnet';
  if (isReal && given['archiveDir'] === undefined && value.timeScale !== 1)
    throw new Wrong('real time is scaled');
  return 'accepted';
}

function checkQuestion(input: unknown): Verdict {
  const got = outcomeOf(() => resolveQuery(input));
  checkNamed(input, RULES, 'refusal' in got ? got.refusal.issues.map(({ option }) => option) : []);
  if ('refusal' in got) return 'refused';
  checkRange(got.value);
  const bars = (got.value.to - got.value.from) / 60_000;
  if (got.value.interval === '1m' && bars > 1_000_000) throw new Wrong(`${bars} bars at once`);
  return 'accepted';
}

const part = (name: string, values: fc.Arbitrary<unknown>, check: ValuesPart['check']): ValuesPart => ({
  target: 'configuration',
  kind: 'values',
  name,
  share: 150,
  values,
  check,
});

export const historyOptionsPart = (): ValuesPart => part('history options', loads, checkLoad);
export const queryPart = (): ValuesPart =>
  part(
    'query',
    fc.oneof(
      { arbitrary: fc.record(common, { requiredKeys: ['symbol', 'interval', 'from', 'to'] }), weight: 30 },
      { arbitrary: odd, weight: 1 },
    ),
    checkQuestion,
  ); // prettier-ignore
