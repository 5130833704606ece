import type { AnyStateMachine, ContextFrom, EventFrom, InputFrom } from 'xstate';
import type { Session } from './session.ts';
import type { WalkClock } from './walk-clock.ts';

/** Something the outside world may do at any moment, besides events, time and children. */
export interface Knob<Env> {
  readonly label: string;
  run(session: Session<Env>): void;
}

/** A change of the world before the machine is made. */
export interface Start<Env> {
  readonly label: string;
  prepare(env: Env): void;
}

/**
 * What the author of a machine's walks has to say; all the rest is read from the machine. Only `machine` is needed.
 *
 * `Env` is the part of the outside world that the machine reads by reference (a buffer, a liveness stamp): made anew
 * for every walk, changed by knobs.
 */
export interface Model<Machine extends AnyStateMachine = AnyStateMachine, Env = unknown> {
  /** With `stub` provided for every child and delays made short enough to reach. */
  readonly machine: Machine;
  /** Time at which walks begin; 0 unless told. */
  readonly startAt?: number;
  env?(clock: WalkClock): Env;
  /** Worlds that walks may begin in, where the input decides something for good; only the plain one unless told. */
  readonly starts?: readonly Start<Env>[];
  input?(env: Env, clock: WalkClock): InputFrom<Machine>;
  /**
   * Payloads to try, by event descriptor (`'*'` and `'socket.*'` too). A type that is absent is sent bare. Evaluated
   * wherever steps are listed and again when a step runs, so it may depend on the time.
   */
  events?(session: Session<Env>): Readonly<Record<string, readonly EventFrom<Machine>[]>>;
  /** Events that only the machine itself raises: never sent from outside. */
  readonly internal?: readonly string[];
  /** What a child may end with; `[undefined]` unless told, `[]` if it never ends. */
  outputs?(child: string, session: Session<Env>): readonly unknown[];
  /** What a child may fail with; one plain `Error` unless told, `[]` if it never fails. */
  errors?(child: string, session: Session<Env>): readonly unknown[];
  readonly knobs?: readonly Knob<Env>[];
  /**
   * The part of context and world that tells states apart, small and finite. Too coarse shows up as missing
   * transitions, never as false coverage; too fine hits the bound.
   */
  abstract?(context: ContextFrom<Machine>, env: Env): unknown;
  /** Label of an obligation → why no walk can show it. The reason is mandatory. */
  readonly exempt?: Readonly<Record<string, string>>;
  /** Bound of the exploration; 5,000 states unless told. */
  readonly maxStates?: number;
}

/** Any model; where the tool itself handles one, it knows nothing about the machine. */
// biome-ignore lint/suspicious/noExplicitAny: a model is written against its own machine and world, and read blindly
export type AnyModel = Model<any, any>;

/**
 * Writes a model: `model(machine)({ … })`. Two calls, because TypeScript knows the machine's events and context in the
 * second one only when the first one has settled what the machine is.
 */
export function model<Machine extends AnyStateMachine>(machine: Machine) {
  return <Env = undefined>(parts: Omit<Model<Machine, Env>, 'machine'> = {}): Model<Machine, Env> => ({
    machine,
    ...parts,
  });
}
