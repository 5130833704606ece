/**
 * Interval algebra, in UTC milliseconds. Names are exact: `1m` is a minute, `1M` is a calendar month,
 * and nothing folds their case. The archive's `1mo` exists in the archive adapter alone.
 */

/** Every interval that the USDⓈ-M kline stream and REST offer. Source: Kline/Candlestick Streams, 2026-05-28. */
export const INTERVALS = [
  '1m',
  '3m',
  '5m',
  '15m',
  '30m',
  '1h',
  '2h',
  '4h',
  '6h',
  '8h',
  '12h',
  '1d',
  '3d',
  '1w',
  '1M',
] as const;

/** One of the exchange's intervals, spelled as it does; case matters. */
export type Interval = (typeof INTERVALS)[number];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY_MS = 24 * HOUR;
/** 1970-01-01 was a Thursday; the exchange's weeks start on Monday. */
const MONDAY_OFFSET = 4 * DAY_MS;

/** Length in ms of every interval but the month, which has none. */
const FIXED_MS: Record<Exclude<Interval, '1M'>, number> = {
  '1m': MINUTE,
  '3m': 3 * MINUTE,
  '5m': 5 * MINUTE,
  '15m': 15 * MINUTE,
  '30m': 30 * MINUTE,
  '1h': HOUR,
  '2h': 2 * HOUR,
  '4h': 4 * HOUR,
  '6h': 6 * HOUR,
  '8h': 8 * HOUR,
  '12h': 12 * HOUR,
  '1d': DAY_MS,
  '3d': 3 * DAY_MS,
  '1w': 7 * DAY_MS,
};

const known: ReadonlySet<string> = new Set(INTERVALS);

/** True for the exact spelling of one of the 15 intervals. */
export const isInterval = (text: unknown): text is Interval => typeof text === 'string' && known.has(text);

/** Open time of the bar that contains `time`. `3d` counts from the epoch, see {@link isAligned}. */
export function openTimeAt(interval: Interval, time: number): number {
  if (interval === '1M') {
    const date = new Date(time);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  }
  const length = FIXED_MS[interval];
  const offset = interval === '1w' ? MONDAY_OFFSET : 0;
  return Math.floor((time - offset) / length) * length + offset;
}

/** Open time of the bar after the one that opens at `openTime`. */
export function nextOpenTime(interval: Interval, openTime: number): number {
  if (interval !== '1M') return openTime + FIXED_MS[interval];
  const date = new Date(openTime);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** Open time of the bar before the one that opens at `openTime`. */
export function previousOpenTime(interval: Interval, openTime: number): number {
  return openTimeAt(interval, openTime - 1);
}

/** Last millisecond of the bar, as the exchange's `T`. */
export const closeTimeOf = (interval: Interval, openTime: number): number =>
  nextOpenTime(interval, openTime) - 1;

/**
 * Whether a bar of `interval` may open at `openTime`. The exchange's phase of `3d` is not established by
 * any source, so any midnight is accepted for it.
 */
export function isAligned(interval: Interval, openTime: number): boolean {
  if (!Number.isSafeInteger(openTime)) return false;
  if (interval === '3d') return openTime % DAY_MS === 0;
  return openTimeAt(interval, openTime) === openTime;
}

/** How many bars open in [from, to). Both must be open times. */
export function countBars(interval: Interval, from: number, to: number): number {
  if (to <= from) return 0;
  if (interval !== '1M') return Math.ceil((to - from) / FIXED_MS[interval]);
  const a = new Date(from);
  const b = new Date(to);
  return (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth();
}
