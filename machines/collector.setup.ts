/** What the collector's chart is made of: its types, actions, guards and delays. The chart is beside it. */
import { assign, emit, enqueueActions, fromCallback, fromPromise, setup } from 'xstate';
import { type FeedInput, type FeedOutput, type FeedReport, feedMachine } from './feed.machine.ts';
import { prepareDelay } from './model/backoff.ts';
import { type Cleanup, cleanup, isRetryable } from './model/cleanup.ts';
import { type RestSessionInput, restSessionMachine } from './rest-session.machine.ts';
import { type StoreInput, type StoreOutput, type StoreReport, storeMachine } from './store.machine.ts';

export interface CollectorInput {
  readonly store: StoreInput;
  readonly rest: RestSessionInput;
  /** From START to `streaming`; undefined: as long as it takes. */
  readonly connectTimeoutMs: number | undefined;
  /** After the first attempt to prepare that failed, ms; then doubled. */
  readonly preparePauseMs: number;
  readonly stopTimeoutMs: number;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** What the exchange said about what was asked for: the shards to open. */
export interface Prepared {
  readonly feeds: readonly FeedInput[];
}

/** Why a collector ended that nobody stopped. */
export interface Failure {
  readonly kind: 'connect-timeout' | 'prepare' | 'component';
  readonly message: string;
  readonly cause?: unknown;
}

/** For the log, through the actor's `on('NOTICE')`. */
export interface Notice {
  readonly type: 'NOTICE';
  readonly level: 'info' | 'warn' | 'error';
  /** Stable name of what happened: `FEED_UP`, `FEED_DOWN`, `STORE_TROUBLE`, `PREPARE_FAILED`. */
  readonly code: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type ChildDone = Cleanup | StoreOutput | FeedOutput;
export const linesOf = (output: ChildDone): readonly Cleanup[] => {
  if ('lines' in output) return output.lines;
  const { name, outcome, durationMs, error } = output;
  return [{ name, outcome, durationMs, ...(error === undefined ? {} : { error }) }];
};
export const unwrittenOf = (output: ChildDone): number => ('unwritten' in output ? output.unwritten : 0);

/** Children that answer CLOSE and end by themselves; the others are simply stopped. */
export interface Lifetimes {
  /** The shards, from when they are known. */
  readonly feeds: readonly FeedInput[];
  readonly pending: readonly string[];
  readonly up: readonly string[];
  readonly lines: readonly Cleanup[];
  readonly unwritten: number;
  readonly reason: string;
  readonly failure: Failure | undefined;
  readonly trouble: string;
  /** Attempts to prepare that failed since START, and how long the pause after the last one is, ms. */
  readonly prepareTries: number;
  readonly prepareMs: number;
  readonly stopMs: number;
  readonly stopSince: number;
  readonly stopTook: number;
}

export const fresh: Lifetimes = {
  feeds: [],
  pending: [],
  up: [],
  lines: [],
  unwritten: 0,
  reason: '',
  failure: undefined,
  trouble: '',
  prepareTries: 0,
  prepareMs: 0,
  stopMs: 0,
  stopSince: 0,
  stopTook: 0,
};

/** The caller's deadline less what it takes to settle promises and write the report. */
const inner = (timeoutMs: number): number => timeoutMs - Math.min(250, timeoutMs * 0.05);

export const collectorSetup = setup({
  types: {
    context: {} as CollectorInput & Lifetimes,
    input: {} as CollectorInput,
    events: {} as
      | { type: 'START' }
      | { type: 'STOP'; reason: string; timeoutMs?: number }
      | FeedReport
      | StoreReport
      | { type: 'xstate.done.actor.*'; output: ChildDone; actorId: string }
      | { type: 'xstate.error.actor.*'; error: unknown; actorId: string },
    emitted: {} as Notice,
  },
  actors: {
    store: storeMachine,
    rest: restSessionMachine,
    feed: feedMachine,
    /** Exchange information and time: all that must be known before anything is created or dialled. */
    prepare: fromPromise<Prepared>(() => Promise.reject(new Error('prepare is not provided'))),
    /** Keeps the exchange clock right for as long as it lives. */
    keepTime: fromCallback(() => {
      throw new Error('keepTime is not provided');
    }),
    /** Looks through the cursors for bars that are owed, for as long as it lives. */
    watchBars: fromCallback(() => {
      throw new Error('watchBars is not provided');
    }),
    /** Compares closed bars with REST once more, for as long as it lives. */
    auditBars: fromCallback(() => {
      throw new Error('auditBars is not provided');
    }),
    /** Asks again for bars that the exchange lacked, for as long as it lives. */
    recheckGaps: fromCallback(() => {
      throw new Error('recheckGaps is not provided');
    }),
  },
  actions: {
    reset: assign(fresh),
    spawnRest: enqueueActions(({ context, enqueue }) => {
      enqueue.spawnChild('rest', { id: context.rest.id, systemId: 'rest', input: context.rest });
      enqueue.assign({ pending: [context.rest.id] });
    }),
    spawnStore: enqueueActions(({ context, enqueue }) => {
      enqueue.spawnChild('store', { id: context.store.id, systemId: 'store', input: context.store });
      enqueue.assign({ pending: [...context.pending, context.store.id] });
    }),
    noteFeeds: assign({ feeds: (_, params: { feeds: readonly FeedInput[] }) => params.feeds }),
    spawnFeeds: enqueueActions(({ context, enqueue }) => {
      enqueue.spawnChild('keepTime', { id: 'keepTime' });
      enqueue.spawnChild('watchBars', { id: 'watchBars' });
      enqueue.spawnChild('auditBars', { id: 'auditBars' });
      enqueue.spawnChild('recheckGaps', { id: 'recheckGaps' });
      for (const feed of context.feeds) enqueue.spawnChild('feed', { id: feed.id, input: feed });
      enqueue.assign({ pending: [...context.pending, ...context.feeds.map((feed) => feed.id)] });
    }),
    stopHelpers: enqueueActions(({ enqueue }) => {
      enqueue.stopChild('keepTime');
      enqueue.stopChild('watchBars');
      enqueue.stopChild('auditBars');
      enqueue.stopChild('recheckGaps');
    }),
    noteUp: assign({
      up: ({ context }, params: { id: string }) =>
        context.up.includes(params.id) ? context.up : [...context.up, params.id],
    }),
    noteDown: assign({
      up: ({ context }, params: { id: string; reason: string }) =>
        context.up.filter((id) => id !== params.id),
      trouble: (_, params: { id: string; reason: string }) => params.reason,
    }),
    noteTrouble: assign({ trouble: (_, params: { reason: string }) => params.reason }),
    planPrepare: assign({
      prepareMs: ({ context }, params: { error: unknown }) =>
        prepareDelay(context.preparePauseMs, context.prepareTries, params.error),
      prepareTries: ({ context }) => context.prepareTries + 1,
    }),
    noteStop: assign({
      reason: ({ context }, params: { reason: string; timeoutMs?: number }) =>
        context.reason === '' ? params.reason : context.reason,
      stopMs: ({ context }, params: { reason: string; timeoutMs?: number }) =>
        inner(params.timeoutMs ?? context.stopTimeoutMs),
      stopSince: ({ context }) => context.now(),
    }),
    noteFailure: assign({ failure: (_, params: { failure: Failure }) => params.failure }),
    noteStopped: assign({ stopTook: ({ context }) => Math.round(context.now() - context.stopSince) }),
    notice: emit((_, params: Omit<Notice, 'type'>): Notice => ({ type: 'NOTICE', ...params })),
    closeFeeds: enqueueActions(({ context, enqueue }) => {
      for (const id of context.pending)
        if (id !== context.store.id && id !== context.rest.id)
          enqueue.sendTo(id, { type: 'CLOSE', withinMs: context.stopMs * 0.36 });
    }),
    closeRest: enqueueActions(({ context, enqueue }) => {
      if (context.pending.includes(context.rest.id))
        enqueue.sendTo(context.rest.id, { type: 'CLOSE', withinMs: context.stopMs * 0.18 });
    }),
    closeStore: enqueueActions(({ context, enqueue }) => {
      const left = context.stopMs - (context.now() - context.stopSince);
      if (context.pending.includes(context.store.id))
        enqueue.sendTo(context.store.id, { type: 'CLOSE', withinMs: Math.max(0, left * 0.9) });
    }),
    /** A child that is done stays in `children` until it is stopped. */
    dropChild: enqueueActions(
      ({ context, enqueue }, params: { id: string; lines: readonly Cleanup[]; unwritten: number }) => {
        enqueue.stopChild(params.id);
        enqueue.assign({
          pending: context.pending.filter((id) => id !== params.id),
          up: context.up.filter((id) => id !== params.id),
          lines: [...context.lines, ...params.lines],
          unwritten: context.unwritten + params.unwritten,
        });
      },
    ),
    force: enqueueActions(({ context, enqueue }, params: { only: 'feeds' | 'rest' | 'all' }) => {
      const hit = context.pending.filter((id) => {
        if (params.only === 'all') return true;
        const isService = id === context.rest.id || id === context.store.id;
        return params.only === 'rest' ? id === context.rest.id : !isService;
      });
      for (const id of hit) enqueue.stopChild(id);
      const now = context.now();
      enqueue.assign({
        pending: context.pending.filter((id) => !hit.includes(id)),
        up: context.up.filter((id) => !hit.includes(id)),
        unwritten: context.unwritten + (hit.includes(context.store.id) ? context.store.rows.size : 0),
        lines: [...context.lines, ...hit.map((id) => cleanup(id, 'forced', context.stopSince, now))],
      });
    }),
  },
  guards: {
    anyUp: ({ context }) => context.up.length > 0,
    noneUp: ({ context }) => context.up.length === 0,
    allUp: ({ context }) => context.pending.length === context.up.length + 2,
    someDown: ({ context }) => context.pending.length !== context.up.length + 2,
    impatient: ({ context }) => context.connectTimeoutMs !== undefined,
    mayRetry: (_, params: { error: unknown }) => isRetryable(params.error),
    feedsClosed: ({ context }) =>
      context.pending.every((id) => id === context.rest.id || id === context.store.id),
    restClosed: ({ context }) => !context.pending.includes(context.rest.id),
    storeClosed: ({ context }) => !context.pending.includes(context.store.id),
  },
  delays: {
    connectTimeout: ({ context }) => context.connectTimeoutMs ?? 0,
    preparePause: ({ context }) => context.prepareMs,
    stopTimeout: ({ context }) => context.stopMs,
    feedsShare: ({ context }) => context.stopMs * 0.4,
    restShare: ({ context }) => context.stopMs * 0.2,
  },
});
