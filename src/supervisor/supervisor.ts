import { type Actor, createActor, type InspectionEvent } from 'xstate';
import { closeOnFault } from '../../machines/close-on-fault.ts';
import { componentMachine } from '../../machines/component.machine.ts';
import { describe, isRetryable } from '../../machines/model/cleanup.ts';
import { supervisorMachine } from '../../machines/supervisor.machine.ts';
import { CandlestateError, ConfigurationError } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import { systemClock } from '../transport/clock.ts';
import type { Component } from './component.ts';
import { lifeActor, stopActor, verifyActor } from './component-actors.ts';
import { ownClockOf } from './own-clock.ts';
import { contained, quiet, silent } from './quiet.ts';
import { isDuration, plansOf } from './registration.ts';
import { brokenReport, reportOf, type SupervisorReport } from './report.ts';
import { processResources, resourcesActor } from './resources.ts';
import { summaryLine } from './summary.ts';

/** The life of an application, as in its statechart. */
export type SupervisorState = 'idle' | 'starting' | 'running' | 'stopping' | 'verifying' | 'stopped';

/** What an application is made of, and how long its end may take. */
export interface SupervisorOptions {
  readonly components?: readonly Component[];
  /** Deadline of a whole stop with all its checks, ms. Default 5,000. */
  readonly timeoutMs?: number | undefined;
  readonly logger?: Logger | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** Aborting it stops the application, and refuses a start. */
  readonly signal?: AbortSignal | undefined;
  /** XState inspection. */
  readonly inspect?: ((event: InspectionEvent) => void) | undefined;
  /**
   * What the process holds, by kind, as `process.getActiveResourcesInfo()` says it, which is looked at by default:
   * when all has ended it may hold no more than it did at the start. `false`: nobody looks.
   */
  readonly resources?: (() => readonly string[]) | false | undefined;
}

/** How an application is to stop. */
export interface SupervisorStopOptions {
  /** Deadline of the whole stop, ms; default: the option `timeoutMs`. */
  readonly timeoutMs?: number;
  /** For the components, the report and the log; default `asked`. */
  readonly reason?: string;
}

export type SupervisorActor = Actor<typeof supervisorMachine>;

const DEFAULT_TIMEOUT_MS = 5_000;

/** Those of this process that have not stopped: what one holds can't be told from what another has left behind. */
const running = new Set<Supervisor>();

/**
 * An application: components that are started in the order of what they depend on, and stopped in the reverse order,
 * each against its own deadline and all against one. Takes no signals of the process.
 *
 * A face over the actor system: everything that can be asked of it is read from the statechart.
 *
 * @throws {ConfigurationError} from the constructor, listing every component that can't work.
 */
export class Supervisor implements AsyncDisposable {
  readonly #components = new Map<string, Component>();
  readonly #actor: SupervisorActor;
  readonly #logger: Logger;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => void this.stop({ reason: 'aborted' });
  #state: SupervisorState = 'idle';
  #report: SupervisorReport | undefined;

  constructor(options: SupervisorOptions = {}) {
    const {
      components = [],
      timeoutMs = DEFAULT_TIMEOUT_MS,
      clock = systemClock,
      inspect,
      resources,
    } = options;
    if (!isDuration(timeoutMs))
      throw new ConfigurationError([
        { option: 'timeoutMs', given: String(timeoutMs), allowed: 'ms that a timer can wait' },
      ]);
    this.#logger = quiet(options.logger ?? silent);
    this.#signal = options.signal;
    const own = ownClockOf(clock);
    const look = resources ?? processResources;
    const find = (name: string): Component => this.#components.get(name) ?? { name };
    const component = closeOnFault(
      componentMachine.provide({ actors: { life: lifeActor(find), stop: stopActor(find) } }),
    );
    this.#actor = createActor(
      closeOnFault(
        supervisorMachine.provide({
          actors: {
            component,
            verify: verifyActor(find),
            resources: resourcesActor(own, () => running.size === 1),
          },
        }),
      ),
      {
        clock: own,
        ...(inspect === undefined ? {} : { inspect: contained(inspect) }),
        input: {
          components: [],
          stopTimeoutMs: timeoutMs,
          resources: look === false ? undefined : look,
          now: () => clock.now(),
        },
      },
    );
    this.#observe();
    this.#actor.start();
    this.register(...components);
  }

  /** The XState actor: snapshots, subscriptions, inspection. */
  get actor(): SupervisorActor {
    return this.#actor;
  }

  get state(): SupervisorState {
    const { status, value } = this.#actor.getSnapshot();
    if (status !== 'active') return 'stopped';
    return typeof value === 'string' ? value : 'verifying';
  }

  /** Deadline of a stop that names none, ms. */
  get timeoutMs(): number {
    return this.#actor.getSnapshot().context.stopTimeoutMs;
  }

  /** Components that have not ended yet. */
  get pending(): readonly string[] {
    return [...this.#actor.getSnapshot().context.pending];
  }

  /** How the run ends, or how the last one has ended: also when nobody asks, as when a component ends by itself. */
  get ended(): Promise<SupervisorReport> {
    return this.#reaches(['stopped']).then(() => this.#lastReport());
  }

  /**
   * Adds components, in any order: what one depends on may be there already or come in the same call.
   *
   * @throws {ConfigurationError} listing all that is wrong with them (names, circles, deadlines, types), or when it
   * has been started. Nothing is added then.
   */
  register(...components: readonly Component[]): this {
    if (this.state !== 'idle')
      throw new ConfigurationError([
        { option: 'components', given: `in state '${this.state}'`, allowed: 'to be added before the start' },
      ]);
    const plans = plansOf(components, this.#actor.getSnapshot().context.components);
    for (const component of components) this.#components.set(component.name, component);
    this.#actor.send({ type: 'REGISTER', components: plans });
    return this;
  }

  /**
   * Starts all components; resolves when all of them run. Called again while it runs, it changes nothing and waits
   * for the same. Allowed again from `stopped`.
   *
   * @throws {CandlestateError} when everything that had begun has been stopped again. Codes: `COMPONENT_FAILED` (one
   * could not start, or ended meanwhile; `cause` is its error), `STOPPED` (stopped before all ran), `ABORTED` (by the
   * signal), and at once `STOPPING` (started while it was stopping).
   */
  async start(): Promise<void> {
    if (this.#signal?.aborted) throw this.#aborted();
    const { state } = this;
    if (state === 'stopping' || state === 'verifying')
      throw new CandlestateError('the application is stopping; await stop() before starting again', {
        code: 'STOPPING',
        retryable: true,
      });
    const { status, error: cause } = this.#actor.getSnapshot();
    if (status !== 'active')
      throw new CandlestateError('the actor of this supervisor has ended; make a new one', {
        code: 'COMPONENT_FAILED',
        cause,
      });
    const isNew = state === 'idle' || state === 'stopped';
    const settled = this.#reaches(['running', 'stopped'], isNew ? 'next' : 'now');
    if (isNew) this.#actor.send({ type: 'START' });
    const end = await settled;
    if (end.state !== 'running') throw this.#whyNot(end.snapshot);
  }

  /**
   * Stops all components, and looks at what is left, never later than the deadline. Never rejects. Idempotent:
   * whoever calls it, whenever, gets the one report.
   */
  async stop(options: SupervisorStopOptions = {}): Promise<SupervisorReport> {
    // Never rejects, whatever it is called with: an event handler may pass on what it was given.
    const { timeoutMs, reason = 'asked' } = options ?? {};
    const ended = this.#reaches(['stopped']);
    // An actor that has ended complains of events on the console.
    if (this.#actor.getSnapshot().status === 'active')
      this.#actor.send({
        type: 'STOP',
        reason: describe(reason),
        ...(isDuration(timeoutMs) ? { timeoutMs } : {}),
      });
    await ended;
    return this.#lastReport();
  }

  /** Stops. An error that is leaving the block is not masked: this never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ reason: 'disposed' });
  }

  #lastReport(): SupervisorReport {
    return this.#report ?? this.#makeReport();
  }

  #makeReport(): SupervisorReport {
    const { status, context, error } = this.#actor.getSnapshot();
    if (status === 'active') return reportOf(context);
    return brokenReport(context, context.pending, error ?? new Error('its actor was stopped'));
  }

  /** Resolves when the chart comes to one of these states, with what it knew then; or is in one `now`. */
  #reaches(wanted: readonly SupervisorState[], since: 'now' | 'next' = 'now'): Promise<Moment> {
    return new Promise((resolve) => {
      const here = (): boolean => {
        const { state } = this;
        if (!wanted.includes(state)) return false;
        resolve({ state, snapshot: this.#actor.getSnapshot() });
        return true;
      };
      if (since === 'now' && here()) return;
      // Who subscribes inside a listener is told of the present state, too.
      const present = this.#actor.getSnapshot();
      const subscription = this.#actor.subscribe({
        next: (snapshot) => {
          if ((since === 'now' || snapshot !== present) && here()) subscription.unsubscribe();
        },
        error: here,
        complete: here,
      });
    });
  }

  #aborted(): CandlestateError {
    const cause: unknown = this.#signal?.reason;
    return new CandlestateError('the signal given to the supervisor is aborted', { code: 'ABORTED', cause });
  }

  /** Why it stopped instead of running. */
  #whyNot({ status, context, error }: Moment['snapshot']): CandlestateError {
    const code = 'COMPONENT_FAILED';
    if (status === 'error') return new CandlestateError('the supervisor failed', { code, cause: error });
    const { failure, reason } = context;
    if (failure !== undefined)
      return new CandlestateError(failure.message, {
        code,
        cause: failure.error,
        retryable: isRetryable(failure.error),
      });
    if (this.#signal?.aborted) return this.#aborted();
    return new CandlestateError(`stopped before all components ran: ${reason}`, {
      code: 'STOPPED',
      retryable: true,
    });
  }

  /** Turns what the chart does into log lines. */
  #observe(): void {
    this.#actor.on('NOTICE', ({ level, message, fields }) => this.#logger[level](message, fields));
    this.#actor.subscribe({
      next: () => this.#noteState(),
      error: (error) => {
        // A fault of ours that no chart could contain: said, and everything let go.
        this.#logger.error(`the supervisor failed: ${describe(error)}`, { error });
        this.#noteState();
      },
      complete: () => this.#noteState(),
    });
  }

  #noteState(): void {
    const { state: to } = this;
    const from = this.#state;
    if (from === to) return;
    this.#state = to;
    if (to === 'stopped') running.delete(this);
    else running.add(this);
    // While it runs: a signal may outlive many applications, and would keep each of them.
    if (to === 'stopped') this.#signal?.removeEventListener('abort', this.#onAbort);
    else this.#signal?.addEventListener('abort', this.#onAbort);
    const { reason } = this.#actor.getSnapshot().context;
    this.#logger.debug(`application: ${from} → ${to}`, reason === '' ? {} : { reason });
    if (to !== 'stopped') return;
    // Taken down as it stopped: a listener may start the next run at once.
    this.#report = this.#makeReport();
    this.#logger[this.#report.sound ? 'info' : 'error'](summaryLine(this.#report), {
      clean: this.#report.clean,
    });
  }
}

/** The chart at one moment. */
interface Moment {
  readonly state: SupervisorState;
  readonly snapshot: ReturnType<SupervisorActor['getSnapshot']>;
}
