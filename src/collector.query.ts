/** Which series a consumer means, and what is said when it means none. */
import type { Interval } from '../machines/model/interval.ts';
import type { Series } from '../machines/model/kline.ts';
import { upperAscii } from './binance/streams.ts';
import { ConfigurationError } from './errors.ts';
import { nearest, printable } from './options.ts';

/** Which closed candles an iterator gives out. */
export interface CandleQuery {
  /** Default: every symbol that is collected, also those that join later. */
  readonly symbol?: string;
  /** Default: every interval that is collected. */
  readonly interval?: Interval;
  /**
   * Replay from the store what opens after this (ms or Date), then go on live. Default: start at the next
   * closed bar.
   */
  readonly since?: number | Date;
}

export const queryOf = (symbol: string | undefined, interval: Interval | undefined): CandleQuery => ({
  ...(symbol === undefined ? {} : { symbol }),
  ...(interval === undefined ? {} : { interval }),
});

/**
 * A query for one series.
 *
 * @throws {ConfigurationError} when a part of its name is left out.
 */
export function oneSeries(symbol: string, interval: Interval): CandleQuery {
  const issues = Object.entries({ symbol, interval })
    .filter(([, part]) => part === undefined)
    .map(([option]) => ({ option, given: 'nothing', allowed: 'symbol and interval of one series' }));
  if (issues.length > 0) throw new ConfigurationError(issues);
  return { symbol, interval };
}

/** Symbols that a message lists; more are counted. */
const LISTED_MAX = 20;

/** What may stand in place of a symbol that is not collected. */
function allowedSymbols(given: string, series: readonly Series[]): string {
  const symbols = [...new Set(series.map(({ symbol }) => symbol))];
  if (symbols.length <= LISTED_MAX) return `one of ${symbols.join(' ')}`;
  const meant = nearest(given, symbols);
  return `one of the ${symbols.length} that are collected${meant === undefined ? '' : `, for instance ${meant}`}`;
}

/** Whether a series answers to a query, also one that is collected later. */
export const likeness = ({ symbol, interval }: CandleQuery) => {
  const upper = symbol === undefined ? undefined : upperAscii(symbol);
  return (series: Series): boolean =>
    (upper === undefined || series.symbol === upper) &&
    (interval === undefined || series.interval === interval);
};

/**
 * The series of `known` that a query means, in their order.
 *
 * @throws {ConfigurationError} when it can mean none.
 */
export function selectSeries(
  query: CandleQuery,
  known: readonly Series[],
  intervals: readonly Interval[],
): Series[] {
  const { interval } = query;
  if (query.symbol !== undefined && typeof query.symbol !== 'string')
    throw new ConfigurationError([
      { option: 'symbol', given: printable(query.symbol), allowed: 'the name of a symbol, as BTCUSDT' },
    ]);
  const symbol = query.symbol === undefined ? undefined : upperAscii(query.symbol);
  if (interval !== undefined && !intervals.includes(interval))
    throw new ConfigurationError([
      { option: 'interval', given: `'${String(interval)}'`, allowed: `one of ${intervals.join(' ')}` },
    ]);
  // Who asks for all learns at the start what that is: before, nobody can say what is wrong.
  const isKnown = symbol === undefined || known.length === 0 || known.some((one) => one.symbol === symbol);
  if (!isKnown)
    throw new ConfigurationError([
      { option: 'symbol', given: `'${query.symbol}'`, allowed: allowedSymbols(symbol, known) },
    ]);
  return known.filter(likeness(query));
}

/**
 * From when on a consumer wants what is stored, ms; undefined: nothing of it.
 *
 * @throws {ConfigurationError} when it is no time, or there is no store to read.
 */
export function sinceOf({ since }: CandleQuery, hasStore: boolean): number | undefined {
  if (since === undefined) return undefined;
  const refuse = (allowed: string) =>
    new ConfigurationError([{ option: 'since', given: String(since), allowed }]);
  if (!hasStore) throw refuse('only with the option store, from which it is read');
  if (Number.isNaN(Number(since))) throw refuse('ms since epoch, or a Date');
  return Number(since);
}
