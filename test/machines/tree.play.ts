import type { AnyActorRef } from 'xstate';
import { collectorMachine } from '../../machines/collector.machine.ts';
import { connectionMachine } from '../../machines/connection.machine.ts';
import { DEFAULT_TIMING } from '../../machines/connection.types.ts';
import { endingStreams } from '../../machines/ending-streams.ts';
import { type FeedInput, feedMachine } from '../../machines/feed.machine.ts';
import { klineStreamMachine } from '../../machines/kline-stream.machine.ts';
import { restSessionMachine } from '../../machines/rest-session.machine.ts';
import { storeMachine } from '../../machines/store.machine.ts';
import { isStub } from '../model/walk/children.ts';
import { endChild, failChild, model, type Session, stub } from '../model/walk/index.ts';

/** The six machines as they are, on top of each other; only what touches the world is a stub. */
const machine = collectorMachine.provide({
  actors: {
    store: storeMachine.provide({ actors: { open: stub, commit: stub, seal: stub } }),
    rest: restSessionMachine.provide({ actors: { call: stub, release: stub } }),
    feed: endingStreams(
      feedMachine.provide({
        actors: {
          connection: connectionMachine.provide({ actors: { permit: stub, socket: stub, prove: stub } }),
          klineStream: klineStreamMachine.provide({
            actors: { repair: stub },
            actions: { attachCursor: () => {}, detachCursor: () => {}, tellCursor: () => {} },
          }),
        },
      }),
    ),
    prepare: stub,
    keepTime: stub,
    watchBars: stub,
    watchSymbols: stub,
    auditBars: stub,
    recheckGaps: stub,
  },
});

export const treeModel = model(machine)({
  env: () => ({ rows: { size: 0, full: false }, silentMs: 0 }),
  input: (env, clock) => ({
    store: { id: 'store', rows: env.rows, flushMs: 50, now: () => clock.now() },
    rest: {
      id: 'rest',
      queueMax: 4,
      callsMax: 4,
      retriesMax: 3,
      quota: { held: () => undefined, waitMs: () => 0, begin: () => {} },
      random: () => 0.5,
      now: () => clock.now(),
    },
    connectTimeoutMs: undefined,
    preparePauseMs: 1_000,
    stopTimeoutMs: 10_000,
    streamsPerSocket: 2,
    newFeed: () => {
      throw new Error('no feed is added here');
    },
    now: () => clock.now(),
  }),
});

export type Tree = Session<{ rows: { size: number; full: boolean }; silentMs: number }>;

export const feedsOf = (tree: Tree): readonly FeedInput[] =>
  ['feed-1', 'feed-2'].map((id) => ({
    id,
    connection: {
      timing: DEFAULT_TIMING,
      route: '/route',
      random: () => 0.5,
      now: () => tree.clock.now(),
    },
    activityOf: () => ({ silentMs: () => tree.env.silentMs }),
    streams: ['BTCUSDT', 'ETHUSDT'].map((symbol) => ({
      id: `${id}/${symbol}`,
      series: { symbol, interval: '1m' },
      stream: `${symbol.toLowerCase()}@kline_1m`,
      timing: DEFAULT_TIMING,
      random: () => 0.5,
    })),
    mendMs: 1_000,
    now: () => tree.clock.now(),
  }));

/** What touches the world and lives, in the order in which it came. */
export const leaves = (tree: Tree, id?: string): AnyActorRef[] =>
  tree.living().filter((actor) => isStub(actor) && (id === undefined || actor.id === id));

const END: Readonly<Record<string, (tree: Tree, odd: boolean) => unknown>> = {
  prepare: (tree) => ({ feeds: feedsOf(tree), retire: [] }),
  prove: (_, odd) => (odd ? 'mute' : 'quiet'),
  repair: (_, odd) => ({ owed: odd ? 1 : 0 }),
};
/** Callbacks: they tell, and never end. */
const TELL: Readonly<Record<string, readonly object[]>> = {
  socket: [
    { type: 'SOCKET.OPENED' },
    { type: 'SOCKET.ACKED' },
    { type: 'SOCKET.FRAME' },
    { type: 'SOCKET.ALIVE' },
    { type: 'SOCKET.NOTICE', reason: 'serverShutdown' },
    { type: 'SOCKET.REFUSED', reason: 'code 2' },
    { type: 'SOCKET.CLOSED', end: { code: 1006 }, cause: 'closed', reason: 'lost' },
    { type: 'SOCKET.CLOSED', end: { code: 1006, status: 404 }, cause: 'refused', reason: 'not found' },
  ],
  keepTime: [],
  watchBars: [],
  watchSymbols: [],
  auditBars: [],
  recheckGaps: [],
};

/** The charts of streams, in the order in which they came. */
export const streamsOf = (tree: Tree): AnyActorRef[] => tree.living().filter(({ id }) => id.includes('/'));

/** What the cursor of a stream brings to its chart. */
const EDGES = [{ type: 'CURSOR.FIRST_FRAME' }, { type: 'CURSOR.QUIET' }, { type: 'CURSOR.HOLE' }] as const;

export const tell = (leaf: AnyActorRef | undefined, ...types: string[]): void => {
  for (const type of types) leaf?._parent?.send({ type });
};

/** Ends as well as it can, or tells all there is to tell of a good life. */
export function succeed(tree: Tree, leaf: AnyActorRef, odd = false): void {
  if (!(leaf.id in TELL)) endChild(leaf, END[leaf.id]?.(tree, odd));
}

const FAULTS: readonly unknown[] = [
  new Error('boom'),
  Object.assign(new Error('418'), { retryable: true }),
  Object.assign(new Error('the writer has ended'), { code: 'STORE_WRITER_GONE' }),
  undefined,
];

/** One of the things that may happen to a leaf, or to a stream by its cursor, chosen by a number. */
export function befall(tree: Tree, leaf: AnyActorRef, choice: number): void {
  if (!isStub(leaf)) {
    const fails = choice % 8 === 7;
    leaf.send(fails ? { type: 'CURSOR.FAILED', error: FAULTS[0] } : EDGES[choice % EDGES.length]);
    return;
  }
  const told = TELL[leaf.id];
  const event = told?.[choice % told.length];
  if (choice % 8 === 7) failChild(leaf, FAULTS[(choice >> 3) % FAULTS.length]);
  else if (told === undefined) succeed(tree, leaf, choice % 2 === 1);
  else if (event !== undefined) leaf._parent?.send(event as never);
}
