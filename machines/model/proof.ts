/** How often REST is asked about a stream that does not speak, or lacks a bar. The chart of a stream waits so long. */
import { repairDelay } from './backoff.ts';

/** A bar that REST lacks is a gap when it was asked for three times over ten to thirty seconds (contract 2), ms. */
const LACK_MAX_MS = 5_000;

/** Delay before REST is asked again for bars that it lacked, ms: 1, 2, 4, 5 … s, up to a quarter more. */
export const lackDelay = (tries: number, random: number): number =>
  Math.min(repairDelay(tries, random), Math.round(LACK_MAX_MS * (1 + random / 4)));

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
