/** What the collector's chart is made of: its types, actions, guards and delays. The chart is beside it. */
import { assign, emit, enqueueActions, fromCallback, fromPromise, setup } from 'xstate';
import { type Notice, symbolNews } from './collector.notices.ts';
import type {
  ChildDone,
  CollectorEvent,
  CollectorInput,
  Failure,
  Prepared,
  RetiredStreams,
  SymbolsChanged,
} from './collector.types.ts';
import { type FeedInput, feedMachine } from './feed.machine.ts';
import { prepareDelay } from './model/backoff.ts';
import { type Cleanup, cleanup, isRetryable } from './model/cleanup.ts';
import { byShard, place, withPlaced } from './model/shards.ts';
import { restSessionMachine } from './rest-session.machine.ts';
import { storeMachine } from './store.machine.ts';

export const linesOf = (output: ChildDone): readonly Cleanup[] => {
  if ('lines' in output) return output.lines;
  const { name, outcome, durationMs, error } = output;
  return [{ name, outcome, durationMs, ...(error === undefined ? {} : { error }) }];
};
export const unwrittenOf = (output: ChildDone): number => ('unwritten' in output ? output.unwritten : 0);

/** Children that answer CLOSE and end by themselves; the others are simply stopped. */
export interface Lifetimes {
  /** The shards, from when they are known, with every stream that each of them was ever given. */
  readonly feeds: readonly FeedInput[];
  /** Streams that end as soon as they are there. */
  readonly retire: readonly RetiredStreams[];
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
  /** When who asked for the stop wants to have its report; undefined: nobody has asked. */
  readonly stopBy: number | undefined;
  readonly stopTook: number;
}

export const fresh: Lifetimes = {
  feeds: [],
  retire: [],
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
  stopBy: undefined,
  stopTook: 0,
};

/** The caller's deadline less what it takes to settle promises and write the report. */
const inner = (timeoutMs: number): number => timeoutMs - Math.min(250, timeoutMs * 0.05);

/** Work that goes on beside the feeds, from when they are there until the collector stops. */
const HELPERS = ['keepTime', 'watchBars', 'watchSymbols', 'auditBars', 'recheckGaps'] as const;

const helper = (name: (typeof HELPERS)[number]) =>
  fromCallback(() => {
    throw new Error(`${name} is not provided`);
  });

export const collectorSetup = setup({
  types: {
    context: {} as CollectorInput & Lifetimes,
    input: {} as CollectorInput,
    events: {} as CollectorEvent,
    emitted: {} as Notice,
  },
  actors: {
    store: storeMachine,
    rest: restSessionMachine,
    feed: feedMachine,
    /** Exchange information and time: all that must be known before anything is created or dialled. */
    prepare: fromPromise<Prepared>(() => Promise.reject(new Error('prepare is not provided'))),
    /** Keeps the exchange clock right for as long as it lives. */
    keepTime: helper('keepTime'),
    /** Looks through the cursors for bars that are owed, for as long as it lives. */
    watchBars: helper('watchBars'),
    /** Looks which symbols the exchange lists, for as long as it lives. */
    watchSymbols: helper('watchSymbols'),
    /** Compares closed bars with REST once more, for as long as it lives. */
    auditBars: helper('auditBars'),
    /** Asks again for bars that the exchange lacked, for as long as it lives. */
    recheckGaps: helper('recheckGaps'),
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
    notePrepared: assign((_, params: { prepared: Prepared }) => params.prepared),
    spawnFeeds: enqueueActions(({ context, enqueue }) => {
      for (const name of HELPERS) enqueue.spawnChild(name, { id: name });
      for (const feed of context.feeds) enqueue.spawnChild('feed', { id: feed.id, input: feed });
      enqueue.assign({ pending: [...context.pending, ...context.feeds.map((feed) => feed.id)] });
    }),
    stopHelpers: enqueueActions(({ enqueue }) => {
      for (const name of HELPERS) enqueue.stopChild(name);
    }),
    /** Streams of symbols that are listed now go where there is room; no other stream is touched. */
    addStreams: enqueueActions(({ context, enqueue }, params: Pick<SymbolsChanged, 'add'>) => {
      const placements = place(params.add, context.feeds, context.streamsPerSocket);
      const made = placements
        .filter(({ isNew }) => isNew)
        .map(({ id, streams }) => context.newFeed(id, streams));
      for (const { id, isNew, streams } of placements)
        if (!isNew) enqueue.sendTo(id, { type: 'ADD', streams });
      for (const feed of made) enqueue.spawnChild('feed', { id: feed.id, input: feed });
      enqueue.assign({
        feeds: [...withPlaced(context.feeds, placements), ...made],
        pending: [...context.pending, ...made.map((feed) => feed.id)],
      });
    }),
    retireStreams: enqueueActions(({ context, enqueue }, params: Pick<SymbolsChanged, 'retire'>) => {
      for (const { ids, endTime } of params.retire)
        for (const part of byShard(ids, context.feeds))
          enqueue.sendTo(part.id, { type: 'RETIRE', ids: part.ids, endTime });
    }),
    probeFeeds: enqueueActions(({ context, enqueue }) => {
      for (const { id } of context.feeds)
        if (context.pending.includes(id)) enqueue.sendTo(id, { type: 'PROBE' });
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
      reason: (_, params: { reason: string; timeoutMs?: number }) => params.reason,
      stopMs: ({ context }, params: { reason: string; timeoutMs?: number }) =>
        inner(params.timeoutMs ?? context.stopTimeoutMs),
      stopSince: ({ context }) => context.now(),
      stopBy: ({ context }, params: { reason: string; timeoutMs?: number }) =>
        context.now() + (params.timeoutMs ?? context.stopTimeoutMs),
    }),
    noteFailure: assign({ failure: (_, params: { failure: Failure }) => params.failure }),
    noteStopped: assign({ stopTook: ({ context }) => Math.round(context.now() - context.stopSince) }),
    notice: emit((_, params: Omit<Notice, 'type'>): Notice => ({ type: 'NOTICE', ...params })),
    noteSymbols: enqueueActions(({ enqueue }, params: Pick<SymbolsChanged, 'news'>) => {
      for (const news of params.news) enqueue.emit({ type: 'NOTICE', ...symbolNews(news) });
    }),
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
