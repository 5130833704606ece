import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Interval,
  isInterval,
  nextOpenTime,
  openTimeAt,
  previousOpenTime,
} from '../../machines/model/interval.ts';
import { LIMITS } from '../binance/venue.ts';
import type { Market } from './market.ts';
import type { BarSource } from './source.ts';
import type { WireBar } from './units.ts';

/** A refused request: the exchange's error code and text. Source: Error Codes and measurements, 2026-10-07. */
export interface Refusal {
  readonly code: number;
  readonly msg: string;
}

/** A klines request that can be answered. */
export interface KlinesQuery {
  readonly source: BarSource;
  readonly interval: Interval;
  readonly startTime: number | undefined;
  readonly endTime: number | undefined;
  readonly limit: number;
}

const DEFAULT_LIMIT = 500;
/** Base bars summed before the event loop gets its turn. */
const BARS_PER_TURN = 20_000;

const refuse = (code: number, msg: string): Refusal => ({ code, msg });

/** Reads an unsigned integer; undefined when absent, a refusal when it is none. */
function integer(params: URLSearchParams, name: string): number | undefined | Refusal {
  const text = params.get(name);
  if (text === null) return undefined;
  if (text === '') return refuse(-1105, `Parameter '${name}' was empty.`);
  if (!/^\d{1,20}$/.test(text)) {
    return refuse(-1100, `Illegal characters found in parameter '${name}'; legal range is '^[0-9]{1,20}$'.`);
  }
  const value = Number(text);
  return value <= 8.64e15 ? value : refuse(-1130, `Data sent for parameter '${name}' is not valid.`);
}

/** Judges the parameters of a klines request. */
export function readKlinesQuery(
  find: (symbol: string) => BarSource | undefined,
  params: URLSearchParams,
): KlinesQuery | Refusal {
  const missing = (name: string): Refusal =>
    refuse(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`);
  const symbol = params.get('symbol');
  const interval = params.get('interval');
  if (!symbol) return missing('symbol');
  if (!interval) return missing('interval');
  const limit = integer(params, 'limit') ?? DEFAULT_LIMIT;
  if (typeof limit === 'object') return limit;
  if (limit < 1 || limit > LIMITS.klinesRowsMax) {
    return refuse(-1130, "Data sent for parameter 'limit' is not valid.");
  }
  const startTime = integer(params, 'startTime');
  if (typeof startTime === 'object') return startTime;
  const endTime = integer(params, 'endTime');
  if (typeof endTime === 'object') return endTime;
  if (!isInterval(interval)) return refuse(-1120, 'Invalid interval.');
  // Lower case is accepted on at least one route of the exchange.
  const source = find(symbol) ?? find(symbol.toUpperCase());
  if (!source) return refuse(-1121, 'Invalid symbol.');
  if (startTime !== undefined && endTime !== undefined && startTime > endTime) {
    return refuse(-1023, 'Start time is greater than end time.');
  }
  return { source, interval, startTime, endTime, limit };
}

/**
 * The rows, ascending. The last one is the open bar, unmarked, when the range reaches the present. A start
 * counts from the next bar boundary, an end from the one before. Bars that it `lacks` are not there.
 */
export async function klinesRows(
  market: Market,
  query: KlinesQuery,
  now: number,
  lacks: (openTime: number, endTime: number) => boolean = () => false,
): Promise<WireBar[]> {
  const { source, interval, limit } = query;
  if (!market.serves(source, interval)) return [];
  const last = openTimeAt(interval, Math.min(query.endTime ?? now, now));
  const rows: WireBar[] = [];
  const costOf = (from: number): number => (nextOpenTime(interval, from) - from) / source.baseMs;
  let work = 0;
  const add = async (openTime: number): Promise<void> => {
    const endTime = nextOpenTime(interval, openTime);
    if (lacks(openTime, endTime)) return;
    const isOver = endTime <= now;
    const row = isOver ? market.bar(source, interval, openTime) : market.forming(source, interval, now);
    if (row) rows.push(row);
    work += costOf(openTime);
    if (work < BARS_PER_TURN) return;
    work = 0;
    await nextTurn();
  };
  if (query.startTime !== undefined) {
    let open = openTimeAt(interval, query.startTime);
    if (open < query.startTime) open = nextOpenTime(interval, open);
    while (open <= last && rows.length < limit) {
      const exists = source.nextOpen(open);
      if (exists === Infinity) break;
      open = Math.max(open, openTimeAt(interval, exists));
      if (open > last) break;
      await add(open);
      open = nextOpenTime(interval, open);
    }
    return rows;
  }
  let open = last;
  while (rows.length < limit) {
    const exists = source.previousOpen(nextOpenTime(interval, open) - 1);
    if (exists === -Infinity) break;
    open = openTimeAt(interval, exists);
    await add(open);
    open = previousOpenTime(interval, open);
  }
  return rows.reverse();
}

/** A row as REST sends it: twelve elements, prices in the order open, high, low, close. */
export const restRow = (bar: WireBar): unknown[] => [
  bar.openTime,
  bar.open,
  bar.high,
  bar.low,
  bar.close,
  bar.volume,
  bar.closeTime,
  bar.quoteVolume,
  bar.count,
  bar.takerBuyVolume,
  bar.takerBuyQuoteVolume,
  '0',
];
