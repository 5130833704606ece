/** REST requests and answers of the venue, as data: nothing here talks to it. */
import type { Candle, Series } from '../../machines/model/kline.ts';
import type { Priority } from '../../machines/model/weight-budget.ts';
import { ExchangeError } from '../errors.ts';
import type { HttpAnswer } from '../ports.ts';
import { buildCandle } from './frame.ts';
import { readPatience } from './patience.ts';
import { klinesWeight, LIMITS, REST_PATHS } from './venue.ts';

/** A GET of the venue: what to ask and what it costs. */
export interface VenueRequest {
  readonly path: string;
  readonly params: Readonly<Record<string, string | number>>;
  /** Request weight. */
  readonly weight: number;
  /** `background`: history and comparisons, which must not be in the way of what is owed now. Default `live`. */
  readonly priority?: Priority;
  /** What is given of a good answer: the bytes of its body, a JSON array. Default: what they say, parsed. */
  readonly wants?: 'bytes';
}

export const timeRequest: VenueRequest = { path: REST_PATHS.time, params: {}, weight: 1 };
export const exchangeInfoRequest: VenueRequest = { path: REST_PATHS.exchangeInfo, params: {}, weight: 1 };

/** The most rows of a page that costs 2, which is the cheapest a row, and of one that costs 5. */
const CHEAPEST_ROWS = 499;
const LARGE_ROWS = 1000;

/**
 * Bars from `startTime` (inclusive, an open time) on. The limit is always explicit: leaving it out costs more
 * (protocol reference 2.2).
 */
export function klinesRequest(
  series: Series,
  startTime: number,
  rows: number,
  priority: Priority = 'live',
): VenueRequest {
  const limit = Math.max(1, Math.min(rows, LIMITS.klinesRowsMax));
  return {
    path: REST_PATHS.klines,
    params: { symbol: series.symbol, interval: series.interval, startTime, limit },
    weight: klinesWeight(limit),
    priority,
  };
}

/** The same bars as bytes, for `readKlineRows`. */
export const klineRowsRequest = (
  series: Series,
  startTime: number,
  rows: number,
  priority: Priority = 'live',
): VenueRequest => ({ ...klinesRequest(series, startTime, rows, priority), wants: 'bytes' });

/** How many rows to ask for next where so many bars are missing: what costs the least weight for all of them. */
export function pageRows(missing: number): number {
  // As much as two pages and a third of a row or two, in one request.
  if (missing > 2 * CHEAPEST_ROWS && missing <= LARGE_ROWS) return missing;
  return Math.max(1, Math.min(missing, CHEAPEST_ROWS));
}

/** The newest bars of a series, the last of which is the open one. */
export const newestKlineRequest = (series: Series, rows = 1): VenueRequest => ({
  path: REST_PATHS.klines,
  params: { symbol: series.symbol, interval: series.interval, limit: rows },
  weight: klinesWeight(rows),
});

/** The URL of a request; symbols that are not ASCII are percent-encoded as UTF-8. */
export function requestUrl(restUrl: string, request: VenueRequest): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.params)) query.set(name, String(value));
  const text = query.toString();
  return `${restUrl}${request.path}${text === '' ? '' : `?${text}`}`;
}

/**
 * The JSON body of a good answer; throws an {@link ExchangeError} for any other.
 * `localNow`: the local calendar, ms since epoch, where an answer without a `Date` names a time.
 */
export function readAnswer(answer: HttpAnswer, path: string, localNow = Number.NaN): unknown {
  if (answer.status !== 200) throw refusal(answer, path, localNow);
  const body = parseJson(answer.text);
  if (body !== undefined) return body;
  throw malformedBody(path, 'the body of the answer is not JSON');
}

/**
 * The bytes of a good answer, which hold a JSON array by the look of them: what is in it is for who parses it. Throws
 * an {@link ExchangeError} for any other, as {@link readAnswer} does.
 */
export function readArrayBytes(answer: HttpAnswer, path: string, localNow = Number.NaN): Uint8Array {
  if (answer.status !== 200) throw refusal(answer, path, localNow);
  if (looksLikeArray(answer.bytes)) return answer.bytes;
  throw malformedBody(path, 'the body of the answer is no JSON array');
}

const [OPEN, CLOSE, BLANK] = [0x5b, 0x5d, 0x20];

/** Begins and ends as an array, or as an array of arrays: one that was cut between two of them does not. */
function looksLikeArray(bytes: Uint8Array): boolean {
  const isBlank = (index: number): boolean => (bytes[index] ?? Number.NaN) <= BLANK;
  let [first, last] = [0, bytes.length - 1];
  while (isBlank(first)) first++;
  while (isBlank(last)) last--;
  if (first >= last || bytes[first] !== OPEN || bytes[last] !== CLOSE) return false;
  do first++;
  while (isBlank(first));
  do last--;
  while (isBlank(last));
  return bytes[first] !== OPEN || bytes[last] === CLOSE;
}

/** What an answer of another status than 200 says. */
function refusal(answer: HttpAnswer, path: string, localNow: number): ExchangeError {
  const detail = errorBody(parseJson(answer.text));
  return new ExchangeError(
    `${path} answered HTTP ${answer.status}${detail === undefined ? '' : `: ${detail.msg} (${detail.code})`}`,
    {
      code: detail === undefined ? `HTTP_${answer.status}` : String(detail.code),
      status: answer.status,
      // In the exchange's own words 400 says that the request is wrong, which the same request will be again. Anything
      // else may pass, and so may the 400 of something in between.
      retryable: answer.status !== 400 || detail === undefined,
      retryAfterMs: readPatience(answer, localNow),
    },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorBody(body: unknown): { code: number; msg: string } | undefined {
  if (typeof body !== 'object' || body === null || !('code' in body) || !('msg' in body)) return undefined;
  return typeof body.code === 'number' && typeof body.msg === 'string'
    ? { code: body.code, msg: body.msg }
    : undefined;
}

/** An answer that is not what was asked for; asking again may help. */
export const malformedBody = (path: string, what: string): ExchangeError =>
  new ExchangeError(`${path}: ${what}`, { code: 'HTTP_MALFORMED', status: 200, retryable: true });

/** The exchange's time in a `/time` body, ms. */
export function readServerTime(body: unknown): number {
  const time =
    typeof body === 'object' && body !== null && 'serverTime' in body ? body.serverTime : undefined;
  if (typeof time === 'number' && Number.isSafeInteger(time) && time > 0) return time;
  throw malformedBody(REST_PATHS.time, 'no serverTime in the answer');
}

/** Bars of a klines body, as received: ascending, the open one possibly last and not marked. */
export function readKlines(series: Series, body: unknown): Candle[] {
  if (!Array.isArray(body)) throw malformedBody(REST_PATHS.klines, 'the answer is not an array');
  return body.map((row: unknown, index) => {
    const candle = Array.isArray(row) ? readRow(series, row) : undefined;
    if (candle === undefined) throw malformedBody(REST_PATHS.klines, `row ${index} is not a kline`);
    return candle;
  });
}

function readRow(series: Series, row: readonly unknown[]): Candle | undefined {
  return buildCandle(series.symbol, series.interval, 'rest', {
    openTime: row[0],
    open: row[1],
    high: row[2],
    low: row[3],
    close: row[4],
    volume: row[5],
    closeTime: row[6],
    quoteVolume: row[7],
    count: row[8],
    takerBuyVolume: row[9],
    takerBuyQuoteVolume: row[10],
  });
}
