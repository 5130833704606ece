import type { Logger } from 'winston';
import type { Clock } from '../ports.ts';
import { systemClock } from '../transport/clock.ts';

const FLUSH_MS = 1_000;

/**
 * Ends a winston logger and waits until each of its transports has written what it was given: `process.exit` right
 * after a line loses that line, and most before it. Resolves to whether all was out within `timeoutMs` (default 1 s),
 * and never rejects. The logger takes nothing afterwards; lines that still come are dropped.
 */
export async function flushWinston(
  logger: Logger,
  timeoutMs: number = FLUSH_MS,
  clock: Clock = systemClock,
): Promise<boolean> {
  let failed = false;
  // Also for lines after the end, which winston takes for an error, and unheard that would end the process.
  logger.on('error', () => {
    failed = true;
  });
  let timer: unknown;
  const late = new Promise<false>((resolve) => {
    timer = clock.setTimeout(() => resolve(false), timeoutMs);
  });
  const out = new Promise<true>((resolve) => {
    if (logger.writableFinished) resolve(true);
    logger.once('finish', () => resolve(true));
    logger.once('error', () => resolve(true));
    if (!logger.writableEnded) logger.end();
  });
  const inTime = await Promise.race([out, late]);
  clock.clearTimeout(timer);
  return inTime && !failed;
}
