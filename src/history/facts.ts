import { endedBefore, openTimeFrom } from '../../machines/model/history-plan.ts';
import type { Series } from '../../machines/model/kline.ts';
import type { Span } from '../../machines/model/spans.ts';
import { RestRefused } from '../../machines/rest-session.machine.ts';
import type { RestPort } from '../actors/rest-port.ts';
import { isGone } from '../binance/gone.ts';
import { readKlineRows } from '../binance/kline-rows.ts';
import { klinesRequest, readServerTime, timeRequest } from '../binance/rest.ts';
import { ExchangeError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { HistoryNote, HistoryQuery } from './types.ts';

/** What has to be known before a history can be planned. */
export interface Facts {
  /** The exchange's time, or the local one where nobody could be asked, ms. */
  readonly exchangeNow: number;
  /** Of the first bar that REST has of the series, ms. */
  readonly firstOpenTime: number | undefined;
  /** REST said that it does not know the symbol, or knows it no more. */
  readonly isGone: boolean;
  readonly notes: readonly HistoryNote[];
}

/** A bar that ended so lately may still change in a copy that lags, exchange ms (protocol reference Q9). */
const STALE_MS = 15_000;

/** Asks REST, where it may be asked; where it can't be reached the local clock has to do, unless REST is the only source. */
export async function findFacts(
  query: HistoryQuery,
  rest: RestPort | undefined,
  clock: Clock,
  signal?: AbortSignal,
): Promise<Facts> {
  const local = { exchangeNow: clock.wallNow(), firstOpenTime: undefined, isGone: false };
  if (rest === undefined) return { ...local, notes: [] };
  try {
    const exchangeNow = readServerTime(await rest.ask(timeRequest, signal));
    return { exchangeNow, ...(await findFirst(query, rest, signal)), notes: [] };
  } catch (error) {
    signal?.throwIfAborted();
    const isUnreachable = error instanceof ExchangeError || error instanceof RestRefused;
    if (!isUnreachable || query.source === 'rest') throw error;
    const { symbol, interval, from, to } = query;
    const note: HistoryNote = {
      symbol,
      interval,
      kind: 'unreachable',
      from,
      to,
      found: `REST: ${error.message}`,
      done: 'the local clock says which bars have ended',
    };
    return { ...local, notes: [note] };
  }
}

async function findFirst(
  series: Series,
  rest: RestPort,
  signal?: AbortSignal,
): Promise<Pick<Facts, 'firstOpenTime' | 'isGone'>> {
  try {
    const { rows, columns } = readKlineRows(series, await rest.ask(klinesRequest(series, 0, 1), signal));
    return { firstOpenTime: rows === 0 ? undefined : columns.openTime[0], isGone: false };
  } catch (error) {
    if (!isGone(error)) throw error;
    return { firstOpenTime: undefined, isGone: true };
  }
}

/** The time up to which bars have ended for long enough, ms. */
export const endedBy = ({ exchangeNow }: Facts): number => exchangeNow - STALE_MS;

/** The range that is asked for, as open times, without what can't be; and notes of what that leaves out. */
export function possibleRange(query: HistoryQuery, facts: Facts): { range: Span; notes: HistoryNote[] } {
  const { symbol, interval } = query;
  const { firstOpenTime: first } = facts;
  const asked: Span = {
    from: openTimeFrom(interval, query.from, first),
    to: openTimeFrom(interval, query.to, first),
  };
  const notes: HistoryNote[] = [];
  const outside = (from: number, to: number, found: string): void =>
    void notes.push({ symbol, interval, kind: 'outside', from, to, found, done: 'not asked for' });
  const end = endedBefore(interval, endedBy(facts), first);
  const from = Math.max(asked.from, first ?? asked.from);
  const to = Math.max(from, Math.min(asked.to, end));
  if (asked.from < from && asked.from < asked.to)
    outside(asked.from, Math.min(from, asked.to), `the series begins at ${new Date(from).toISOString()}`);
  if (asked.to > Math.max(end, asked.from))
    outside(Math.max(asked.from, end), asked.to, 'bars that have not ended, or only just');
  return { range: { from, to }, notes };
}
