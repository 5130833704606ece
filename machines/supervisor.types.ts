/** What goes into the charts of an application and its components, what they hear and tell, and what an end leaves. */
import type { Cleanup } from './model/cleanup.ts';
import type { Dependent } from './model/dependencies.ts';

/** What a stop may tell. */
export interface ComponentEnd {
  /** How its own parts ended. */
  readonly parts?: readonly Cleanup[];
  /** What was received and could not be saved, in rows. More than none makes the end unsound. */
  readonly lost?: number;
  /** For the line in the log, as `buffers` or `gaps`. */
  readonly notes?: Readonly<Record<string, string | number>>;
}

/** One look at the final state. */
export interface Check {
  readonly name: string;
  readonly outcome: 'ok' | 'failed' | 'skipped';
  /** What was found, or why it was not looked for. */
  readonly detail?: string;
}

/** How a component ended, with what it told. */
export interface ComponentLine extends Cleanup, ComponentEnd {}

/** A component as the charts know it. */
export interface ComponentPlan extends Dependent {
  /** How long its stop may take at most, ms. */
  readonly deadlineMs?: number;
}

export interface ComponentInput {
  readonly id: string;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** To the supervisor. */
export type ComponentReport =
  | { type: 'COMPONENT.RUNNING'; id: string; durationMs: number }
  | { type: 'COMPONENT.FAILED'; id: string; message: string; error: unknown };

/** The one that ended an application that nobody stopped, and what it ended with. */
export interface ComponentFailure {
  readonly component: string;
  /** For people, as `prices could not start: no such host`. */
  readonly message: string;
  readonly error: unknown;
}

export interface SupervisorInput {
  readonly components: readonly ComponentPlan[];
  /** What a stop may take that is given no time of its own, ms. */
  readonly stopTimeoutMs: number;
  /** What the process holds (timers, sockets …), by kind; undefined: nobody looks. */
  readonly resources: (() => readonly string[]) | undefined;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** For who listens: what has become of a component. */
export interface SupervisorNotice {
  readonly type: 'NOTICE';
  readonly level: 'debug' | 'warn';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type SupervisorEvent =
  | { type: 'REGISTER'; components: readonly ComponentPlan[] }
  | { type: 'START' }
  | { type: 'STOP'; reason: string; timeoutMs?: number }
  | ComponentReport
  /** Of a component its line, of a check what it found. */
  | { type: 'xstate.done.actor.*'; output: ComponentLine | readonly Check[]; actorId: string }
  | { type: 'xstate.error.actor.*'; error: unknown; actorId: string };
