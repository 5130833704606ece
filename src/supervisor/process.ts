/** A process's ends: signals, faults that nobody caught, and what ends it from inside, each led to one stop. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createActor, fromPromise } from 'xstate';
import { closeOnFault } from '../../machines/close-on-fault.ts';
import { type EndReason, EXIT } from '../../machines/model/exit-code.ts';
import { type EndSignal, type ForcedBy, processMachine } from '../../machines/process.machine.ts';
import { isRepeat } from '../../machines/process.setup.ts';
import type { Clock, Logger } from '../ports.ts';
import { systemClock } from '../transport/clock.ts';
import { releaseEarlySignals } from './early-signals.ts';
import { openResources, type ProcessHost, thisProcess } from './host.ts';
import { ownClockOf } from './own-clock.ts';
import { quiet } from './quiet.ts';

export type { ProcessHost } from './host.ts';

/** What ends a process, and how. */
export interface SuperviseOptions {
  /** Without `flush` its lines are taken as written at once. */
  readonly logger: Logger & { flush?(): Promise<unknown> };
  /**
   * Stops everything, within a deadline of its own; resolves to whether the end was sound: nothing was lost.
   * Called once.
   */
  readonly stop: (reason: EndReason) => Promise<boolean>;
  /** When `stop` has not ended a second after that (it should have), the process is ended with 1, ms. */
  readonly stopTimeoutMs: number;
  /**
   * Signals of one kind nearer together than this are one, ms. Default: 100 under npm, where a terminal's Ctrl+C
   * reaches a program twice, from the terminal and from npm; otherwise 0.
   */
  readonly sameSignalMs?: number | undefined;
  /** What has not stopped yet, named in the log when the exit is forced. Default: nothing is known. */
  readonly pending?: (() => readonly string[]) | undefined;
  /** Default `process`. */
  readonly host?: ProcessHost | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
}

/** A process whose signals are taken. */
export interface Supervision {
  /** Ends it from the inside. Only the first reason counts. */
  end(reason: EndReason): void;
  readonly isEnding: boolean;
  /** The exit code, once everything has stopped and the log is flushed. */
  readonly ended: Promise<number>;
  /** Gives the signals back. */
  release(): void;
}

/** More are not told: a logger that fails by itself would otherwise be told of that, and so on without an end. */
const FAULTS_TOLD_MAX = 20;

const FORCED: Readonly<Record<ForcedBy, string>> = {
  signal: 'Forced exit requested',
  overrun: 'the stop overran its deadline; the process is ended',
};

/**
 * Takes the process's signals, which only a program may do and never a library unasked. The first SIGINT, SIGTERM
 * or SIGHUP stops; a second one, of whichever kind, ends the process at once with 1, after its log is flushed. A
 * fault that nobody caught is logged and stops with 1. Until its end it keeps the process alive.
 */
export function superviseProcess(options: SuperviseOptions): Supervision {
  const { stop, pending, host = thisProcess } = options;
  const { sameSignalMs = host.sameSignalMs ?? 0 } = options;
  const clock = ownClockOf(options.clock ?? systemClock);
  const logger = quiet(options.logger);
  const ended = Promise.withResolvers<number>();

  const machine = processMachine.provide({
    actors: {
      stop: fromPromise(async ({ input }) => {
        const isSound = await stop(input.reason);
        // A fault of its last step is heard a turn later.
        await nextTurn();
        return isSound;
      }),
      flush: fromPromise(() => logger.flush()),
      abandon: fromPromise<void>(async () => {
        await Promise.allSettled([logger.flush(), host.letGo?.()]);
      }),
    },
    actions: {
      tellSignal: (_, { signal }) => logger.info(`${signal}: stopping; once more forces the exit`),
      tellFault: (_, { error }) => logger.error('a fault that nobody caught; stopping', withStack(error)),
      tellStopFailed: (_, { error }) => logger.error('stopping failed', { error }),
      tellForced: (_, { by }) => logger.error(FORCED[by], whereItStands(FORCED[by], pending)),
      exit: () => host.exit(EXIT.failed),
    },
  });
  const actor = createActor(closeOnFault(machine), {
    clock,
    input: {
      stopTimeoutMs: options.stopTimeoutMs,
      sameSignalMs,
      faultsToldMax: FAULTS_TOLD_MAX,
      now: () => clock.now(),
    },
  });
  const letGo = host.hold?.();
  actor.subscribe({
    complete: () => {
      letGo?.();
      ended.resolve(actor.getSnapshot().output ?? EXIT.failed);
    },
    // What is wrong with the chart itself must not keep a process that was told to end.
    error: () => host.exit(EXIT.failed),
  });
  actor.start();

  const isOver = (): boolean => actor.getSnapshot().status !== 'active';
  const onSignal = (signal: EndSignal): void => {
    if (!isOver()) {
      actor.send({ type: 'SIGNAL', signal });
      return;
    }
    const { context, output } = actor.getSnapshot();
    // Stopped and flushed; whatever the program still does, who asks once more need not wait for it.
    if (!isRepeat(context, signal)) host.exit(output ?? EXIT.failed);
  };
  const onFault = (error: unknown): void => {
    if (isOver()) logger.error('a fault that nobody caught, after the end', withStack(error));
    else actor.send({ type: 'FAULT', error });
  };
  // An experimental module is our choice and not for the user to judge.
  const onWarning = (warning: Error): void => {
    if (warning.name !== 'ExperimentalWarning') logger.warn(warning.message, { warning: warning.name });
  };
  const listeners: readonly (readonly [string, (value: never) => void])[] = [
    ['SIGINT', () => onSignal('SIGINT')],
    ['SIGTERM', () => onSignal('SIGTERM')],
    ['SIGHUP', () => onSignal('SIGHUP')],
    ['uncaughtException', onFault],
    ['unhandledRejection', onFault],
    ['warning', onWarning],
  ];
  for (const [event, listener] of listeners) host.on(event, listener);
  releaseEarlySignals();

  return {
    end(reason) {
      if (!isOver()) actor.send({ type: 'END', reason });
    },
    get isEnding() {
      return !actor.getSnapshot().matches('running');
    },
    ended: ended.promise,
    release() {
      for (const [event, listener] of listeners) host.off(event, listener);
    },
  };
}

/** What is thrown may be anything, also what throws when it is looked at. */
function withStack(error: unknown): object {
  try {
    const stack = error instanceof Error ? error.stack : undefined;
    return stack === undefined ? { error } : { error, stack };
  } catch {
    return { error: 'it throws when it is looked at' };
  }
}

/** Where the program is, and what it still waits for: what one wants to know of a stop that was cut short. */
function whereItStands(message: string, pending: SuperviseOptions['pending']): object {
  const fields = { stack: stackHere(message), resources: openResources() };
  try {
    return { ...fields, pending: pending?.() };
  } catch (error) {
    return { ...fields, pending: error };
  }
}

const FRAMES_MAX = 50;

/** The stack without the interpreter of the chart, which is all that would fit otherwise. */
function stackHere(message: string): string {
  const { stackTraceLimit } = Error;
  // Frozen where a program has hardened what it runs on.
  Reflect.set(Error, 'stackTraceLimit', FRAMES_MAX);
  const stack: unknown = new Error(message).stack;
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  // Whoever prepares stacks may have made something else of it.
  if (typeof stack !== 'string') return message;
  return stack
    .split('\n')
    .filter((line) => !/[\\/]node_modules[\\/]xstate[\\/]/u.test(line))
    .join('\n');
}
