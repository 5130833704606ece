#!/usr/bin/env node
import { EXIT } from '../../machines/model/exit-code.ts';
/** The bin. Leaves by the natural end of the event loop; a guard ends what would hang. */
import { takeEarlySignals } from '../supervisor/early-signals.ts';
import { leave } from '../supervisor/leave.ts';

takeEarlySignals();

// Nobody reading is no reason to die; commands listen for it where it means something.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
// Node's own printing of warnings would get between log lines; the supervision logs them.
process.removeAllListeners('warning');

/** Commands have loggers of their own; this one is for what happens outside of them, and loaded only then. */
async function say(level: 'warn' | 'error', message: string, fields: object): Promise<void> {
  const { createLogger } = await import('../log/logger.ts');
  const logger = createLogger();
  logger[level](message, fields);
  await logger.flush();
}
const warn = (message: string, fields: object): Promise<void> => say('warn', message, fields);

try {
  const { run } = await import('./program.ts');
  const code = await run(process.argv.slice(2), process.env);
  // All is over and the signals were given back; one that comes now has nothing to change any more.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(code));
  leave(code, warn);
} catch (error) {
  const stack = error instanceof Error ? error.stack : undefined;
  await say('error', 'candlestate failed', { error, ...(stack === undefined ? {} : { stack }) });
  leave(EXIT.failed, warn);
}
