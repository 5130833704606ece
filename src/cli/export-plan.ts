/** What `export` is to do: everything that can be refused before a byte is written is refused here. */
import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { INTERVALS } from '../../machines/model/interval.ts';
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import { ConfigurationError, type ConfigurationIssue } from '../errors.ts';
import { LEVELS } from '../log/format.ts';
import { printable, raiseAscii } from '../options.ts';
import { namesOfSeries } from '../store/blocks.ts';
import { inspectStore } from '../store/inspect.ts';
import { oneOf, text, toggle } from './flags.ts';
import { outProblem } from './paths.ts';
import type { Settings } from './settings.ts';
import { asUsage } from './usage.ts';
import { rangeIssues, when } from './when.ts';

const FORMATS = ['csv', 'parquet'] as const;
export type TableFormat = (typeof FORMATS)[number];

export const EXPORT_READERS = {
  db: text('the path of a store'),
  symbol: text('a contract, as BTCUSDT'),
  interval: oneOf(...INTERVALS),
  from: when,
  to: when,
  format: oneOf(...FORMATS),
  out: text('the path of a file, or - for standard output'),
  force: toggle,
  logLevel: oneOf(...LEVELS),
  logFormat: oneOf('text', 'json'),
} as const;

export type ExportSettings = Settings<typeof EXPORT_READERS>;

export interface ExportPlan {
  readonly db: string;
  readonly series: Series;
  /** Bars that open in [from, to), ms. */
  readonly from: number;
  readonly to: number;
  readonly format: TableFormat;
  /** Undefined: standard output. */
  readonly out: string | undefined;
  readonly replace: boolean;
}

/** Series that a message names; more are counted. */
const NAMED_MAX = 20;

/** Judges the settings as a whole, and looks at the store. Throws one error with all that is wrong; creates nothing. */
export async function planExport(settings: ExportSettings): Promise<ExportPlan> {
  const { labelOf } = settings;
  const { db = '', from, to, force = false, out: given } = settings.values;
  const out = given === '-' ? undefined : given;
  const format = formatOf(settings, out);
  const issues = [
    ...(db === '' ? [missing('db', 'the path of a store, as data/mainnet.db')] : []),
    ...('issue' in format ? [format.issue] : []),
    ...outIssues(settings, out, db),
    ...rangeIssues(from, to, labelOf),
  ];
  if (issues.length > 0 || 'issue' in format) throw new ConfigurationError(issues);
  await assertStore(db);
  const range = { from: from ?? 0, to: to ?? Number.MAX_SAFE_INTEGER };
  return { db, series: seriesOf(settings, db), ...range, format: format.format, out, replace: force };
}

const missing = (setting: string, allowed: string): ConfigurationIssue => ({
  option: `--${setting}`,
  given: printable(undefined),
  allowed,
});

/** By `--format`, or by how the name of the file ends; the two may not contradict each other. */
function formatOf(
  { values: { format, out: given }, labelOf }: ExportSettings,
  out: string | undefined,
): { format: TableFormat } | { issue: ConfigurationIssue } {
  if (out === undefined) {
    if (format !== 'parquet') return { format: 'csv' };
    const allowed = 'the path of a file: Parquet is not written to standard output';
    return { issue: { option: labelOf('out'), given: printable(given), allowed } };
  }
  const ending = FORMATS.find((one) => extname(out).toLowerCase() === `.${one}`);
  const chosen = format ?? ending;
  if (chosen === undefined)
    return { issue: missing('format', 'csv or parquet, or an --out that ends with .csv or .parquet') };
  if (ending === undefined || ending === chosen) return { format: chosen };
  const allowed = `a name that ends with .${chosen}, or ${labelOf('format')} ${ending}`;
  return { issue: { option: labelOf('out'), given: printable(out), allowed } };
}

function outIssues(
  { values: { force = false }, labelOf }: ExportSettings,
  out: string | undefined,
  db: string,
): ConfigurationIssue[] {
  const problem = out === undefined ? undefined : outProblem(out, { replace: force, db });
  return problem === undefined ? [] : [{ option: labelOf('out'), given: printable(out), allowed: problem }];
}

async function assertStore(db: string): Promise<void> {
  try {
    if ((await inspectStore(db)).exists) return;
  } catch (error) {
    throw asUsage(error, db) ?? error;
  }
  const allowed = existsSync(db) ? 'a store; this file is empty' : 'a store; there is no such file';
  throw new ConfigurationError([{ option: '--db', given: printable(db), allowed }]);
}

/** The one series that was asked for: which one need not be said when it can only be one. */
function seriesOf({ values, labelOf }: ExportSettings, db: string): Series {
  const symbol = values.symbol === undefined ? undefined : raiseAscii(values.symbol);
  const { interval } = values;
  const all = namesOfSeries(db);
  const found = all.filter(
    (one) => (symbol ?? one.symbol) === one.symbol && (interval ?? one.interval) === one.interval,
  );
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const issue = (setting: 'symbol' | 'interval', allowed: string): never => {
    throw new ConfigurationError([{ option: labelOf(setting), given: printable(values[setting]), allowed }]);
  };
  if (all.length === 0)
    throw new ConfigurationError([
      { option: '--db', given: printable(db), allowed: 'a store with bars in it; this one has none' },
    ]);
  if (found.length === 0) {
    const isSymbolKnown = all.some((one) => one.symbol === (symbol ?? one.symbol));
    const setting = isSymbolKnown ? 'interval' : 'symbol';
    return issue(setting, `a series of the store: ${named(all)}`);
  }
  const setting = symbol === undefined ? 'symbol' : 'interval';
  return issue(setting, `one series goes into a file, and the store has ${named(found)}`);
}

function named(all: readonly Series[]): string {
  const more = all.length - NAMED_MAX;
  const names = all.slice(0, NAMED_MAX).map(seriesKey).join(', ');
  return more > 0 ? `${names} and ${more} more` : names;
}
