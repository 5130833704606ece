/** Fuzzing of the collector's options against a table of what each may be, written from the documentation. */
import fc from 'fast-check';
import { INTERVALS } from '../../machines/model/interval.ts';
import { resolveOptions } from '../../src/options.ts';
import { type ValuesPart, type Verdict, Wrong } from './campaign.ts';
import { CANARY, mostly, odd, outcomeOf } from './odd-values.ts';

type Fields = Record<string, unknown>;
type Rule = (value: unknown) => boolean;

const TIMER_MAX = 2_147_483_647;
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** Also those that it inherits, as an AbortSignal in place of the options does. */
function namesIn(value: Fields): string[] {
  const names = new Set(Object.keys(value));
  for (const name in value) names.add(name);
  return [...names];
}
const whole =
  (least: number, most: number): Rule =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
const duration = whole(1, TIMER_MAX);
const isOneOf =
  (...words: readonly unknown[]): Rule =>
  (value) =>
    words.includes(value);
const hasAll =
  (...names: readonly string[]): Rule =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof Reflect.get(value, name) === 'function');
const isText: Rule = (value) => typeof value === 'string' && value !== '';
const isPath: Rule = (value) => typeof value === 'string' && /\S/u.test(value) && !value.includes('\0');
const isFunction: Rule = (value) => typeof value === 'function';
const maybe =
  (rule: Rule): Rule =>
  (value) =>
    value === undefined || rule(value);

const raised = (text: string): string =>
  [...text].map((letter) => (letter >= 'a' && letter <= 'z' ? letter.toUpperCase() : letter)).join('');
const isSymbol: Rule = (value) =>
  typeof value === 'string' && /^[\p{L}\p{N}_]{1,30}$/u.test(value) && value.toLowerCase() !== 'all';
const isListOf =
  (rule: Rule, same: (item: string) => string): Rule =>
  (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    Array.from(value).every(rule) &&
    new Set(value.map(same)).size === value.length;

const WS_URLS = [
  'wss://host.example',
  'ws://127.0.0.1:8080',
  'ws://localhost:1',
  'ws://[::1]:9',
  'wss://h:1/',
];
const WEB_URLS = ['https://host.example', 'http://127.0.0.1:8080', 'http://localhost', 'https://h/'];
const WRONG_URLS = [
  'ws://host.example',
  'http://host.example',
  'ftp://127.0.0.1',
  'https://u:p@host',
  'https://@host',
  'wss://host/path',
  'https://host/?',
  'https://host#x',
  'https://',
  'host',
  'wss://ho st',
  'file:///x',
  'javascript:alert(1)',
  'http://127.0.0.1.evil.example',
  'http://0.0.0.0',
]; // prettier-ignore

/** Exactly these names, each as its rule says. */
const isExactly =
  (rules: Readonly<Record<string, Rule>>): Rule =>
  (value) =>
    isObject(value) &&
    namesIn(value).every((name) => Object.hasOwn(rules, name)) &&
    Object.entries(rules).every(([name, rule]) => rule(value[name]));

const isNetwork: Rule = (value) =>
  isOneOf('mainnet', 'testnet', 'simulator')(value) ||
  isExactly({
    wsUrl: isOneOf(...WS_URLS),
    restUrl: isOneOf(...WEB_URLS),
    visionUrl: maybe(isOneOf(...WEB_URLS)),
  })(value);

const TIMES =
  'openTimeoutMs ackTimeoutMs proofDelayMs proofSpacingMs proofDeadlineMs pingIntervalMs pongTimeoutMs silenceMs stableMs rotateMs rotateSpreadMs overlapMs'.split(
    ' ',
  ); // prettier-ignore
const durations = (names: readonly string[]): Record<string, Rule> =>
  Object.fromEntries(names.map((name) => [name, maybe(duration)]));
const isTiming = isExactly({
  ...durations(TIMES),
  backoff: maybe(isExactly(durations(['baseMs', 'maxMs', 'slowMs']))),
});

/** What each option may be, and its default. */
const RULES: Readonly<Record<string, { rule: Rule; default?: unknown }>> = {
  symbols: { rule: (value) => value === 'all' || isListOf(isSymbol, raised)(value) },
  intervals: { rule: isListOf(isOneOf(...INTERVALS), (item) => item) },
  network: { rule: maybe(isNetwork) },
  origin: { rule: maybe(isOneOf('simulator', 'testnet', 'mainnet', 'custom')) },
  bufferSize: { rule: maybe(whole(1, 100_000)), default: 500 },
  store: {
    rule: maybe((value) => isPath(value) && value !== ':memory:' && !(value as string).startsWith('file:')),
  },
  cacheDir: { rule: maybe(isPath) },
  connectTimeoutMs: { rule: maybe((value) => value === 'never' || duration(value)), default: 10_000 },
  pingIntervalMs: { rule: maybe(duration), default: 20_000 },
  pongTimeoutMs: { rule: maybe(duration), default: 5_000 },
  stopTimeoutMs: { rule: maybe(duration), default: 5_000 },
  timeScale: { rule: maybe((value) => typeof value === 'number' && value > 0 && value <= 100_000) },
  backfillMs: { rule: maybe(whole(0, 3_653 * 86_400_000)), default: 0 },
  queueSize: { rule: maybe(whole(1, 1_000_000)), default: 10_000 },
  streamsPerSocket: { rule: maybe(whole(1, 1_024)), default: 200 },
  symbolsPollMs: { rule: maybe(duration), default: 300_000 },
  timing: { rule: maybe(isTiming) },
  logger: { rule: maybe(hasAll('debug', 'info', 'warn', 'error')) },
  signal: { rule: maybe((value) => value instanceof AbortSignal) },
  inspect: { rule: maybe(isFunction) },
  clock: { rule: maybe(hasAll('now', 'wallNow', 'setTimeout', 'clearTimeout')) },
  random: { rule: maybe(isFunction) },
  apiKey: { rule: maybe(isText) },
  apiSecret: { rule: maybe(isText) },
};

const DURATIONS = [1, 250, 5_000, TIMER_MAX];
const urls = fc.record(
  {
    wsUrl: mostly([...WS_URLS, ...WRONG_URLS]),
    restUrl: mostly([...WEB_URLS, ...WEB_URLS, ...WRONG_URLS]),
    visionUrl: mostly([...WEB_URLS, ...WRONG_URLS]),
  },
  { requiredKeys: ['wsUrl', 'restUrl'] },
);
const rightUrls = fc.record({ wsUrl: fc.constantFrom(...WS_URLS), restUrl: fc.constantFrom(...WEB_URLS) });
const timing = fc.dictionary(
  fc.constantFrom(...TIMES, 'backoff', 'pingMs', '__proto__'),
  fc.oneof(mostly(DURATIONS), fc.record({ baseMs: mostly(DURATIONS) })),
  { maxKeys: 3 },
); // prettier-ignore
const symbolList = fc.array(
  mostly(['BTCUSDT', 'btcusdt', 'ETHUSDT', 'SOLUSDT', '币安人生USDT', 'BTCUSDT_260925'], 20),
  { minLength: 1, maxLength: 4 },
);

const DRAWN: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  symbols: fc.oneof(
    { arbitrary: fc.oneof(fc.constant('all'), symbolList), weight: 12 },
    { arbitrary: odd, weight: 1 },
  ),
  intervals: fc.oneof(
    { arbitrary: fc.uniqueArray(mostly(INTERVALS, 30), { minLength: 1, maxLength: 3 }), weight: 12 },
    { arbitrary: odd, weight: 1 },
  ),
  network: fc.oneof(
    { arbitrary: fc.constantFrom('mainnet', 'testnet', 'simulator'), weight: 4 },
    { arbitrary: rightUrls, weight: 3 },
    { arbitrary: urls, weight: 2 },
    { arbitrary: odd, weight: 1 },
  ),
  origin: mostly(['simulator', 'testnet', 'mainnet', 'custom']),
  timing: fc.oneof({ arbitrary: timing, weight: 4 }, { arbitrary: odd, weight: 1 }),
  timeScale: mostly([1, 60, 0.5, 100_000]),
  store: mostly(['data/x.db', 'x']),
  cacheDir: mostly(['data/archive']),
  connectTimeoutMs: mostly(['never', ...DURATIONS]),
  bufferSize: mostly([1, 500, 100_000]),
  queueSize: mostly([1, 1_000_000]),
  streamsPerSocket: mostly([1, 1_024]),
  backfillMs: mostly([0, 86_400_000]),
  signal: mostly([new AbortController().signal]),
  logger: mostly([console]),
  inspect: mostly([() => undefined]),
  random: mostly([() => 0.5]),
  clock: odd,
  apiKey: mostly([CANARY, [CANARY], { key: CANARY }]),
  apiSecret: mostly([CANARY]),
  // Nobody knows these.
  apiKye: mostly([CANARY, [CANARY], { key: CANARY }]),
  constructor: odd,
  '\u001b[31m\n': odd,
  ...Object.fromEntries(
    ['pingIntervalMs', 'pongTimeoutMs', 'stopTimeoutMs', 'symbolsPollMs'].map((name) => [
      name,
      mostly(DURATIONS),
    ]),
  ),
}; // prettier-ignore

/** Always symbols and intervals, mostly; and some of the others. */
const few = fc
  .subarray(Object.keys(DRAWN).slice(2), { maxLength: 6 })
  .chain((chosen) =>
    fc.record(
      Object.fromEntries(
        ['symbols', 'intervals', ...chosen].map((name) => [name, DRAWN[name] as fc.Arbitrary<unknown>]),
      ),
    ),
  ); // prettier-ignore
const inputs = fc.oneof({ arbitrary: few, weight: 30 }, { arbitrary: odd, weight: 1 });

/** What of options is right each by itself, and wrong together. */
function contradictions(input: Fields): string[] {
  const { network = 'mainnet', origin, timeScale } = input;
  const found: string[] = [];
  const isReal = network === 'mainnet' || network === 'testnet';
  if (isReal && typeof timeScale === 'number' && timeScale > 0 && timeScale !== 1) found.push('timeScale');
  const fits = isOneOf('mainnet', 'testnet', 'simulator')(network)
    ? origin === network
    : origin === 'custom' || origin === 'simulator';
  if (RULES['origin']?.rule(origin) && origin !== undefined && !fits) found.push('origin');
  return found;
}

/** `symbols[1]`, `timing.backoff.baseMs` → the option. */
const wholeOption = (option: string, names: readonly string[]): string =>
  names.find((name) => option === name || option.startsWith(`${name}[`) || option.startsWith(`${name}.`)) ??
  option;

function check(input: unknown): Verdict {
  const got = outcomeOf(() => resolveOptions(input));
  if (!isObject(input)) {
    if ('value' in got) throw new Wrong('what is no object of options is taken');
    return 'refused';
  }
  const names = Object.keys(RULES);
  const unknown = namesIn(input).filter((name) => !names.includes(name));
  const wrong = names.filter((name) => !RULES[name]?.rule(input[name]));
  const expected = new Set([...wrong, ...contradictions(input)]);
  if ('refusal' in got) {
    const told = new Set(got.refusal.issues.map(({ option }) => wholeOption(option, names)));
    for (const name of expected) if (!told.has(name)) throw new Wrong(`${name} is wrong and not named`);
    const more = [...told].filter((name) => !expected.has(name));
    if (more.length !== unknown.length) throw new Wrong(`named without being wrong: ${more.join()}`);
    if (expected.size + unknown.length === 0) throw new Wrong('right options are refused');
    return 'refused';
  }
  if (expected.size + unknown.length > 0)
    throw new Wrong(`taken, and wrong are ${[...expected, ...unknown].join()}`);
  checkMeaning(input, got.value as unknown as Fields);
  return 'accepted';
}

/** Each option means what was given, or its default. */
function checkMeaning(input: Fields, resolved: Fields): void {
  for (const [name, { default: usual }] of Object.entries(RULES)) {
    if (['network', 'timing', 'apiKey', 'apiSecret', 'origin', 'timeScale'].includes(name)) continue;
    const given = input[name] ?? usual;
    const right =
      name === 'symbols' && Array.isArray(given) ? given.map(raised) : given === 'never' ? undefined : given;
    if (JSON.stringify(resolved[name]) !== JSON.stringify(right) || typeof resolved[name] !== typeof right)
      throw new Wrong(`${name} means ${JSON.stringify(resolved[name])}`);
  }
  const { network = 'mainnet', timeScale } = input;
  const name = typeof network === 'string' ? network : 'custom';
  if (resolved['network'] !== name || resolved['origin'] !== (input['origin'] ?? name))
    throw new Wrong('another network');
  if (resolved['timeScale'] !== (timeScale ?? (name === 'simulator' ? 60 : 1)))
    throw new Wrong('another time scale');
  const waits = JSON.stringify(resolved['timing']);
  if (waits.includes('null')) throw new Wrong(`a wait that is no number: ${waits}`);
  if ('apiKey' in resolved || 'apiSecret' in resolved) throw new Wrong('a secret is kept');
}

export const optionsPart = (): ValuesPart => ({
  target: 'configuration',
  kind: 'values',
  name: 'options',
  share: 400,
  values: inputs,
  check,
});
