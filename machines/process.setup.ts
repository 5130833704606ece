/** What the chart of the process is made of: its types, actions, guards and delays. The chart is beside it. */
import { assign, fromPromise, setup } from 'xstate';
import { type EndReason, exitCodeFor } from './model/exit-code.ts';

/** The signals that ask a process to end. */
export type EndSignal = 'SIGHUP' | 'SIGINT' | 'SIGTERM';

/** Why an exit is forced: a second signal asked for it, or the stop took longer than it may. */
export type ForcedBy = 'signal' | 'overrun';

export interface ProcessInput {
  /** What the stop may take. It keeps that itself; one that does not is left alone a little later, ms. */
  readonly stopTimeoutMs: number;
  /** Signals of one kind nearer together than this are one, ms. */
  readonly sameSignalMs: number;
  /** So many faults are told, others are only counted: telling one may be what causes the next. */
  readonly faultsToldMax: number;
  /** Monotonic ms. */
  readonly now: () => number;
}

export interface Context extends ProcessInput {
  /** The first reason; no later one replaces it. */
  readonly reason: EndReason;
  /** The stop has said that nothing was lost. */
  readonly sound: boolean;
  readonly faults: number;
  /** The last signal that counted. */
  readonly last: { readonly signal: EndSignal; readonly at: number } | undefined;
}

/** How much later than its own deadline a stop is given up, ms. */
const STOP_GRACE_MS = 1_000;
const FLUSH_MS = 1_000;
/** A forced exit is over well within a second, also when nobody takes the log's lines. */
const FORCED_FLUSH_MS = 300;

/** The signal that has just come once more, as a terminal's under `npm start` does. */
export const isRepeat = ({ last, sameSignalMs, now }: Context, signal: EndSignal): boolean =>
  last?.signal === signal && now() - last.at < sameSignalMs;

export const processSetup = setup({
  types: {
    context: {} as Context,
    input: {} as ProcessInput,
    events: {} as
      | { type: 'SIGNAL'; signal: EndSignal }
      | { type: 'END'; reason: EndReason }
      | { type: 'FAULT'; error: unknown },
    /** The exit code. */
    output: {} as number,
  },
  actors: {
    /** Stops everything; whether nothing was lost. */
    stop: fromPromise<boolean, { reason: EndReason }>(() =>
      Promise.reject(new Error('stop is not provided')),
    ),
    /** Waits until the log's lines are out. */
    flush: fromPromise<void>(() => Promise.reject(new Error('flush is not provided'))),
    /** The same, and lets go of what would hold up an exit. */
    abandon: fromPromise<void>(() => Promise.reject(new Error('abandon is not provided'))),
  },
  actions: {
    noteSignal: assign({
      last: ({ context }, params: { signal: EndSignal }) => ({ signal: params.signal, at: context.now() }),
    }),
    noteReason: assign({ reason: (_, params: { reason: EndReason }) => params.reason }),
    noteFault: assign({ faults: ({ context }) => context.faults + 1 }),
    noteStopped: assign({ sound: (_, params: { sound: boolean }) => params.sound }),
    noteForced: assign({ reason: 'failed' as const, sound: false }),
    tellSignal: (_, _params: { signal: EndSignal }) => {},
    tellFault: (_, _params: { error: unknown }) => {},
    tellStopFailed: (_, _params: { error: unknown }) => {},
    tellForced: (_, _params: { by: ForcedBy }) => {},
    /** Ends the process at once with 1. */
    exit: () => {},
  },
  guards: {
    isFirst: ({ context }) => context.last === undefined,
    isRepeat: ({ context }, params: { signal: EndSignal }) => isRepeat(context, params.signal),
    isTold: ({ context }) => context.faults < context.faultsToldMax,
  },
  delays: {
    stopOverrun: ({ context }) => context.stopTimeoutMs + STOP_GRACE_MS,
    flushLimit: FLUSH_MS,
    forcedFlushLimit: FORCED_FLUSH_MS,
  },
});

/** A fault makes a failure of any end. */
export const codeOf = ({ reason, sound, faults }: Context): number =>
  exitCodeFor(reason, sound && faults === 0);
