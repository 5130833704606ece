/** What an application is made of, as the supervisor knows it. */
import type { Check, ComponentEnd } from '../../machines/supervisor.types.ts';

export type { Check, ComponentEnd };

/** A part of an application that is started and stopped. */
export interface Component {
  /** Names it in reports, in logs and in `dependsOn`; unique in its application. */
  readonly name: string;
  /** Those that must run before this one starts. They outlive it: it has stopped before they are asked to. */
  readonly dependsOn?: readonly string[];
  /**
   * How long its stop may take at most, ms. Default: what the whole application has left. It is never given more
   * than that, less what is kept for the report.
   */
  readonly deadlineMs?: number;
  /** Starts it; it runs when this resolves. The signal is aborted when the application is stopped meanwhile. */
  start?(signal: AbortSignal, context: StartContext): unknown;
  /**
   * Ends it. Called once for whatever has begun to start, also when that failed. The signal is aborted at its
   * deadline; from then on nobody waits for it any more. What it resolves to is passed on to the report where it is
   * a {@link ComponentEnd}.
   */
  stop?(signal: AbortSignal, context: StopContext): unknown;
  /** Its final state, looked at when every component has stopped. What throws is a check that failed. */
  verify?(signal: AbortSignal, context: VerifyContext): readonly Check[] | Promise<readonly Check[]>;
}

/** What a component is given for its life. */
export interface StartContext {
  /** To be called when it ends by itself, with what ended it: the application is stopped then. */
  readonly ended: (error?: unknown) => void;
}

/** What a component is told of its end. */
export interface StopContext {
  /** What it has, ms: its deadline, or what is left of the whole. */
  readonly timeoutMs: number;
  /** Why the application stops. */
  readonly reason: string;
}

/** What a component is told for the look at its final state. */
export interface VerifyContext {
  /** What is left for all checks, ms. What can't be done in that time is to be reported as skipped. */
  readonly timeoutMs: number;
}
