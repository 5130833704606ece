/** Stream names, and the control messages that subscribe to them. */
import { INTERVALS, type Interval, isInterval } from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';
import { LIMITS } from './venue.ts';

/**
 * Lower-cases ASCII letters and nothing else: the venue lists symbols in Chinese characters and expects the
 * others as they are. Source: measured 2026-10-07.
 */
export const lowerAscii = (text: string): string => text.replace(/[A-Z]+/g, (part) => part.toLowerCase());

/** Raises ASCII letters and nothing else. */
export const upperAscii = (text: string): string => text.replace(/[a-z]+/g, (part) => part.toUpperCase());

/** `btcusdt@kline_1m`. The symbol is lower case; the interval keeps its case, for `1M` is not `1m`. */
export const streamName = (series: Series): string => `${lowerAscii(series.symbol)}@kline_${series.interval}`;

/** The series of a kline stream name; undefined for any other stream. */
export function seriesOfStream(name: string): Series | undefined {
  const at = name.indexOf('@kline_');
  if (at <= 0) return undefined;
  const interval = name.slice(at + '@kline_'.length);
  return isInterval(interval) ? { symbol: upperAscii(name.slice(0, at)), interval } : undefined;
}

/** Says what is allowed, and what was probably meant, for an interval that is not one. */
export function intervalHint(given: string): string {
  if (given === '1mo') return "a month is '1M' here; '1mo' is the archive's spelling";
  const folded = INTERVALS.filter((interval) => interval.toLowerCase() === given.toLowerCase());
  const meant: Interval | undefined = folded[0];
  const list = `allowed: ${INTERVALS.join(' ')} (case matters: 1m is a minute, 1M a month)`;
  return meant === undefined ? list : `did you mean '${meant}'? ${list}`;
}

export type ControlMethod = 'SUBSCRIBE' | 'UNSUBSCRIBE';

/** The envelope with the longest method and the longest id that is safe in a double. */
const ENVELOPE_BYTES = Buffer.byteLength(controlMessage('UNSUBSCRIBE', [], Number.MAX_SAFE_INTEGER));

/** As many of the names, from the first on, as one control message may carry; at least one of any. */
export function fittingNames(names: Iterable<string>): string[] {
  const fitting: string[] = [];
  let bytes = ENVELOPE_BYTES;
  for (const name of names) {
    bytes += Buffer.byteLength(JSON.stringify(name)) + 1;
    const isFull = fitting.length >= LIMITS.subscribeNamesMax || bytes > LIMITS.subscribeBytesMax;
    if (isFull && fitting.length > 0) break;
    fitting.push(name);
  }
  return fitting;
}

/** The text of a control message. */
export function controlMessage(method: ControlMethod, params: readonly string[], id: number): string {
  return JSON.stringify({ method, params, id });
}
