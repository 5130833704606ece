import { type Actor, createActor, fromPromise } from 'xstate';
import { cleanupMachine } from '../../machines/cleanup.machine.ts';
import { type CleanupReport, cleanupReportOf } from '../../machines/cleanup.setup.ts';
import { closeOnFault } from '../../machines/close-on-fault.ts';
import { describe } from '../../machines/model/cleanup.ts';
import { CandlestateError, ConfigurationError, type ConfigurationIssue } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import { MAX_TIMER_MS, systemClock } from '../transport/clock.ts';

export type { CleanupReport };

/**
 * Lets one thing go. May be synchronous; what it throws is collected. The signal is aborted when the time is over:
 * from then on nobody waits for it, nor hears how it ends.
 */
export type CleanupTask = (signal: AbortSignal) => unknown;

/** How long a cleanup may take, and who hears of it. */
export interface DeadlineCleanupOptions {
  /** For all tasks together, from the start of the run, ms; 0 gives them the present turn. Default 5 000. */
  readonly timeoutMs?: number | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** Hears one line when it has ended: debug when all was closed, warn when not. Default: nobody. */
  readonly logger?: Pick<Logger, 'debug' | 'warn'> | undefined;
  /** Ends the run at once when it is aborted. A run that begins when it is already has no more than the present turn. */
  readonly signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 5_000;

/** What is wrong with a value, if it is. */
const issue = (option: string, given: unknown, allowed: string, isAllowed: boolean): ConfigurationIssue[] =>
  isAllowed ? [] : [{ option, given: typeof given === 'number' ? String(given) : kindOf(given), allowed }];
const kindOf = (value: unknown): string =>
  value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
const can = (value: unknown, ...methods: readonly string[]): boolean =>
  isObject(value) && methods.every((method) => typeof value[method] === 'function');

/** @throws {ConfigurationError} naming all that can't work. */
function check(options: DeadlineCleanupOptions): void {
  if (!isObject(options)) throw new ConfigurationError(issue('options', options, 'an object', false));
  const { timeoutMs = TIMEOUT_MS, clock = systemClock, logger, signal } = options;
  const issues = [
    ...issue(
      'timeoutMs',
      timeoutMs,
      `a number of ms from 0 to ${MAX_TIMER_MS}`,
      typeof timeoutMs === 'number' && timeoutMs >= 0 && timeoutMs <= MAX_TIMER_MS,
    ),
    ...issue(
      'clock',
      clock,
      'an object with now, setTimeout and clearTimeout',
      can(clock, 'now', 'setTimeout', 'clearTimeout'),
    ),
    ...issue(
      'logger',
      logger,
      'an object with debug and warn',
      logger === undefined || can(logger, 'debug', 'warn'),
    ),
    ...issue(
      'signal',
      signal,
      'an AbortSignal',
      signal === undefined || can(signal, 'addEventListener', 'removeEventListener'),
    ),
  ];
  if (issues.length > 0) throw new ConfigurationError(issues);
}

/** The chart, with tasks that are taken as they begin: whoever waits for one holds on to none. */
const machineOf = (take: (slot: string) => CleanupTask | undefined) =>
  closeOnFault(
    cleanupMachine.provide({
      actors: {
        task: fromPromise<void, { slot: string }>(({ input, signal }) =>
          new Promise((resolve) => resolve(take(input.slot)?.(signal))).then(() => {}),
        ),
      },
    }),
  );

/**
 * Lets things go before a deadline: every task is begun at once, none waits for another, what one throws is collected,
 * and what is late is cancelled and named in the report. The time it takes is bounded, whatever the tasks do, short of
 * blocking the thread.
 *
 * ```ts
 * await using cleanup = new DeadlineCleanup({ timeoutMs: 2_000 });
 * cleanup.add('temporary file', () => rm(path));
 * ```
 *
 * With `await using` it runs at the end of the block, and masks no error that leaves the block. Once a task has begun
 * nothing here refers to it any more, so what it held can be collected as garbage while others still hang.
 *
 * @throws {ConfigurationError} from the constructor, for options that can't work.
 */
export class DeadlineCleanup implements AsyncDisposable {
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #logger: DeadlineCleanupOptions['logger'];
  readonly #signal: AbortSignal | undefined;
  readonly #actor: Actor<ReturnType<typeof machineOf>>;
  readonly #tasks = new Map<string, CleanupTask>();
  readonly #report = Promise.withResolvers<CleanupReport>();
  #added = 0;

  constructor(options: DeadlineCleanupOptions = {}) {
    check(options);
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger;
    this.#signal = options.signal;
    const clock = this.#clock;
    const take = (slot: string): CleanupTask | undefined => {
      const task = this.#tasks.get(slot);
      this.#tasks.delete(slot);
      return task;
    };
    this.#actor = createActor(machineOf(take), { clock, input: { now: () => clock.now() } });
    this.#actor.subscribe({
      complete: () => this.#settle(this.#actor.getSnapshot().output as CleanupReport),
      // A fault of ours: what is known is told all the same, for this never rejects.
      error: (error) => {
        const report = cleanupReportOf(this.#actor.getSnapshot().context);
        this.#settle({ ...report, clean: false, errors: [...report.errors, error] });
      },
    });
    this.#actor.start();
  }

  /** What is left until the deadline, ms: all of it before the run, nothing when the signal is aborted. */
  get remainingMs(): number {
    if (this.#signal?.aborted) return 0;
    const snapshot = this.#actor.getSnapshot();
    if (snapshot.matches('collecting')) return this.#timeoutMs;
    const { since, withinMs } = snapshot.context;
    return Math.max(0, withinMs - (this.#clock.now() - since));
  }

  /**
   * Adds a task; returns the function that takes it out again, for what was let go of already, and does nothing once
   * the task has begun. While it runs a task is begun at once and has what is left of the time. Names may repeat.
   *
   * @throws {CandlestateError} with code `CLEANUP_ENDED` when it has ended: nobody would call the task any more, so
   * what it was to let go of is the caller's again.
   * @throws {ConfigurationError} for a name or a task that is none.
   */
  add(name: string, task: CleanupTask): () => void {
    const issues = [
      ...issue('name', name, 'a text that is not empty', typeof name === 'string' && name !== ''),
      ...issue('task', task, 'a function', typeof task === 'function'),
    ];
    if (issues.length > 0) throw new ConfigurationError(issues);
    if (!this.#isActive)
      throw new CandlestateError(`the cleanup has ended; '${name}' came too late and was not begun`, {
        code: 'CLEANUP_ENDED',
      });
    const slot = `task${this.#added++}`;
    this.#tasks.set(slot, task);
    this.#actor.send({ type: 'ADD', slot, name });
    return () => {
      if (this.#tasks.delete(slot)) this.#actor.send({ type: 'REMOVE', slot });
    };
  }

  /** Begins all tasks, and resolves when each has ended or the time is over. Never rejects. One run, one report. */
  run(): Promise<CleanupReport> {
    if (this.#isActive) {
      this.#signal?.addEventListener('abort', this.#abort, { once: true });
      this.#actor.send({ type: 'RUN', withinMs: this.remainingMs });
    }
    return this.#report.promise;
  }

  /** Runs it. An error that is leaving the block is not masked: this never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.run();
  }

  /** An actor that has ended complains of events on the console. */
  get #isActive(): boolean {
    return this.#actor.getSnapshot().status === 'active';
  }

  readonly #abort = (): void => {
    if (this.#isActive) this.#actor.send({ type: 'ABORT' });
  };

  #settle(report: CleanupReport): void {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#tasks.clear();
    try {
      this.#log(report);
    } catch {
      // The log's own fault, and there is nobody else to tell.
    }
    this.#report.resolve(report);
  }

  #log({ clean, tasks, cancelled, errors, durationMs }: CleanupReport): void {
    if (clean) {
      this.#logger?.debug('cleaned up', { tasks: tasks.length, durationMs });
      return;
    }
    const failed = tasks.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name);
    this.#logger?.warn('not everything could be cleaned up', {
      cancelled,
      failed,
      errors: errors.map(describe),
      durationMs,
    });
  }
}
