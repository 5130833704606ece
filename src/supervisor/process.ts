/** A process's ends: signals, faults nobody caught, and a reader that went away, each led to one stop. */
import type { Clock, Logger } from '../ports.ts';
import { systemClock } from '../transport/clock.ts';
import { releaseEarlySignals } from './early-signals.ts';
import { type EndReason, EXIT, exitCodeFor } from './exit-code.ts';
import { within } from './within.ts';

/** What is needed of `process`. */
export interface ProcessHost {
  on(event: string, listener: (...values: never[]) => void): unknown;
  off(event: string, listener: (...values: never[]) => void): unknown;
  exit(code: number): void;
}

export interface SuperviseOptions {
  readonly logger: Logger & { flush(): Promise<void> };
  /**
   * Stops everything, within a deadline of its own; resolves to whether the end was sound: nothing was lost.
   * Called once.
   */
  readonly stop: (reason: EndReason) => Promise<boolean>;
  /** When `stop` has not ended by then (it should have), the process is ended with 1, ms. */
  readonly stopTimeoutMs: number;
  /**
   * Signals of one kind nearer together than this are one, ms. Default 0. A terminal's Ctrl+C reaches a
   * program under `npm start` twice, from the terminal and from npm.
   */
  readonly sameSignalMs?: number | undefined;
  /** Default `process`. */
  readonly host?: ProcessHost | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
}

export interface Supervision {
  /** Ends it from the inside. Only the first reason counts. */
  end(reason: EndReason): void;
  readonly isEnding: boolean;
  /** The exit code, once everything has stopped. */
  readonly ended: Promise<number>;
  /** Gives the signals back. */
  release(): void;
}

const FORCED_FLUSH_MS = 300;
const STOP_GRACE_MS = 1_000;

/**
 * Takes the process's signals, which only a program may do and never a library. The first SIGINT or SIGTERM
 * stops; a second one, of whichever kind, ends the process at once with 1. A fault that nobody caught is
 * logged and stops with 1.
 */
export function superviseProcess(options: SuperviseOptions): Supervision {
  const { logger, stop, sameSignalMs = 0, host = process, clock = systemClock } = options;
  const ended = Promise.withResolvers<number>();
  let reason: EndReason | undefined;
  let forced = false;
  let faulty = false;
  let last: { signal: string; at: number } | undefined;

  const exitNow = async (message: string): Promise<void> => {
    if (forced) return;
    forced = true;
    logger.warn(message);
    await within(logger.flush(), FORCED_FLUSH_MS, clock);
    host.exit(EXIT.failed);
  };

  const finish = async (why: EndReason): Promise<void> => {
    let sound = false;
    const stopping = stop(why).then(
      (result) => {
        sound = result;
      },
      (error: unknown) => logger.error('stopping failed', { error }),
    );
    if (await within(stopping, options.stopTimeoutMs + STOP_GRACE_MS, clock))
      ended.resolve(exitCodeFor(why, sound && !faulty));
    else await exitNow('the stop overran its deadline; the process is ended');
  };

  const end = (why: EndReason): void => {
    if (reason !== undefined) return;
    reason = why;
    void finish(why);
  };

  const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
    const at = clock.now();
    if (last?.signal === signal && at - last.at < sameSignalMs) return;
    last = { signal, at };
    if (reason !== undefined) {
      void exitNow('Forced exit requested');
      return;
    }
    logger.info(`${signal}: stopping; once more forces the exit`);
    end(signal);
  };
  const onFault = (error: unknown): void => {
    const stack = error instanceof Error ? error.stack : undefined;
    faulty = true;
    logger.error('a fault that nobody caught; stopping', { error, ...(stack ? { stack } : {}) });
    end('failed');
  };

  // An experimental module is our choice and not for the user to judge.
  const onWarning = (warning: Error): void => {
    if (warning.name !== 'ExperimentalWarning') logger.warn(warning.message, { warning: warning.name });
  };
  const onInterrupt = (): void => onSignal('SIGINT');
  const onTerminate = (): void => onSignal('SIGTERM');
  host.on('SIGINT', onInterrupt);
  host.on('SIGTERM', onTerminate);
  releaseEarlySignals();
  host.on('uncaughtException', onFault);
  host.on('unhandledRejection', onFault);
  host.on('warning', onWarning);

  return {
    end,
    get isEnding() {
      return reason !== undefined;
    },
    ended: ended.promise,
    release() {
      host.off('SIGINT', onInterrupt);
      host.off('SIGTERM', onTerminate);
      host.off('uncaughtException', onFault);
      host.off('unhandledRejection', onFault);
      host.off('warning', onWarning);
    },
  };
}
