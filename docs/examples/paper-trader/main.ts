/** A paper trader: runs until its time is up, it fails, or it is told to stop, and always leaves its books in order. */
import { ConfigurationError, createLogger, runApplication } from 'candlestate';
import { createApplication } from './application.ts';
import { readFlags, type Settings, USAGE, UsageError } from './flags.ts';

async function run({ durationMs, failAfterMs, logFile, ...settings }: Settings): Promise<number> {
  const logger = createLogger({ ...(logFile === undefined ? {} : { file: logFile }) });
  if (failAfterMs !== undefined)
    setTimeout(() => {
      throw new Error('a fault, as --fail-after asked for');
    }, failAfterMs).unref();
  const application = createApplication(settings, logger);
  return runApplication(application, { logger, ...(durationMs === undefined ? {} : { durationMs }) });
}

try {
  process.exitCode = await run(readFlags(process.argv.slice(2)));
} catch (error) {
  // What a flag means is known to whoever uses it: a URL, to the collector.
  if (!(error instanceof UsageError || error instanceof ConfigurationError)) throw error;
  process.stderr.write(`${error.message}\n${USAGE}\n`);
  process.exitCode = 2;
}
