import type { Clock } from '../ports.ts';
import { systemClock } from '../transport/clock.ts';
import { openResources, type ProcessHost, thisProcess } from './host.ts';
import { within } from './within.ts';

const GUARD_MS = 1_000;
const FLUSH_MS = 300;

/**
 * Lets the process end by itself with `code`: everything has been stopped, so nothing should hold it. When
 * something does for a second, `warn` is told what, and the process is ended.
 */
export function leave(
  code: number,
  warn: (message: string, fields: object) => Promise<void>,
  host: ProcessHost = thisProcess,
  clock: Clock = systemClock,
): void {
  host.exitCode = code;
  const end = async (): Promise<void> => {
    await within(
      warn('something kept the process alive; it is ended', { held: openResources() }),
      FLUSH_MS,
      clock,
    );
    host.exit(code);
  };
  const guard = clock.setTimeout(() => void end(), GUARD_MS);
  // A machine's timer would hold the process itself; a simulated one has nothing to let go of.
  (guard as Partial<NodeJS.Timeout>).unref?.();
}
