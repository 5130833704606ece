import type { Logger } from '../ports.ts';

/** A logger that throws nothing: at the end of a process there is nobody left to catch it. */
export function quiet(logger: Logger & { flush?(): Promise<unknown> }): Logger & { flush(): Promise<void> } {
  const safely =
    (level: keyof Logger) =>
    (message: string, fields?: object): void => {
      try {
        logger[level](message, fields);
      } catch {
        // What can't be logged can't be said.
      }
    };
  return {
    debug: safely('debug'),
    info: safely('info'),
    warn: safely('warn'),
    error: safely('error'),
    flush: async () => void (await logger.flush?.()),
  };
}
