import { systemClock } from '../transport/clock.ts';
import { within } from './within.ts';

const GUARD_MS = 1_000;
const FLUSH_MS = 300;

/**
 * Lets the process end by itself with `code`: everything has been stopped, so nothing should hold it. When
 * something does for a second, `warn` is told what, and the process is ended.
 */
export function leave(code: number, warn: (message: string, fields: object) => Promise<void>): void {
  process.exitCode = code;
  const end = async (): Promise<void> => {
    await within(
      warn('something kept the process alive; it is ended', { held: process.getActiveResourcesInfo() }),
      FLUSH_MS,
    );
    process.exit(code);
  };
  (systemClock.setTimeout(() => void end(), GUARD_MS) as NodeJS.Timeout).unref();
}
