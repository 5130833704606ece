import { z } from 'zod';
import { DEFAULT_TIMING } from '../machines/connection.types.ts';
import { HOSTS, LIMITS } from './binance/venue.ts';
import { ConfigurationError, type ConfigurationIssue } from './errors.ts';
import * as fields from './options.fields.ts';
import { maskUrl, nearest, printable, printableName, printableUnknown } from './options.printable.ts';
import type { CollectorOptions, NetworkUrls, Origin, ResolvedOptions } from './options.types.ts';
import type { Clock, Logger, Random } from './ports.ts';

export { ALL, raiseAscii } from './options.fields.ts';
export { maskUrl, nearest, printable, printableUnknown } from './options.printable.ts';
export type {
  CollectorOptions,
  NetworkUrls,
  Origin,
  ResolvedOptions,
  TimingOverrides,
} from './options.types.ts';

/** Between two readings of the list of symbols, wall ms. */
const SYMBOLS_POLL_MS = 5 * 60_000;

/** Time scale of the embedded simulated exchange: a minute's bar each second. */
export const SIMULATOR_TIME_SCALE = 60;

const ORIGINS = ['simulator', 'testnet', 'mainnet', 'custom'] as const satisfies readonly Origin[];

const backoff = z.strictObject({
  baseMs: fields.duration.optional(),
  maxMs: fields.duration.optional(),
  slowMs: fields.duration.optional(),
});

const timing = z.strictObject({
  openTimeoutMs: fields.duration.optional(),
  ackTimeoutMs: fields.duration.optional(),
  proofDelayMs: fields.duration.optional(),
  proofSpacingMs: fields.duration.optional(),
  proofDeadlineMs: fields.duration.optional(),
  pingIntervalMs: fields.duration.optional(),
  pongTimeoutMs: fields.duration.optional(),
  silenceMs: fields.duration.optional(),
  stableMs: fields.duration.optional(),
  rotateMs: fields.duration.optional(),
  rotateSpreadMs: fields.duration.optional(),
  overlapMs: fields.duration.optional(),
  backoff: backoff.optional(),
});

const schema = z.strictObject({
  symbols: fields.symbols,
  intervals: fields.intervals,
  network: fields.network.optional(),
  origin: z.enum(ORIGINS, { error: `one of ${ORIGINS.join(' ')}` }).optional(),
  bufferSize: fields.wholeNumber(1, 100_000).optional(),
  store: fields.storePath.optional(),
  cacheDir: fields.filePath('data/archive').optional(),
  connectTimeoutMs: fields.connectTimeout.optional(),
  pingIntervalMs: fields.duration.optional(),
  pongTimeoutMs: fields.duration.optional(),
  stopTimeoutMs: fields.duration.optional(),
  timeScale: fields.timeScale.optional(),
  backfillMs: fields.backfill.optional(),
  queueSize: fields.wholeNumber(1, 1_000_000).optional(),
  streamsPerSocket: fields.wholeNumber(1, LIMITS.streamsPerSocketMax).optional(),
  symbolsPollMs: fields.duration.optional(),
  timing: timing.optional(),
  logger: fields.having<Logger>('a logger', ['debug', 'info', 'warn', 'error']).optional(),
  signal: fields.abortSignal.optional(),
  inspect: fields.callback<(event: never) => void>('a function that is told of events').optional(),
  clock: fields.having<Clock>('a clock', ['now', 'wallNow', 'setTimeout', 'clearTimeout']).optional(),
  random: fields.callback<Random>('a function that returns numbers in [0, 1)').optional(),
  apiKey: fields.secret.optional(),
  apiSecret: fields.secret.optional(),
});

type Parsed = z.output<typeof schema>;

/** The keys that each strict object knows, for hints. */
export type KnownKeys = Readonly<Record<string, readonly string[]>>;
const KNOWN_KEYS: KnownKeys = {
  '': Object.keys(schema.shape),
  network: Object.keys(fields.networkUrls.shape),
  timing: Object.keys(timing.shape),
  'timing.backoff': Object.keys(backoff.shape),
};

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const name = printableName(String(part));
    if (text === '') return name;
    return name.startsWith('"') ? `${text}[${name}]` : `${text}.${name}`;
  }, '');

export const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, part)
        ? Reflect.get(value, part)
        : undefined,
    input,
  );

/** What is wrong by one issue, as users are told. */
export function describe(
  issue: z.core.$ZodIssue,
  input: unknown,
  knownKeys: KnownKeys = KNOWN_KEYS,
): ConfigurationIssue[] {
  if (issue.code !== 'unrecognized_keys') {
    const option = pathText(issue.path);
    const value = valueAt(input, issue.path);
    const isObjectWanted = issue.code === 'invalid_type' && issue.expected === 'object';
    const allowed = isObjectWanted ? 'an object of options' : issue.message;
    return [
      {
        option: option || 'options',
        given: printable(value, String(issue.path.at(-1) ?? '')),
        allowed,
      },
    ];
  }
  const parent = pathText(issue.path);
  const known = knownKeys[parent] ?? [];
  return issue.keys.map((key) => {
    const meant = nearest(key, known);
    const hint = meant === undefined ? `known are ${known.join(', ')}` : `did you mean ${meant}?`;
    return {
      option: pathText([...issue.path, key]),
      given: printableUnknown(valueAt(input, [...issue.path, key]), key),
      allowed: `there is no such option; ${hint}`,
    };
  });
}

/** What is listed twice, also when other items are wrong. */
function duplicates(input: unknown, option: 'symbols' | 'intervals'): ConfigurationIssue[] {
  const list = valueAt(input, [option]);
  if (!Array.isArray(list)) return [];
  const first = new Map<string, number>();
  return list.flatMap((item: unknown, index) => {
    if (typeof item !== 'string') return [];
    const name = option === 'symbols' ? fields.raiseAscii(item) : item;
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, index);
    if (earlier === undefined) return [];
    const allowed = `each once; it is ${option}[${earlier}] already`;
    return [{ option: `${option}[${index}]`, given: printable(item), allowed }];
  });
}

/** What no single field can see. Looks at the input, so that it is listed along with what fields refuse. */
function contradictions(input: unknown): ConfigurationIssue[] {
  const given = valueAt(input, ['network']);
  const network = given === undefined ? 'mainnet' : given;
  const origin = valueAt(input, ['origin']);
  const timeScale = valueAt(input, ['timeScale']);
  const isReal = network === 'mainnet' || network === 'testnet';
  const issues: ConfigurationIssue[] = [];
  if (isReal && typeof timeScale === 'number' && timeScale > 0 && timeScale !== 1) {
    const allowed = `only 1 with ${network}: time is scaled with the simulator or URLs of one's own alone`;
    issues.push({ option: 'timeScale', given: printable(timeScale), allowed });
  }
  const fitting = fields.isNetworkName(network) ? [network] : ['custom', 'simulator'];
  if (ORIGINS.some((known) => known === origin) && !fitting.some((name) => name === origin)) {
    const allowed = `${fitting.join(' or ')} with this network; better leave it out`;
    issues.push({ option: 'origin', given: printable(origin), allowed });
  }
  return issues;
}

/** An object without its undefined values, which would hide what they are spread over. */
const present = <T extends object>(value: T | undefined): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value ?? {}).filter(([, item]) => item !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

function fill(given: Parsed): ResolvedOptions {
  const { network: named = 'mainnet', connectTimeoutMs = 10_000 } = given;
  const network = typeof named === 'string' ? named : 'custom';
  const urls = typeof named === 'object' ? named : named === 'simulator' ? undefined : HOSTS[named];
  const { pingIntervalMs = DEFAULT_TIMING.pingIntervalMs, pongTimeoutMs = DEFAULT_TIMING.pongTimeoutMs } =
    given;
  const { backoff: delays, ...waits } = given.timing ?? {};
  return {
    symbols: given.symbols,
    intervals: given.intervals,
    network,
    origin: given.origin ?? network,
    urls,
    bufferSize: given.bufferSize ?? 500,
    store: given.store,
    cacheDir: given.cacheDir,
    connectTimeoutMs: connectTimeoutMs === 'never' ? undefined : connectTimeoutMs,
    pingIntervalMs,
    pongTimeoutMs,
    stopTimeoutMs: given.stopTimeoutMs ?? 5_000,
    timeScale: given.timeScale ?? (network === 'simulator' ? SIMULATOR_TIME_SCALE : 1),
    backfillMs: given.backfillMs ?? 0,
    queueSize: given.queueSize ?? 10_000,
    streamsPerSocket: given.streamsPerSocket ?? LIMITS.streamsPerSocket,
    symbolsPollMs: given.symbolsPollMs ?? SYMBOLS_POLL_MS,
    timing: {
      ...DEFAULT_TIMING,
      pingIntervalMs,
      pongTimeoutMs,
      ...present(waits),
      backoff: { ...DEFAULT_TIMING.backoff, ...present(delays) },
    },
    logger: given.logger,
    signal: given.signal,
    inspect: given.inspect,
    clock: given.clock,
    random: given.random,
  };
}

/** Checks options and fills in the defaults. Throws one `ConfigurationError` with everything that is wrong. */
export function resolveOptions(input: unknown): ResolvedOptions {
  const parsed = schema.safeParse(input);
  const refused = parsed.error?.issues.flatMap((issue) => describe(issue, input)) ?? [];
  const repeated = [...duplicates(input, 'symbols'), ...duplicates(input, 'intervals')];
  const issues = [...refused, ...repeated, ...contradictions(input)];
  if (parsed.success && issues.length === 0) return fill(parsed.data);
  throw new ConfigurationError(issues);
}

const SHOWN = [
  'symbols',
  'intervals',
  'origin',
  'bufferSize',
  'store',
  'cacheDir',
  'connectTimeoutMs',
  'pingIntervalMs',
  'pongTimeoutMs',
  'stopTimeoutMs',
  'timeScale',
  'backfillMs',
  'queueSize',
  'streamsPerSocket',
  'symbolsPollMs',
] as const;

/** Options as they may be logged: by allow-list, with URLs masked, without secrets, functions and objects. */
export function redact(options: CollectorOptions | ResolvedOptions): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const name of SHOWN) if (options[name] !== undefined) shown[name] = options[name];
  const urls: NetworkUrls | undefined =
    'urls' in options ? options.urls : typeof options.network === 'object' ? options.network : undefined;
  if (typeof options.network === 'string') shown['network'] = options.network;
  for (const name of ['wsUrl', 'restUrl', 'visionUrl'] as const) {
    const url = urls?.[name];
    if (typeof url === 'string') shown[name] = maskUrl(url);
  }
  return shown;
}
