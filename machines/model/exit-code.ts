/** Exit codes of a process. A code above 128 is 128 and the number of the signal, as shells have it. */
export const EXIT = {
  finished: 0,
  failed: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  /** The terminal is gone, or the connection that it was reached by. */
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
} as const;

/**
 * Why a process is to end. `finished`: its work is done, or its time is up, or nobody reads its output any
 * more. `failed`: it can't go on. `usage`: it was asked for what can't be.
 */
export type EndReason = keyof typeof EXIT;

/** The code for a reason. Whatever the reason, an end that was not `sound` (rows were lost) is a failure. */
export const exitCodeFor = (reason: EndReason, sound: boolean): number =>
  sound || reason === 'usage' ? EXIT[reason] : EXIT.failed;
