/** What the chart of a load is made of: its types, actions, guards and delays. The chart is beside it. */
import { assign, emit, enqueueActions, fromPromise, setup } from 'xstate';
import type { Notice } from './collector.notices.ts';
import { type Cleanup, cleanup, describe } from './model/cleanup.ts';
import { type RestReport, type RestSessionInput, restSessionMachine } from './rest-session.machine.ts';

export interface HistoryInput {
  readonly rest: RestSessionInput;
  /** Name of where the bars go, as `store`: for the report. */
  readonly sink: string;
  /** Nothing is to be loaded: only what would be is wanted. */
  readonly isDryRun: boolean;
  /** What a stop may take that is given no time of its own, and the end of a load that nobody stops, ms. */
  readonly stopTimeoutMs: number;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** How much there is to do. */
export interface HistoryPlanned {
  /** Parts that are to be fetched. */
  readonly pieces: number;
}

/** How far it has come. */
export interface HistoryStep {
  /** Bars that no source had, and that are to be asked for again before it goes on, or ends: in runs. */
  readonly lacking: number;
  /** More of the range is to come. */
  readonly hasMore: boolean;
}

/** `finished`: all that could be had is there. `stopped`: somebody asked for the end before. */
export type HistoryOutcome = 'finished' | 'stopped' | 'failed';

export interface HistoryOutput {
  readonly outcome: HistoryOutcome;
  /** What ended it, when it failed. */
  readonly error: unknown;
  /** Why it was stopped; empty when nobody stopped it. */
  readonly reason: string;
  /** What it was made of, and how that ended. */
  readonly lines: readonly Cleanup[];
}

export interface HistoryLife {
  readonly outcome: HistoryOutcome;
  readonly error: unknown;
  readonly reason: string;
  readonly pending: readonly string[];
  readonly lines: readonly Cleanup[];
  readonly stopMs: number;
  readonly stopSince: number;
  /** When who asked for the stop wants to have its report; undefined: nobody has asked. */
  readonly stopBy: number | undefined;
}

export const freshHistory: HistoryLife = {
  outcome: 'finished',
  error: undefined,
  reason: '',
  pending: [],
  lines: [],
  stopMs: 0,
  stopSince: 0,
  stopBy: undefined,
};

const ARCHIVE = 'archive';

/** The caller's deadline less what it takes to settle promises and write the report. */
const inner = (timeoutMs: number): number => timeoutMs - Math.min(250, timeoutMs * 0.05);

const notProvided = (name: string) => () => Promise.reject(new Error(`${name} is not provided`));

export const historySetup = setup({
  types: {
    context: {} as HistoryInput & HistoryLife,
    input: {} as HistoryInput,
    events: {} as
      | { type: 'START' }
      | { type: 'STOP'; reason: string; timeoutMs?: number }
      | RestReport
      | { type: 'xstate.done.actor.*'; output: Cleanup | undefined; actorId: string }
      | { type: 'xstate.error.actor.*'; error: unknown; actorId: string },
    emitted: {} as Notice,
    output: {} as HistoryOutput,
  },
  actors: {
    rest: restSessionMachine,
    /** Reaches the exchange where that is ours to do, and opens what the bars go into. */
    open: fromPromise<void>(notProvided('open')),
    /** Looks what is there already, and what has to be fetched. */
    plan: fromPromise<HistoryPlanned>(notProvided('plan')),
    /** Fetches, and hands over in order, until all is there or something has to be asked for again. */
    load: fromPromise<HistoryStep>(notProvided('load')),
    /** Asks again for what lacks, and names what the exchange has not. */
    confirm: fromPromise<HistoryStep>(notProvided('confirm')),
    /** Makes sure that all that was handed over is kept: committed, or a file under its name. */
    finish: fromPromise<void>(notProvided('finish')),
    /** Keeps what can be kept and lets go of the store or the file. */
    closeSink: fromPromise<void>(notProvided('closeSink')),
    /** Lets go of the archive's files. */
    closeArchive: fromPromise<void>(notProvided('closeArchive')),
  },
  actions: {
    spawnRest: enqueueActions(({ context, enqueue }) => {
      enqueue.spawnChild('rest', { id: context.rest.id, systemId: 'rest', input: context.rest });
      enqueue.assign({ pending: [context.rest.id] });
    }),
    noteStop: assign({
      outcome: 'stopped' as const,
      reason: (_, params: { reason: string; timeoutMs?: number }) => params.reason,
      stopMs: ({ context }, params: { reason: string; timeoutMs?: number }) =>
        inner(params.timeoutMs ?? context.stopTimeoutMs),
      stopSince: ({ context }) => context.now(),
      stopBy: ({ context }, params: { reason: string; timeoutMs?: number }) =>
        context.now() + (params.timeoutMs ?? context.stopTimeoutMs),
    }),
    noteFailure: assign({
      outcome: 'failed' as const,
      error: (_, params: { error: unknown }) => params.error,
      stopMs: ({ context }) => inner(context.stopTimeoutMs),
      stopSince: ({ context }) => context.now(),
    }),
    noteFinished: assign({
      stopMs: ({ context }) => inner(context.stopTimeoutMs),
      stopSince: ({ context }) => context.now(),
    }),
    /** All at once: none of them needs another to end. */
    closeAll: enqueueActions(({ context, enqueue }) => {
      enqueue.spawnChild('closeSink', { id: context.sink });
      enqueue.spawnChild('closeArchive', { id: ARCHIVE });
      if (context.pending.includes(context.rest.id))
        enqueue.sendTo(context.rest.id, { type: 'CLOSE', withinMs: context.stopMs * 0.9 });
      enqueue.assign({ pending: [...context.pending, context.sink, ARCHIVE] });
    }),
    /** A child that is done stays in `children` until it is stopped. */
    dropChild: enqueueActions(({ context, enqueue }, params: { id: string; line: Cleanup }) => {
      enqueue.stopChild(params.id);
      enqueue.assign({
        pending: context.pending.filter((id) => id !== params.id),
        lines: [...context.lines, params.line],
      });
    }),
    force: enqueueActions(({ context, enqueue }) => {
      for (const id of context.pending) enqueue.stopChild(id);
      const now = context.now();
      enqueue.assign({
        pending: [],
        lines: [
          ...context.lines,
          ...context.pending.map((id) => cleanup(id, 'forced', context.stopSince, now)),
        ],
      });
    }),
    notice: emit((_, params: Omit<Notice, 'type'>): Notice => ({ type: 'NOTICE', ...params })),
  },
  guards: {
    isDryRun: ({ context }) => context.isDryRun,
    isThere: (_, params: HistoryPlanned) => params.pieces === 0,
    lacks: (_, params: HistoryStep) => params.lacking > 0,
    hasMore: (_, params: HistoryStep) => params.hasMore,
    allClosed: ({ context }) => context.pending.length === 0,
  },
  delays: {
    deadline: ({ context }) => context.stopMs,
  },
});

type Context = HistoryInput & HistoryLife;

/** How a child ended: a chart says so itself, of the others it is enough that they did. */
export const endedLine = ({ stopSince, now }: Context, id: string, output: Cleanup | undefined): Cleanup =>
  output ?? cleanup(id, 'closed', stopSince, now());

export const failedLine = ({ stopSince, now }: Context, id: string, error: unknown): Cleanup =>
  cleanup(id, 'failed', stopSince, now(), error);

/** What went wrong with a child that nobody stopped. */
export const lostChild = (id: string, error?: unknown): Error =>
  error === undefined
    ? new Error(`${id} ended by itself`)
    : new Error(`${id} failed: ${describe(error)}`, { cause: error });
