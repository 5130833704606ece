import { finished } from 'node:stream';
import type { Logger } from 'winston';
import type { Clock } from '../ports.ts';
import { systemClock } from '../transport/clock.ts';

const FLUSH_MS = 1_000;

/**
 * Ends a winston logger and waits until each of its transports has written what it was given: `process.exit` right
 * after a line loses that line, and most before it. Resolves to whether all was written within `timeoutMs` (default
 * 1 s), and never rejects. The logger takes nothing afterwards; lines that still come are dropped.
 */
export async function flushWinston(
  logger: Logger,
  timeoutMs: number = FLUSH_MS,
  clock: Clock = systemClock,
): Promise<boolean> {
  // For lines after the end: winston takes them for an error, and unheard that would end the process.
  logger.on('error', () => {});
  let timer: unknown;
  const late = new Promise<false>((resolve) => {
    timer = clock.setTimeout(() => resolve(false), timeoutMs);
  });
  const out = new Promise<boolean>((resolve) => {
    finished(logger, { readable: false }, (error) => resolve(!error));
    logger.end();
  });
  const inTime = await Promise.race([out, late]);
  clock.clearTimeout(timer);
  return inTime;
}
