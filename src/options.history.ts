/** The options of a load of history, checked. */
import { z } from 'zod';
import { DAY_MS, type Interval, nextOpenTime, openTimeAt } from '../machines/model/interval.ts';
import { HOSTS } from './binance/venue.ts';
import { ConfigurationError, type ConfigurationIssue } from './errors.ts';
import * as fields from './options.fields.ts';
import { describe, printable, SIMULATOR_TIME_SCALE, valueAt } from './options.ts';
import type { Origin } from './options.types.ts';
import type { Clock, Logger, Random } from './ports.ts';

const SOURCES = ['auto', 'vision', 'rest'] as const;
const ORIGINS = ['simulator', 'testnet', 'mainnet', 'custom'] as const satisfies readonly Origin[];
const FORMATS = ['csv', 'parquet'] as const;

const STOP_TIMEOUT_MS = 5_000;

/**
 * What a load of history is made from. Wrong options are refused at construction with one `ConfigurationError` that lists
 * all of them; nothing has been opened then. An option that is `undefined` counts as absent.
 */
export interface HistoryOptions {
  /** A contract, as `BTCUSDT`. ASCII letters are raised. */
  readonly symbol: string;
  /** Bar length, spelled exactly: `1m` is a minute, `1M` is a calendar month. */
  readonly interval: Interval;
  /** Bars that open in [from, to): ms since epoch, or a Date. Of `to` only what has ended by then is loaded. */
  readonly from: number | Date;
  readonly to: number | Date;
  /** Default `'auto'`: the archive where it has files, and REST for what it lacks. */
  readonly source?: 'auto' | 'vision' | 'rest' | undefined;
  /**
   * Default `'mainnet'`; with `archiveDir` and without this, nobody is asked at all. URLs: of those that the source
   * needs. `'testnet'` has no archive of its own, and the prices of the public one are others: there REST is all.
   */
  readonly network?:
    | 'mainnet'
    | 'testnet'
    | 'simulator'
    | {
        readonly wsUrl?: string | undefined;
        readonly restUrl?: string | undefined;
        readonly visionUrl?: string | undefined;
      }
    | undefined;
  /** As with a collector: what a store is to record as its origin, when `network` is URLs. Default `'custom'`. */
  readonly origin?: Origin | undefined;
  /** Into this store, an SQLite file. */
  readonly store?: string | undefined;
  /** Or into this file, `.csv` or `.parquet`. Neither: into memory. */
  readonly out?: string | undefined;
  /** With `out`: a file that is there is replaced, once the new one is whole. Default: it is refused. */
  readonly replace?: boolean | undefined;
  /** Folder in which archive files are kept for the next time. Default: none. */
  readonly cacheDir?: string | undefined;
  /** Keeps nothing, also where `cacheDir` is given. */
  readonly noCache?: boolean | undefined;
  /** Size of the cache, bytes. Default: the cache's own. */
  readonly cacheMaxBytes?: number | undefined;
  /** Archive files in their path layout below this folder, instead of the network's. */
  readonly archiveDir?: string | undefined;
  /** Only plans. Nothing is written. */
  readonly dryRun?: boolean | undefined;
  /** Within which `stop` ends when it is given no `timeoutMs`, and the end of a load that nobody stops. Default 5 000. */
  readonly stopTimeoutMs?: number | undefined;
  /** As with a collector. */
  readonly timeScale?: number | undefined;
  readonly logger?: Logger | undefined;
  /** Aborting it stops the load. */
  readonly signal?: AbortSignal | undefined;
  readonly inspect?: ((event: never) => void) | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

/** The options with every default filled in. */
export interface ResolvedHistoryOptions {
  readonly symbol: string;
  readonly interval: Interval;
  /** Open times, ms. */
  readonly from: number;
  readonly to: number;
  readonly source: (typeof SOURCES)[number];
  readonly origin: Origin;
  /** Its URLs are known once it runs. */
  readonly isEmbedded: boolean;
  /** Undefined: not to be asked. */
  readonly restUrl: string | undefined;
  readonly visionUrl: string | undefined;
  readonly archiveDir: string | undefined;
  readonly store: string | undefined;
  readonly out:
    | { readonly path: string; readonly format: (typeof FORMATS)[number]; readonly replace: boolean }
    | undefined;
  /** Undefined: nothing is kept. */
  readonly cacheDir: string | undefined;
  readonly cacheMaxBytes: number | undefined;
  readonly isDryRun: boolean;
  readonly stopTimeoutMs: number;
  readonly timeScale: number;
  readonly logger: Logger | undefined;
  readonly signal: AbortSignal | undefined;
  readonly inspect: ((event: never) => void) | undefined;
  readonly clock: Clock | undefined;
  readonly random: Random | undefined;
}

const schema = z.strictObject({
  symbol: fields.symbol,
  interval: fields.interval,
  from: fields.instant,
  to: fields.instant,
  source: z.enum(SOURCES, { error: `one of ${SOURCES.join(' ')}` }).optional(),
  network: fields.historyNetwork.optional(),
  origin: z.enum(ORIGINS, { error: `one of ${ORIGINS.join(' ')}` }).optional(),
  store: fields.storePath.optional(),
  out: fields.filePath('btc.csv or btc.parquet').optional(),
  replace: z.boolean({ error: 'true or false' }).optional(),
  cacheDir: fields.filePath('data/archive').optional(),
  noCache: z.boolean({ error: 'true or false' }).optional(),
  cacheMaxBytes: fields.wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
  archiveDir: fields.filePath('archive').optional(),
  dryRun: z.boolean({ error: 'true or false' }).optional(),
  stopTimeoutMs: fields.duration.optional(),
  timeScale: fields.timeScale.optional(),
  logger: fields.having<Logger>('a logger', ['debug', 'info', 'warn', 'error']).optional(),
  signal: fields.abortSignal.optional(),
  inspect: fields.callback<(event: never) => void>('a function that is told of events').optional(),
  clock: fields.having<Clock>('a clock', ['now', 'wallNow', 'setTimeout', 'clearTimeout']).optional(),
  random: fields.callback<Random>('a function that returns numbers in [0, 1)').optional(),
});

type Parsed = z.output<typeof schema>;

const KNOWN_KEYS = {
  '': Object.keys(schema.shape),
  network: Object.keys(fields.historyUrls.shape),
};

const formatOf = (path: string): (typeof FORMATS)[number] | undefined =>
  FORMATS.find((format) => path.toLowerCase().endsWith(`.${format}`));

/** The first bar that opens at or after a time. Of `3d` only the midnight is sure: the series itself says which. */
function opensFrom(interval: Interval, time: number): number {
  if (interval === '3d') return Math.ceil(time / DAY_MS) * DAY_MS;
  const open = openTimeAt(interval, time);
  return open === time ? time : nextOpenTime(interval, open);
}

interface Places {
  readonly isEmbedded: boolean;
  readonly restUrl: string | undefined;
  readonly visionUrl: string | undefined;
  readonly origin: Origin;
}

/** Who may be asked, by what was given. */
function placesOf({ network, archiveDir, origin }: Parsed): Places {
  const offline = network === undefined && archiveDir !== undefined;
  const named = network ?? 'mainnet';
  if (offline)
    return { isEmbedded: false, restUrl: undefined, visionUrl: undefined, origin: origin ?? 'mainnet' };
  if (named === 'simulator')
    return { isEmbedded: true, restUrl: undefined, visionUrl: undefined, origin: named };
  if (typeof named === 'object')
    return {
      isEmbedded: false,
      restUrl: named.restUrl,
      visionUrl: named.visionUrl,
      origin: origin ?? 'custom',
    };
  const { restUrl, visionUrl } = HOSTS[named];
  return {
    isEmbedded: false,
    restUrl,
    visionUrl: named === 'testnet' ? undefined : visionUrl,
    origin: named,
  };
}

const given = (input: unknown, option: string): string => printable(valueAt(input, [option]));

/** What no single option can see, in options that are each allowed. */
function contradictions(parsed: Parsed, input: unknown): ConfigurationIssue[] {
  const issues: ConfigurationIssue[] = [];
  const refuse = (option: string, allowed: string): void =>
    void issues.push({ option, given: given(input, option), allowed });
  const { interval, source = 'auto', network, archiveDir, store, out, timeScale, origin } = parsed;
  const { isEmbedded, restUrl, visionUrl } = placesOf(parsed);
  const hasArchive = isEmbedded || visionUrl !== undefined || archiveDir !== undefined;
  const hasRest = isEmbedded || restUrl !== undefined;
  if (opensFrom(interval, parsed.from) >= opensFrom(interval, parsed.to))
    refuse('to', `behind from, with the opening of a ${interval} bar between them`);
  if (store !== undefined && out !== undefined) refuse('out', 'only without store: bars go to one place');
  if (out !== undefined && formatOf(out) === undefined) refuse('out', 'a file that ends in .csv or .parquet');
  if (parsed.replace === true && out === undefined) refuse('replace', 'only with out');
  if (source === 'rest' && archiveDir !== undefined)
    refuse('archiveDir', "only with source 'auto' or 'vision'");
  if (source === 'rest' && !hasRest) refuse('source', "'rest' only with a restUrl");
  if (source === 'vision' && network === 'testnet' && archiveDir === undefined)
    refuse(
      'source',
      "'rest' or 'auto' with testnet: it has no archive, and the prices of the public one are others",
    );
  else if (source === 'vision' && !hasArchive)
    refuse('source', "'vision' only with a visionUrl or an archiveDir");
  if (source === 'auto' && !hasRest && !hasArchive) refuse('network', 'restUrl or visionUrl, or both');
  const isReal = network === undefined || network === 'mainnet' || network === 'testnet';
  if (isReal && timeScale !== undefined && timeScale !== 1)
    refuse(
      'timeScale',
      "only 1 with a real exchange: time is scaled with the simulator or URLs of one's own alone",
    );
  const isNamed = network === undefined ? archiveDir === undefined : typeof network === 'string';
  const name = network ?? 'mainnet';
  const fitting: readonly unknown[] = isNamed
    ? [name]
    : network === undefined
      ? ORIGINS
      : ['custom', 'simulator'];
  if (origin !== undefined && !fitting.includes(origin))
    refuse('origin', `${fitting.join(' or ')} with this network; better leave it out`);
  return issues;
}

function fill(parsed: Parsed): ResolvedHistoryOptions {
  const { symbol, interval, source = 'auto', out, archiveDir } = parsed;
  const { isEmbedded, restUrl, visionUrl, origin } = placesOf(parsed);
  const format = out === undefined ? undefined : formatOf(out);
  return {
    symbol,
    interval,
    from: opensFrom(interval, parsed.from),
    to: opensFrom(interval, parsed.to),
    source,
    origin,
    isEmbedded,
    restUrl: source === 'vision' ? undefined : restUrl,
    visionUrl: source === 'rest' || archiveDir !== undefined ? undefined : visionUrl,
    archiveDir,
    store: parsed.store,
    out:
      out === undefined || format === undefined
        ? undefined
        : { path: out, format, replace: parsed.replace ?? false },
    cacheDir: parsed.noCache === true ? undefined : parsed.cacheDir,
    cacheMaxBytes: parsed.cacheMaxBytes,
    isDryRun: parsed.dryRun ?? false,
    stopTimeoutMs: parsed.stopTimeoutMs ?? STOP_TIMEOUT_MS,
    timeScale: parsed.timeScale ?? (isEmbedded ? SIMULATOR_TIME_SCALE : 1),
    logger: parsed.logger,
    signal: parsed.signal,
    inspect: parsed.inspect,
    clock: parsed.clock,
    random: parsed.random,
  };
}

/** Checks options and fills in the defaults. Throws one `ConfigurationError` with everything that is wrong. */
export function resolveHistoryOptions(input: unknown): ResolvedHistoryOptions {
  const parsed = schema.safeParse(input);
  const refused = parsed.error?.issues.flatMap((issue) => describe(issue, input, KNOWN_KEYS)) ?? [];
  const issues = parsed.success ? contradictions(parsed.data, input) : refused;
  if (parsed.success && issues.length === 0) return fill(parsed.data);
  throw new ConfigurationError(issues);
}
