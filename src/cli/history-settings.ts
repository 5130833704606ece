/** Everything `history` can be told, as the options of a load. */
import type { Interval } from '../../machines/model/interval.ts';
import { ConfigurationError, type ConfigurationIssue } from '../errors.ts';
import { LEVELS } from '../log/format.ts';
import type { HistoryOptions } from '../options.history.ts';
import { printable } from '../options.ts';
import type { Origin } from '../options.types.ts';
import { duration, number, oneOf, text, toggle } from './flags.ts';
import { DEFAULT_CACHE, defaultStoreOf, outProblem, pathProblem } from './paths.ts';
import { environmentSource, flagSource, readSettings, type Settings } from './settings.ts';
import { when } from './when.ts';

const TIMER_LIMIT_MS = 24 * 86_400_000;
const CACHE_GB_MAX = 1_000_000;
/** A range without an end: what has ended by then is for the exchange's clock to say, not for ours. */
export const OPEN_END = Date.UTC(2100, 0, 1);
const url = text('a base URL without a path');
const folder = text('the path of a folder');

export const HISTORY_READERS = {
  symbol: text('a contract, as BTCUSDT'),
  interval: text('a bar length, as 1m'),
  from: when,
  to: when,
  source: oneOf('auto', 'vision', 'rest'),
  network: oneOf('mainnet', 'testnet', 'simulator'),
  wsUrl: url,
  restUrl: url,
  visionUrl: url,
  db: text('the path of a file, as data/btc.db'),
  out: text('the path of a file that ends with .csv or .parquet'),
  force: toggle,
  cacheDir: folder,
  noCache: toggle,
  cacheGb: number(`gigabytes, up to ${CACHE_GB_MAX}`, (value) => value >= 0 && value <= CACHE_GB_MAX),
  archiveDir: folder,
  dryRun: toggle,
  json: toggle,
  stopTimeout: duration('5s', TIMER_LIMIT_MS, '24d'),
  logLevel: oneOf(...LEVELS),
  logFormat: oneOf('text', 'json'),
} as const;

export type HistorySettings = Settings<typeof HISTORY_READERS>;

/** What of the environment a load takes; a range in it would be an accident. */
const FROM_ENVIRONMENT = ['cacheDir', 'cacheGb', 'logLevel', 'logFormat', 'stopTimeout'] as const;

export interface HistoryPlanned {
  readonly settings: HistorySettings;
  readonly options: HistoryOptions;
  /** Where bars go: the path of the store or of the file. */
  readonly target: string;
}

const URLS = ['wsUrl', 'restUrl', 'visionUrl'] as const;

/** Judges what no single option of a load can see. Throws one error with all that is wrong; creates nothing. */
export function planHistoryCommand(
  flags: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
): HistoryPlanned {
  const settings = readSettings(HISTORY_READERS, [
    flagSource(flags),
    environmentSource(FROM_ENVIRONMENT, env),
  ]);
  const { values, labelOf } = settings;
  const issues: ConfigurationIssue[] = [];
  const refuse = (setting: string, given: unknown, allowed: string): void =>
    void issues.push({ option: labelOf(setting), given: printable(given), allowed });
  const needed = {
    symbol: 'a contract, as BTCUSDT',
    interval: 'a bar length, as 1m',
    from: 'where to begin',
  };
  for (const [setting, allowed] of Object.entries(needed))
    if (values[setting as keyof typeof needed] === undefined) refuse(setting, undefined, allowed);

  const urls = URLS.filter((name) => values[name] !== undefined);
  if (values.network !== undefined && urls.length > 0)
    refuse('network', values.network, `either --network or URLs (${urls.map(labelOf).join(', ')})`);
  if (values.db !== undefined && values.out !== undefined)
    refuse('out', values.out, 'either --db or --out: bars go to one place');
  if (values.noCache === true && values.cacheDir !== undefined && flags['cacheDir'] !== undefined)
    refuse('noCache', 'given', 'not together with --cache-dir');
  if (values.json === true && values.dryRun !== true) refuse('json', 'given', 'only with --dry-run');

  const origin: Origin = urls.length > 0 ? 'custom' : (values.network ?? 'mainnet');
  const target = values.out ?? values.db ?? defaultStoreOf(origin);
  const { force: replace = false } = values;
  const problem = values.out === undefined ? pathProblem(target) : outProblem(target, { replace });
  if (problem !== undefined) refuse(values.out === undefined ? 'db' : 'out', target, problem);
  if (replace && values.out === undefined) refuse('force', 'given', 'only with --out');
  if (issues.length > 0) throw new ConfigurationError(issues);
  return { settings, options: optionsOf(settings, target), target };
}

function optionsOf({ values }: HistorySettings, target: string): HistoryOptions {
  const { symbol = '', interval, from = 0, to = OPEN_END, wsUrl, restUrl, visionUrl, cacheGb } = values;
  const hasUrls = URLS.some((name) => values[name] !== undefined);
  return {
    symbol,
    interval: interval as Interval,
    from,
    to,
    source: values.source,
    network: hasUrls ? { wsUrl, restUrl, visionUrl } : values.network,
    ...(values.out === undefined ? { store: target } : { out: target, replace: values.force }),
    cacheDir: values.noCache === true ? undefined : (values.cacheDir ?? DEFAULT_CACHE),
    cacheMaxBytes: cacheGb === undefined ? undefined : Math.round(cacheGb * 1e9),
    archiveDir: values.archiveDir,
    dryRun: values.dryRun,
    stopTimeoutMs: values.stopTimeout,
  };
}
