/**
 * The rules of a series: what a bar is to what is already held. Total functions over plain data; the cursor
 * keeps the data.
 */
import { closeTimeOf, type Interval, isAligned, nextOpenTime, openTimeAt } from './interval.ts';
import type { Candle, Series } from './kline.ts';

/**
 * - `next`: the bar that is due; deliver it.
 * - `duplicate`: held already; count it.
 * - `ahead`: a later one; those between are missing, it waits.
 * - `first`: nothing is held and nothing is owed yet; the series starts here.
 */
export type Verdict = 'first' | 'next' | 'duplicate' | 'ahead';

/** What a closed bar is, given the open time that is due. */
export function judge(dueOpenTime: number | undefined, openTime: number): Verdict {
  if (dueOpenTime === undefined) return 'first';
  if (openTime === dueOpenTime) return 'next';
  return openTime < dueOpenTime ? 'duplicate' : 'ahead';
}

/** Why a closed bar cannot be what it claims to be; undefined when it can. */
export const insanity = (candle: Candle, exchangeNow: number): string | undefined =>
  misplacement(candle, exchangeNow) ?? implausibility(candle);

/** Why a bar cannot be at the place that it claims. */
export function misplacement(candle: Candle, exchangeNow: number): string | undefined {
  if (!isAligned(candle.interval, candle.openTime)) return 'misaligned open time';
  if (candle.closeTime !== closeTimeOf(candle.interval, candle.openTime)) return 'wrong close time';
  return candle.openTime > exchangeNow ? 'opens in the future' : undefined;
}

/** What is odd in the values of a bar. The stream's word alone is then not enough; REST's is (fault D07). */
export function implausibility(candle: Omit<Candle, keyof Series | 'openTime'>): string | undefined {
  if (candle.low > candle.high) return 'low above high';
  if (candle.open > candle.high || candle.open < candle.low) return 'open outside low and high';
  if (candle.close > candle.high || candle.close < candle.low) return 'close outside low and high';
  if (candle.volume < 0 || candle.quoteVolume < 0 || candle.count < 0) return 'negative volume or count';
  return undefined;
}

/**
 * The open time up to which (exclusively) bars have ended for at least `graceMs` by exchange time: every bar
 * before it is owed by now.
 */
export const owedBefore = (interval: Interval, exchangeNow: number, graceMs: number): number =>
  openTimeAt(interval, exchangeNow - graceMs);

/** Whether a bar is final at an exchange time that is certainly past. The last millisecond belongs to it. */
export const hasEnded = (candle: Pick<Candle, 'closeTime'>, exchangeTime: number): boolean =>
  candle.closeTime < exchangeTime;

/** The first open time at or after `time`. */
export const firstOpenFrom = (interval: Interval, time: number): number => {
  const at = openTimeAt(interval, time);
  return at === time ? at : nextOpenTime(interval, at);
};
