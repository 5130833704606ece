import { collectorMachine } from '../../machines/collector.machine.ts';
import type { FeedOutput } from '../../machines/feed.machine.ts';
import type { Cleanup } from '../../machines/model/cleanup.ts';
import type { StoreOutput } from '../../machines/store.machine.ts';
import { model, type Session, stub } from './walk/index.ts';

const PREPARED = { feeds: [{ id: 'feed-1' }, { id: 'feed-2' }] };
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
    now: () => clock.now(),
  }),
  events: (session) => {
    const feeds = living(session as never, ['feed-1', 'feed-2']);
    const store = living(session as never, ['store']);
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
    [...context.pending].sort(),
    [...context.up].sort(),
    env.connectTimeoutMs === undefined,
  ],
});
