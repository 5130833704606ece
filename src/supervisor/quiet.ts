import type { Logger } from '../ports.ts';

/** What is given from outside is called in the middle of a chart's step, or of an end: it may throw, and ends nothing. */
export const contained =
  <Args extends unknown[]>(call: (...args: Args) => unknown) =>
  (...args: Args): void => {
    try {
      call(...args);
    } catch {
      // Its own fault, and there is nobody else to tell: this may be the log.
    }
  };

/** A logger that throws nothing. */
export const quiet = (
  logger: Logger & { flush?(): Promise<unknown> },
): Logger & { flush(): Promise<void> } => ({
  debug: contained((...args) => logger.debug(...args)),
  info: contained((...args) => logger.info(...args)),
  warn: contained((...args) => logger.warn(...args)),
  error: contained((...args) => logger.error(...args)),
  flush: async () => void (await logger.flush?.()),
});

/** For who is given no logger. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
