/** How the time of a whole stop is shared out. All in ms, counted from when the stop was asked for. */

/** Kept of a whole for what comes after the components: the looks at the final state, and the report. */
const RESERVE_MS = 250;
/** Of a small whole the reserve is no more than this. */
const RESERVE_SHARE = 0.1;

const reserveOf = (wholeMs: number): number => Math.min(RESERVE_MS, wholeMs * RESERVE_SHARE);

/** When components that have not ended are given up. */
export const forceAfter = (wholeMs: number): number => wholeMs - reserveOf(wholeMs) / 2;

/** When nobody looks at the final state any more. The rest is for timers that are late. */
export const reportAfter = (wholeMs: number): number => wholeMs - reserveOf(wholeMs) / 4;

/**
 * What a component has that is asked to stop when `leftMs` of the whole is left: its own deadline, or all but the
 * reserve. Where those before it have used up the rest it has half of what there is, and so has the next one: each
 * is asked, and has some time.
 */
export function componentTime(
  wholeMs: number,
  leftMs: number,
  deadlineMs = Number.POSITIVE_INFINITY,
): number {
  const reserve = reserveOf(wholeMs);
  const share = Math.max(0, leftMs - reserve, (leftMs - reserve / 2) / 2);
  return Math.floor(Math.min(deadlineMs, share));
}
