/** From settings to a plan: everything that can be refused without opening anything is refused here. */
import type { Interval } from '../../machines/model/interval.ts';
import { ConfigurationError, type ConfigurationIssue } from '../errors.ts';
import {
  ALL,
  type CollectorOptions,
  type Origin,
  printable,
  type ResolvedOptions,
  resolveOptions,
} from '../options.ts';
import { type CollectSettings, DEFAULT_INTERVALS, DEFAULT_SYMBOLS } from './collect-settings.ts';
import { defaultStoreOf, pathProblem } from './paths.ts';
import { flagOf } from './settings.ts';
import { inFlags } from './usage.ts';

export interface CollectPlan {
  /** For the collector; without logger. */
  readonly options: CollectorOptions & { readonly store: string };
  readonly resolved: ResolvedOptions;
  /** Whether the simulated exchange is to run in this process. */
  readonly embedded: boolean;
  readonly origin: Origin;
  /** Path of the store. */
  readonly db: string;
}

/** Settings that exclude each other. */
function contradictions(settings: CollectSettings): ConfigurationIssue[] {
  const { values, labelOf } = settings;
  const { network, wsUrl, restUrl, visionUrl, timeScale, noHttp } = values;
  const issues: ConfigurationIssue[] = [];
  const add = (setting: string, given: unknown, allowed: string): void => {
    issues.push({ option: labelOf(setting), given: printable(given), allowed });
  };
  const urls = { wsUrl, restUrl, visionUrl };
  const named = Object.entries(urls).filter(([, value]) => value !== undefined);
  if (network !== undefined && named.length > 0) {
    add('network', network, `either --network or URLs (${named.map(([name]) => labelOf(name)).join(', ')})`);
  } else if (named.length > 0) {
    const needed = 'URLs of an exchange come in pairs: --ws-url and --rest-url';
    if (wsUrl === undefined) add('wsUrl', undefined, needed);
    if (restUrl === undefined) add('restUrl', undefined, needed);
  }
  if (timeScale !== undefined && (network === 'testnet' || network === 'mainnet')) {
    add('timeScale', timeScale, `not with --network ${network}; real time can't be scaled`);
  }
  for (const setting of ['port', 'host', 'allowHosts', 'inspect'] as const) {
    if (noHttp !== true || values[setting] === undefined) continue;
    add(setting, values[setting], `either ${flagOf(setting)} or --no-http`);
  }
  return issues;
}

/** Refuses symbols that the embedded simulated exchange does not have, before it is started. */
export function assertListed(plan: CollectPlan, settings: CollectSettings, listed: readonly string[]): void {
  const { symbols } = plan.resolved;
  const unknown = symbols === ALL ? [] : symbols.filter((symbol) => !listed.includes(symbol));
  if (unknown.length === 0) return;
  const option = settings.labelOf('symbols');
  const allowed = `unknown symbol; the embedded simulated exchange lists ${listed.join(', ')}`;
  throw new ConfigurationError(unknown.map((symbol) => ({ option, given: printable(symbol), allowed })));
}

/** `all` alone is every perpetual; among others it is refused as a symbol. */
const symbolsOf = (names: readonly string[]): CollectorOptions['symbols'] =>
  names.length === 1 && names[0]?.toLowerCase() === ALL ? ALL : names;

/** The collector's options. Nothing is opened; texts are passed on as they are, for `resolveOptions` to judge. */
function optionsOf(settings: CollectSettings, embedded: boolean, db: string): CollectPlan['options'] {
  const { values } = settings;
  const { wsUrl, restUrl, visionUrl } = values;
  const urls = { wsUrl: String(wsUrl), restUrl: String(restUrl), ...(visionUrl ? { visionUrl } : {}) };
  const named = values.network ?? 'simulator';
  return {
    symbols: symbolsOf(values.symbols ?? DEFAULT_SYMBOLS),
    intervals: (values.intervals ?? DEFAULT_INTERVALS) as readonly Interval[],
    network: embedded || values.network !== undefined || wsUrl === undefined ? named : urls,
    store: db,
    connectTimeoutMs: 'never',
    backfillMs: values.backfill,
    stopTimeoutMs: values.stopTimeout,
    timeScale: values.timeScale,
    apiKey: values.apiKey,
    apiSecret: values.apiSecret,
  };
}

/** Judges the settings as a whole. Throws one error with all that is wrong; creates nothing. */
export function planCollect(settings: CollectSettings): CollectPlan {
  const { network, wsUrl, restUrl, visionUrl, db: given } = settings.values;
  const issues = contradictions(settings);
  const hasUrls = wsUrl !== undefined || restUrl !== undefined || visionUrl !== undefined;
  const embedded = !hasUrls && (network === undefined || network === 'simulator');
  const origin: Origin = hasUrls ? 'custom' : (network ?? 'simulator');
  const db = given ?? defaultStoreOf(origin);
  const problem = pathProblem(db);
  if (problem !== undefined) {
    issues.push({ option: settings.labelOf('db'), given: printable(db), allowed: problem });
  }
  const options = optionsOf(settings, embedded, db);
  let resolved: ResolvedOptions | undefined;
  try {
    resolved = resolveOptions(options);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    // A missing URL, or a time scale that does not fit, has been said already.
    const told = new Set(issues.map((issue) => issue.option));
    issues.push(...inFlags(error, settings).issues.filter((issue) => !told.has(issue.option)));
  }
  if (resolved === undefined || issues.length > 0) throw new ConfigurationError(issues);
  return { options, resolved, embedded, origin, db };
}
