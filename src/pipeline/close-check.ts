import type { Candle } from '../../machines/model/kline.ts';
import { hasEnded, implausibility, insanity, misplacement } from '../../machines/model/ledger.ts';
import type { Counters } from './counters.ts';
import type { Cursor } from './cursor.ts';
import type { PipelineOptions } from './pipeline-options.ts';

/**
 * The stamp of a close may lie so much before the bar's end, as a share of `aheadMs`: 20 ms of wall time. Timers go
 * off a little early, and a stamp is cut to the millisecond; at a time scale of 60 that is a second.
 */
const STAMP_SHARE = 1 / 250;

/** The exchange's stamp may be this much ahead of our idea of its time, exchange ms: the machine may have slept. */
const STAMP_LEAD_MS = 3_600_000;

/**
 * Why a frame that claims to close a bar does not; undefined when it does. `eventTime` is the exchange's own stamp,
 * `exchangeNow` our idea of its time (NaN when not known), `aheadMs` how far that may lag: all exchange ms.
 */
export function whyNoClose(
  candle: Candle,
  eventTime: number,
  exchangeNow: number,
  aheadMs: number,
): string | undefined {
  // The stamp says how late it is there, for ours may lag; but not without bound: a bar of next year would be waited for.
  const theirs = Number.isNaN(exchangeNow) ? eventTime : Math.min(eventTime, exchangeNow + STAMP_LEAD_MS);
  const now = Math.max(exchangeNow || 0, theirs) + aheadMs;
  // However much our idea of its time is worth: by its own stamp a close comes behind the bar's end.
  const isOver = hasEnded(candle, now) && hasEnded(candle, eventTime + aheadMs * STAMP_SHARE);
  return insanity(candle, now) ?? (isOver ? undefined : 'closed before its end');
}

/** Whether a bar of REST is one that the cursor may take; what is odd about it is said. */
export function isPlaced(
  cursor: Cursor,
  candle: Candle,
  exchangeNow: number,
  { aheadMs, onOddity }: Pick<PipelineOptions, 'aheadMs' | 'onOddity'>,
  counters: Counters,
): boolean {
  if (candle.openTime < (cursor.due ?? Infinity) || candle.openTime >= cursor.endTime) return false;
  const odd = { series: cursor.key, openTime: candle.openTime };
  const misplaced = misplacement(candle, exchangeNow + aheadMs);
  if (misplaced !== undefined) {
    counters.insane += 1;
    onOddity('REST has a bar that cannot be where it claims', { ...odd, reason: misplaced });
    return false;
  }
  const reason = implausibility(candle);
  if (reason !== undefined)
    onOddity('REST itself has an odd bar; it is kept as the exchange has it', { ...odd, reason });
  return true;
}
