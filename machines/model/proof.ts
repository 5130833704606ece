/** How often a stream that does not speak is asked about. Pure; the chart of a stream waits so long. */

/** Longest pause between two questions about one stream, ms. */
const PAUSE_MAX_MS = 10 * 60_000;

const doubled = (baseMs: number, times: number): number =>
  Math.min(Math.max(baseMs, PAUSE_MAX_MS), baseMs * 2 ** Math.min(times, 16));

/** How long a stream found quiet for the `times`-th time in a row is left alone, ms: doubled up to 10 minutes. */
export const quietPause = (silenceMs: number, times: number): number => doubled(silenceMs, times);

/**
 * How long a mute stream is given after the `times`-th report of it, ms: what was done about it needs its time,
 * and a socket that carries two hundred others is not to be given up again and again for one.
 */
export const mutePause = (proofDelayMs: number, times: number): number => doubled(proofDelayMs, times);
