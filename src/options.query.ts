/** What can be asked of the past, checked. */
import { z } from 'zod';
import { countBars, type Interval } from '../machines/model/interval.ts';
import { firstOpenFrom } from '../machines/model/ledger.ts';
import { ConfigurationError, type ConfigurationIssue } from './errors.ts';
import * as fields from './options.fields.ts';
import { describe } from './options.ts';

/** Bars that one question may ask for. */
export const HISTORICAL_BARS_MAX = 1_000_000;

const SOURCES = ['auto', 'vision', 'rest'] as const;

/** Which closed candles of the past are wanted. */
export interface HistoricalQuery {
  /** Any contract that the exchange has or had, collected or not. ASCII letters are raised. */
  readonly symbol: string;
  readonly interval: Interval;
  /** Bars that open at or after this: ms since epoch, or a Date. */
  readonly from: number | Date;
  /** And before this. At most 1 000 000 bars. */
  readonly to: number | Date;
  /**
   * `auto` (default): what the collector's own store holds, then the archive where it has whole days, then REST.
   * `vision`: the archive alone. `rest`: REST alone.
   */
  readonly source?: (typeof SOURCES)[number] | undefined;
  /** Ends it: the promise is rejected with a `ConnectionError`, code `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/** The same, with defaults. `from` and `to` are open times. */
export interface ResolvedQuery {
  readonly symbol: string;
  readonly interval: Interval;
  readonly from: number;
  readonly to: number;
  readonly source: (typeof SOURCES)[number];
  readonly signal: AbortSignal | undefined;
}

const schema = z.strictObject({
  symbol: fields.symbol,
  interval: fields.interval,
  from: fields.instant,
  to: fields.instant,
  source: z.enum(SOURCES, { error: `one of ${SOURCES.join(' ')}` }).optional(),
  signal: fields.abortSignal.optional(),
});

/** @throws {ConfigurationError} with everything that is wrong. */
export function resolveQuery(input: unknown): ResolvedQuery {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    const known = { '': Object.keys(schema.shape) };
    throw new ConfigurationError(parsed.error.issues.flatMap((issue) => describe(issue, input, known)));
  }
  const { symbol, interval, source = 'auto', signal } = parsed.data;
  const issue = rangeIssue(parsed.data);
  if (issue !== undefined) throw new ConfigurationError([issue]);
  const [from, to] = [firstOpen(interval, parsed.data.from), firstOpen(interval, parsed.data.to)];
  return { symbol, interval, from, to, source, signal };
}

/** From which day the exchange counts its three is not established: any midnight may be one. */
const firstOpen = (interval: Interval, time: number): number =>
  firstOpenFrom(interval === '3d' ? '1d' : interval, time);

function rangeIssue(query: { interval: Interval; from: number; to: number }): ConfigurationIssue | undefined {
  const { interval, from, to } = query;
  if (from >= to)
    return { option: 'to', given: new Date(to).toISOString(), allowed: 'a time behind the option from' };
  const bars = countBars(interval, firstOpen(interval, from), firstOpen(interval, to));
  if (bars <= HISTORICAL_BARS_MAX) return undefined;
  const allowed =
    `at most ${HISTORICAL_BARS_MAX} bars at a time: ask in parts, ` +
    'or load them into a store (candlestate history) and read it';
  return { option: 'to', given: `a range of ${bars} bars`, allowed };
}
