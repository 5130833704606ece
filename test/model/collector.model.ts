import { collectorMachine } from '../../machines/collector.machine.ts';
import type { SymbolsChanged } from '../../machines/collector.types.ts';
import type { FeedInput, FeedOutput } from '../../machines/feed.machine.ts';
import type { Cleanup } from '../../machines/model/cleanup.ts';
import type { StoreOutput } from '../../machines/store.machine.ts';
import { model, type Session, stub } from './walk/index.ts';

const PREPARED = {
  feeds: [
    { id: 'feed-1', streams: [{ id: 'a' }] },
    { id: 'feed-2', streams: [{ id: 'b' }] },
  ],
  retire: [{ ids: ['b'], endTime: 60_000 }],
};
/** Streams that the two feeds have room for, and one more than that. */
const LISTED = ['c', 'd', 'e'].map((id) => ({ id }));
const changed = (add: readonly object[], retire: readonly object[]) =>
  ({
    type: 'SYMBOLS.CHANGED',
    add,
    retire,
    news: [{ code: 'SYMBOL_LISTED', symbols: ['CUSDT'] }],
  }) as unknown as SymbolsChanged;
const line = (name: string): Cleanup => ({ name, outcome: 'closed', durationMs: 1 });
const stored: StoreOutput = { ...line('store'), unwritten: 0 };
const storeFailed: StoreOutput = {
  ...stored,
  outcome: 'failed',
  unwritten: 2,
  cause: new Error('disk full'),
};
const fed = (name: string): FeedOutput => ({ name, lines: [line(name)] });

/** Reports come from children that are there. */
const living = (session: Session<never>, ids: readonly string[]): readonly string[] =>
  ids.filter((id) => session.children[id]?.getSnapshot().status === 'active');

/** A root with a store, a REST session and two feeds; all of them do as the walk pleases. */
export const collectorModel = model(
  collectorMachine.provide({
    actors: {
      store: stub,
      rest: stub,
      feed: stub,
      prepare: stub,
      keepTime: stub,
      watchBars: stub,
      watchSymbols: stub,
      auditBars: stub,
      recheckGaps: stub,
    },
  }),
)({
  env: () => ({ connectTimeoutMs: 5_000 as number | undefined }),
  starts: [
    { label: 'connect timeout', prepare: () => {} },
    { label: 'no connect timeout', prepare: (env) => Object.assign(env, { connectTimeoutMs: undefined }) },
  ],
  input: (env, clock) => ({
    store: { id: 'store', rows: { size: 2, full: false }, flushMs: 50, now: () => clock.now() },
    rest: {
      id: 'rest',
      queueMax: 10,
      callsMax: 4,
      retriesMax: 3,
      quota: { held: () => undefined, waitMs: () => 0, begin: () => {} },
      random: () => 0.5,
      now: () => clock.now(),
    },
    connectTimeoutMs: env.connectTimeoutMs,
    preparePauseMs: 1_000,
    stopTimeoutMs: 10_000,
    streamsPerSocket: 2,
    newFeed: (id, streams) => ({ id, streams }) as unknown as FeedInput,
    now: () => clock.now(),
  }),
  events: (session) => {
    const feeds = living(session as never, ['feed-1', 'feed-2', 'feed2']);
    const [store, rest, time, symbols] = ['store', 'rest', 'keepTime', 'watchSymbols'].map((id) =>
      living(session as never, [id]),
    ) as [readonly string[], readonly string[], readonly string[], readonly string[]];
    return {
      STOP: [{ type: 'STOP', reason: 'asked' }],
      'FEED.UP': feeds.map((id) => ({ type: 'FEED.UP', id, proof: 'frame' })),
      'FEED.DOWN': feeds.map((id) => ({
        type: 'FEED.DOWN',
        id,
        reason: 'lost',
        retryMs: 500,
        alarming: id === 'feed-1',
      })),
      'FEED.ALARM': feeds.slice(0, 1).map((id) => ({
        type: 'FEED.ALARM',
        id,
        code: 'STREAM_MUTE',
        message: 'mute',
        fields: {},
      })),
      'FEED.ROTATED': feeds.slice(0, 1).map((id) => ({ type: 'FEED.ROTATED', id, reason: 'old' })),
      'REST.LIMITED': rest.map(() => ({ type: 'REST.LIMITED', forMs: 500, reason: '429' })),
      'REST.BANNED': rest.map(() => ({ type: 'REST.BANNED', forMs: 500, reason: '418' })),
      'REST.FREE': rest.map(() => ({ type: 'REST.FREE' })),
      'TIME.JUMPED': time.map(() => ({ type: 'TIME.JUMPED', reason: 'slept' })),
      'SYMBOLS.CHANGED': symbols.map(() => changed(LISTED, [{ ids: ['a', 'nobody'], endTime: 60_000 }])),
      'STORE.READY': store.map(() => ({ type: 'STORE.READY' })),
      'STORE.TROUBLE': store.map(() => ({ type: 'STORE.TROUBLE', reason: 'busy', retryMs: 500 })),
    };
  },
  outputs: (id) => {
    if (id === 'prepare') return [PREPARED];
    if (id === 'store') return [stored, storeFailed];
    if (id === 'rest') return [line('rest')];
    // Callbacks never end by themselves.
    return id.startsWith('feed') ? [fed(id)] : [];
  },
  errors: (id) =>
    id === 'prepare'
      ? [Object.assign(new Error('418'), { retryable: true }), new Error('no such symbol')]
      : [new Error('boom')],
  abstract: (context, env) => [
    // A shard that was added is as good as the two that were there before.
    context.pending.filter((id) => id !== 'feed2').sort(),
    context.up.filter((id) => id !== 'feed2').sort(),
    env.connectTimeoutMs === undefined,
  ],
});
