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

/** A SUBSCRIBE message for each batch of names, every one within the venue's limits. */
export function subscribeMessages(names: readonly string[], firstId: number): string[] {
  const batches: string[][] = [];
  let batch: string[] = [];
  // The envelope with the longest id that is safe in a double.
  const envelopeBytes = Buffer.byteLength(subscribeText([], Number.MAX_SAFE_INTEGER));
  let bytes = envelopeBytes;
  for (const name of names) {
    const size = Buffer.byteLength(JSON.stringify(name)) + 1;
    const isFull = batch.length >= LIMITS.subscribeNamesMax || bytes + size > LIMITS.subscribeBytesMax;
    if (isFull && batch.length > 0) {
      batches.push(batch);
      batch = [];
      bytes = envelopeBytes;
    }
    batch.push(name);
    bytes += size;
  }
  if (batch.length > 0) batches.push(batch);
  return batches.map((params, index) => subscribeText(params, firstId + index));
}

const subscribeText = (params: readonly string[], id: number): string =>
  JSON.stringify({ method: 'SUBSCRIBE', params, id });
