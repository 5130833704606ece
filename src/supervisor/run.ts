/** An application as a process: the one call for programs that leave signals and exit code to it. */

import type { EndReason } from '../../machines/model/exit-code.ts';
import { ConfigurationError } from '../errors.ts';
import { createLogger } from '../log/logger.ts';
import type { Clock, Logger } from '../ports.ts';
import { sleep, systemClock } from '../transport/clock.ts';
import { type ProcessHost, thisProcess } from './host.ts';
import { leave } from './leave.ts';
import { type Output, watchOutput } from './output.ts';
import { ownClockOf } from './own-clock.ts';
import { type Supervision, superviseProcess } from './process.ts';
import { quiet } from './quiet.ts';
import { within } from './within.ts';

/** What is started and stopped: a `Supervisor`, or what is like one. */
export interface Application {
  /** What a stop may take unless told otherwise, ms. */
  readonly timeoutMs?: number;
  /** What has not stopped yet, by name. */
  readonly pending?: readonly string[];
  start(): Promise<unknown>;
  /** Never later than its time-out; may be called twice. `sound`: nothing was lost, no check failed. */
  stop(options: { timeoutMs?: number; reason: string }): Promise<{ readonly sound: boolean }>;
  /** Resolves when it has stopped, by itself or not; `failure` is what ended it. */
  readonly ended: Promise<{ readonly reason: string; readonly sound: boolean; readonly failure?: unknown }>;
}

/** How an application is run as a process. */
export interface RunOptions {
  /** Default: a logger that writes text to standard error. With a `flush` its lines are waited for. */
  readonly logger?: (Logger & { flush?(): Promise<unknown> }) | undefined;
  /** The program ends with 0 after this time, counted from the call, ms. Default: it runs on. */
  readonly durationMs?: number | undefined;
  /** Called when everything runs. What it throws ends the program with 1. */
  readonly onStarted?: (() => unknown) | undefined;
  /** Whole time of the stop, ms. Default: the application's own, or 5,000. */
  readonly stopTimeoutMs?: number | undefined;
  /** Signals of one kind nearer together than this are one, ms. Default: 100 under npm, which repeats them, or 0. */
  readonly sameSignalMs?: number | undefined;
  /** What has not stopped yet, named in the log when the exit is forced. Default: the application's own. */
  readonly pending?: (() => readonly string[]) | undefined;
  /** The process has more to do afterwards: nothing ends it. Default false. */
  readonly goesOn?: boolean | undefined;
  /** Default `process.stdout`: a reader that goes away ends the program with 0, without a word. */
  readonly output?: Output | undefined;
  /** Default `process`. */
  readonly host?: ProcessHost | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
}

const STOP_TIMEOUT_MS = 5_000;
/** An application that has stopped has little left to say about its start, ms. */
const START_SETTLES_MS = 1_000;

/**
 * Starts the application, ends it by whatever asks for that (SIGINT, SIGTERM, SIGHUP, the duration, a fault that nobody
 * caught, a component that ended, a reader of standard output that went away) and resolves to the exit code, which
 * `process.exitCode` then is: 0, 1, 2 for a `ConfigurationError`, 130, 143. A second signal ends the process at once
 * with 1. Signals are taken by this call and given back at its end; nothing else in the library takes any. Until then
 * the process lives, also when nothing in it is open: an application that has done its work says so by `ended`.
 *
 * @throws {ConfigurationError} for a time that is none; nothing was begun.
 *
 * When something keeps the process alive a second after the end, it is named in the log, and the process is ended.
 */
export async function runApplication(application: Application, options: RunOptions = {}): Promise<number> {
  assertTimes(options);
  const { host = thisProcess, output = process.stdout } = options;
  const clock = ownClockOf(options.clock ?? systemClock);
  const stopTimeoutMs = options.stopTimeoutMs ?? application.timeoutMs ?? STOP_TIMEOUT_MS;
  const logger = quiet(options.logger ?? createLogger());
  const supervision = superviseProcess({
    logger,
    stopTimeoutMs,
    stop: async (reason) => (await application.stop({ timeoutMs: stopTimeoutMs, reason })).sound,
    sameSignalMs: options.sameSignalMs,
    pending: options.pending ?? (() => application.pending ?? []),
    host,
    clock,
  });
  const releaseOutput = watchOutput(output, {
    onClosed: () => supervision.end('finished'),
    onFailed: (error) => {
      logger.error('standard output failed; stopping', { error });
      supervision.end('failed');
    },
  });

  const over = new AbortController();
  if (options.durationMs !== undefined) {
    sleep(clock, options.durationMs, over.signal).then(
      () => supervision.end('finished'),
      () => undefined,
    );
  }
  const starting = start(application, options.onStarted, supervision, logger);
  void watch(application, starting, supervision, logger, clock);

  const code = await supervision.ended;
  over.abort();
  supervision.release();
  releaseOutput();
  host.exitCode = code;
  if (options.goesOn !== true)
    leave(code, (message, fields) => warn(logger, message, fields), host, options.clock);
  return code;
}

/** Nothing has begun yet. */
function assertTimes({ durationMs, stopTimeoutMs }: RunOptions): void {
  const wrong = Object.entries({ durationMs, stopTimeoutMs }).filter(
    ([, given]) => given !== undefined && !(typeof given === 'number' && given >= 0),
  );
  if (wrong.length === 0) return;
  throw new ConfigurationError(
    wrong.map(([option, given]) => ({ option, given: String(given), allowed: 'ms, 0 or more' })),
  );
}

type QuietLogger = ReturnType<typeof quiet>;

/** Never rejects: what went wrong is the reason of the end. */
async function start(
  application: Application,
  onStarted: RunOptions['onStarted'],
  supervision: Supervision,
  logger: QuietLogger,
): Promise<void> {
  try {
    await application.start();
    if (!supervision.isEnding) await onStarted?.();
  } catch (error) {
    // Stopped while it started: that it did not come to run is no news.
    if (supervision.isEnding) return;
    logger.error('the start failed', { error });
    supervision.end(reasonOf(error));
  }
}

/** Ends the process when the application has ended by itself. */
async function watch(
  application: Application,
  starting: Promise<void>,
  supervision: Supervision,
  logger: QuietLogger,
  clock: Clock,
): Promise<void> {
  let reason: EndReason;
  try {
    const { failure } = await application.ended;
    // What the start has thrown says more, and nothing any more when something else ends the process already.
    if (!supervision.isEnding) await within(starting, START_SETTLES_MS, clock);
    reason = failure === undefined ? 'finished' : reasonOf(failure);
    if (failure !== undefined && !supervision.isEnding)
      logger.error('the application has failed', fieldsOf(failure));
  } catch (error) {
    logger.error('the application can not be watched', { error });
    reason = 'failed';
  }
  supervision.end(reason);
}

/** A supervisor says of which component it was. */
const fieldsOf = (failure: unknown): object =>
  typeof failure === 'object' && failure !== null && 'component' in failure && 'error' in failure
    ? { component: failure.component, error: failure.error }
    : { error: failure };

const DEPTH_MAX = 5;

/** A wrong configuration, however deep it lies, is for the user to put right. */
function reasonOf(failure: unknown, depth = 0): 'usage' | 'failed' {
  if (typeof failure !== 'object' || failure === null || depth > DEPTH_MAX) return 'failed';
  const { code, cause, error } = failure as { code?: unknown; cause?: unknown; error?: unknown };
  if (code === 'CONFIGURATION') return 'usage';
  return reasonOf(cause ?? error, depth + 1);
}

async function warn(logger: QuietLogger, message: string, fields: object): Promise<void> {
  logger.warn(message, fields);
  await logger.flush();
}
