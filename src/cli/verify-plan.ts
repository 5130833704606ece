/** What `verify` is to do: everything that can be refused before a store is looked through is refused here. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { INTERVALS, type Interval } from '../../machines/model/interval.ts';
import { ConfigurationError, type ConfigurationIssue, StoreError } from '../errors.ts';
import { LEVELS } from '../log/format.ts';
import { printable, raiseAscii } from '../options.ts';
import { inspectStore } from '../store/inspect.ts';
import { oneOf, text, toggle } from './flags.ts';
import type { Settings } from './settings.ts';
import { asUsage } from './usage.ts';
import { rangeIssues, when } from './when.ts';

const url = text('a base URL without a path');

export const VERIFY_READERS = {
  db: text('the path of a store'),
  json: toggle,
  strict: toggle,
  symbol: text('a contract, as BTCUSDT'),
  interval: oneOf(...INTERVALS),
  from: when,
  to: when,
  against: oneOf('rest', 'vision'),
  network: oneOf('simulator', 'testnet', 'mainnet'),
  wsUrl: url,
  restUrl: url,
  visionUrl: url,
  cacheDir: text('a folder'),
  noCache: toggle,
  archiveDir: text('a folder of archive files, in their path layout'),
  logLevel: oneOf(...LEVELS),
  logFormat: oneOf('text', 'json'),
} as const;

export type VerifySettings = Settings<typeof VERIFY_READERS>;

/** Who is asked, and what is kept of the answers. */
export interface AgainstPlan {
  readonly source: 'rest' | 'vision';
  /** Undefined: nobody in the network. */
  readonly network:
    | 'mainnet'
    | 'testnet'
    | { readonly restUrl?: string; readonly visionUrl?: string }
    | undefined;
  readonly cacheDir: string | undefined;
  readonly noCache: boolean;
  readonly archiveDir: string | undefined;
}

export interface VerifyPlan {
  readonly db: string;
  readonly symbol: string | undefined;
  readonly interval: Interval | undefined;
  /** Bars that open in [from, to), ms. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** Recorded gaps are a fault, too. */
  readonly isStrict: boolean;
  /** Undefined: it is looked at alone. */
  readonly against: AgainstPlan | undefined;
}

const URLS = ['wsUrl', 'restUrl', 'visionUrl'] as const;
const OF_AGAINST = ['wsUrl', 'restUrl', 'visionUrl', 'cacheDir', 'noCache', 'archiveDir'] as const;

/** Judges the settings as a whole, and asks the store what it is. Throws one error with all that is wrong. */
export async function planVerify(settings: VerifySettings): Promise<VerifyPlan> {
  const { values, labelOf } = settings;
  const { symbol, interval, from, to, strict = false, network } = values;
  const hasUrls = URLS.some((name) => values[name] !== undefined);
  const db = values.db ?? join('data', `${hasUrls ? 'custom' : (network ?? 'simulator')}.db`);
  const issues = [...rangeIssues(from, to, labelOf), ...contradictions(settings)];
  if (issues.length > 0) throw new ConfigurationError(issues);
  const origin = await originOf(db, labelOf('db'));
  return {
    db,
    symbol: symbol === undefined ? undefined : raiseAscii(symbol),
    interval,
    from,
    to,
    isStrict: strict,
    against: againstOf(settings, origin),
  };
}

/** Settings that exclude each other. */
function contradictions({ values, labelOf }: VerifySettings): ConfigurationIssue[] {
  const { against, network, archiveDir, cacheDir, noCache } = values;
  const issues: ConfigurationIssue[] = [];
  const refuse = (setting: keyof typeof values, allowed: string): void =>
    void issues.push({ option: labelOf(setting), given: printable(values[setting]), allowed });
  if (against === undefined)
    for (const setting of OF_AGAINST)
      if (values[setting] !== undefined) refuse(setting, 'only with --against');
  const urls = URLS.filter((name) => values[name] !== undefined).map(labelOf);
  if (network !== undefined && urls.length > 0)
    refuse('network', `either --network or URLs (${urls.join(', ')})`);
  if (against === 'rest' && archiveDir !== undefined) refuse('archiveDir', 'only with --against vision');
  if (cacheDir !== undefined && noCache === true) refuse('cacheDir', 'either --cache-dir or --no-cache');
  return issues;
}

/**
 * The network that a store is from. Undefined when it is too damaged to say: that is for the look through it to find.
 *
 * @throws {ConfigurationError} when it is not there, or no store.
 */
async function originOf(db: string, option: string): Promise<string | undefined> {
  const refuse = (allowed: string): never => {
    throw new ConfigurationError([{ option, given: printable(db), allowed }]);
  };
  if (!existsSync(db)) return refuse('a store; there is no such file');
  try {
    const { exists, origin } = await inspectStore(db);
    return exists ? origin : refuse('a store; this file is empty');
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_UNUSABLE') return undefined;
    throw asUsage(error, db) ?? error;
  }
}

/** Whom the stored bars are held against: by default the network that they are from. */
function againstOf({ values, labelOf }: VerifySettings, origin: string | undefined): AgainstPlan | undefined {
  const { against: source, restUrl, visionUrl, archiveDir, cacheDir, noCache = false } = values;
  if (source === undefined) return undefined;
  const common = { source, cacheDir, noCache, archiveDir };
  const needed = source === 'rest' ? 'restUrl' : 'visionUrl';
  if (values[needed] !== undefined)
    return {
      ...common,
      network: {
        ...(restUrl === undefined ? {} : { restUrl }),
        ...(visionUrl === undefined ? {} : { visionUrl }),
      },
    };
  if (archiveDir !== undefined) return { ...common, network: undefined };
  const isNamed = origin === 'mainnet' || origin === 'testnet' || origin === 'simulator';
  const network = values.network ?? origin;
  const refuse = (setting: string, allowed: string): never => {
    const given = printable(values[setting as keyof typeof values]);
    throw new ConfigurationError([{ option: labelOf(setting), given, allowed }]);
  };
  if (isNamed && network !== origin) return refuse('network', `${origin}, which the store is from, or URLs`);
  if (network === 'testnet' && source === 'vision')
    return refuse('against', 'rest with a store of testnet: it has no archive, or --archive-dir');
  if (network === 'mainnet' || network === 'testnet') return { ...common, network };
  return refuse(
    needed,
    `the URL of the exchange; the store is of ${origin ?? 'an unknown network'}, which has none`,
  );
}
