import type { Clock, Logger } from '../ports.ts';

/** A message of one kind is said at most so often, wall ms. */
const QUIET_MS = 10_000;
/** Kinds that are told apart. */
const KINDS_MAX = 100;

/**
 * Says what is odd on a socket without being flooded by it: each kind once in ten seconds, with how many came
 * meanwhile. A peer that sends nonsense a thousand times a second is not to fill the log of an embedder.
 */
export function oddityLog(logger: Logger, clock: Clock): (message: string, fields: object) => void {
  const said = new Map<string, { at: number; unsaid: number }>();
  return (message, fields) => {
    const now = clock.now();
    const last = said.get(message);
    if (last !== undefined && now - last.at < QUIET_MS) {
      last.unsaid += 1;
      return;
    }
    if (said.size >= KINDS_MAX) said.clear();
    said.set(message, { at: now, unsaid: 0 });
    logger.warn(
      message,
      last === undefined || last.unsaid === 0 ? fields : { ...fields, alsoSince: last.unsaid },
    );
  };
}
