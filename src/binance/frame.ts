/**
 * What comes on a market socket: combined or raw kline frames, other events, replies to control messages.
 * Nothing here throws: what can't be understood is said to be so.
 */
import { type Interval, isInterval } from '../../machines/model/interval.ts';
import type { Candle } from '../../machines/model/kline.ts';

/** A kline frame whose identity has been checked; its numbers are read on demand by {@link candleOf}. */
export interface KlineFrame {
  readonly kind: 'kline';
  readonly symbol: string;
  readonly interval: Interval;
  /** `k.t`, ms. */
  readonly openTime: number;
  /** `k.x`: the bar has closed and these are its final values. */
  readonly closed: boolean;
  /** `E`, ms: when the exchange sent it. */
  readonly eventTime: number;
  /** The `k` object as received. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export type Frame =
  | KlineFrame
  /** An event of another type, ours or not. `type` is its `e`, or the stream it came on; `fields` as received. */
  | { readonly kind: 'other'; readonly type: string; readonly fields: Fields }
  /** The reply to a control message. */
  | { readonly kind: 'reply'; readonly id: number }
  /** An error reply; without `id` when the request could not even be parsed (code 3). */
  | {
      readonly kind: 'refusal';
      readonly id: number | undefined;
      readonly code: number;
      readonly message: string;
    }
  /** `stream`: the name of the stream that it came on, where it says one. */
  | { readonly kind: 'malformed'; readonly reason: string; readonly stream?: string };

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const malformed = (reason: string): Frame => ({ kind: 'malformed', reason });

/** Classifies and checks one message. */
export function decodeFrame(data: Buffer): Frame {
  let parsed: unknown;
  try {
    parsed = JSON.parse(data.toString('utf8'));
  } catch {
    return malformed('not JSON');
  }
  if (!isObject(parsed)) return malformed('not an object');
  // In this order: an error wins over a result, a result over data (protocol reference 1.4).
  if (isObject(parsed['error'])) return refusal(parsed['error'], parsed['id']);
  if ('result' in parsed) return reply(parsed['result'], parsed['id']);
  return 'stream' in parsed ? combined(parsed['stream'], parsed['data']) : event(parsed);
}

function combined(stream: unknown, data: unknown): Frame {
  if (isObject(data) && typeof data['e'] === 'string') return onStream(event(data), stream);
  // Some streams carry arrays, or events without a type: known by the stream's name, and none of ours.
  if (typeof stream === 'string' && data !== undefined && !stream.includes('@kline_'))
    return { kind: 'other', type: stream, fields: isObject(data) ? data : {} };
  return onStream(malformed('combined frame without an event'), stream);
}

/** A frame that could not be understood says at least whose it was. */
const onStream = (frame: Frame, stream: unknown): Frame =>
  frame.kind === 'malformed' && typeof stream === 'string' ? { ...frame, stream } : frame;

function reply(result: unknown, id: unknown): Frame {
  // Old clients saw errors as {"result":{"code","msg"},"id"}: taken as what they are.
  if (isObject(result) && typeof result['code'] === 'number') return refusal(result, id);
  return typeof id === 'number' ? { kind: 'reply', id } : malformed('reply without a numeric id');
}

function refusal(error: Fields, id: unknown): Frame {
  return {
    kind: 'refusal',
    id: typeof id === 'number' ? id : undefined,
    code: typeof error['code'] === 'number' ? error['code'] : Number.NaN,
    message: typeof error['msg'] === 'string' ? error['msg'] : '',
  };
}

function event(fields: Fields): Frame {
  const type = fields['e'];
  if (typeof type !== 'string') return malformed('event without a type');
  if (type !== 'kline') return { kind: 'other', type, fields };
  const k = fields['k'];
  if (!isObject(k)) return malformed('kline event without k');
  const { s: symbol, i: interval, t: openTime, x: closed } = k;
  const eventTime = fields['E'];
  if (typeof symbol !== 'string' || symbol === '') return malformed('kline without a symbol');
  if (!isInterval(interval)) return malformed('kline of an unknown interval');
  if (!isTime(openTime)) return malformed('kline without an open time');
  if (typeof closed !== 'boolean') return malformed('kline without x');
  if (!isTime(eventTime)) return malformed('kline event without a time');
  return { kind: 'kline', symbol, interval, openTime, closed, eventTime, fields: k };
}

/** A time or a count as the venue writes them. */
export const isTime = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

/** The bar in a kline frame, its numbers the doubles nearest to the text; undefined when a field is not sound. */
export function candleOf(frame: KlineFrame): Candle | undefined {
  const k = frame.fields;
  return buildCandle(frame.symbol, frame.interval, 'stream', {
    openTime: k['t'],
    open: k['o'],
    high: k['h'],
    low: k['l'],
    close: k['c'],
    volume: k['v'],
    closeTime: k['T'],
    quoteVolume: k['q'],
    count: k['n'],
    takerBuyVolume: k['V'],
    takerBuyQuoteVolume: k['Q'],
  });
}

type NumericField = Exclude<keyof Candle, 'symbol' | 'interval' | 'source'>;

/** A candle of fields as the venue writes them: times and count as integers, all else as decimal text. */
export function buildCandle(
  symbol: string,
  interval: Interval,
  source: Candle['source'],
  raw: Readonly<Record<NumericField, unknown>>,
): Candle | undefined {
  if (!isTime(raw.openTime) || !isTime(raw.closeTime) || !isTime(raw.count)) return undefined;
  // One object of one shape, its keys always in this order: every candle shares a hidden class.
  const candle: Candle = {
    symbol,
    interval,
    openTime: raw.openTime,
    open: decimal(raw.open),
    high: decimal(raw.high),
    low: decimal(raw.low),
    close: decimal(raw.close),
    volume: decimal(raw.volume),
    closeTime: raw.closeTime,
    quoteVolume: decimal(raw.quoteVolume),
    count: raw.count,
    takerBuyVolume: decimal(raw.takerBuyVolume),
    takerBuyQuoteVolume: decimal(raw.takerBuyQuoteVolume),
    source,
  };
  const sound =
    Number.isFinite(candle.open) &&
    Number.isFinite(candle.high) &&
    Number.isFinite(candle.low) &&
    Number.isFinite(candle.close) &&
    Number.isFinite(candle.volume) &&
    Number.isFinite(candle.quoteVolume) &&
    Number.isFinite(candle.takerBuyVolume) &&
    Number.isFinite(candle.takerBuyQuoteVolume);
  return sound ? candle : undefined;
}

const DECIMAL = /^-?\d+(?:\.\d+)?$/;

/** The double nearest to a decimal text; NaN for anything else, the empty string and `1e400` included. */
export const decimal = (text: unknown): number =>
  typeof text === 'string' && DECIMAL.test(text) ? Number(text) : Number.NaN;
