/** What the feed's chart is made of: its types, actions, guards and delays. The chart is beside it. */
import { assign, enqueueActions, sendParent, setup } from 'xstate';
import { connectionMachine } from './connection.machine.ts';
import type { ConnectionReport } from './connection.types.ts';
import type { FeedCommand, FeedInput, FeedOutput } from './feed.types.ts';
import {
  type KlineStreamInput,
  klineStreamMachine,
  type StreamEnd,
  type StreamMute,
} from './kline-stream.machine.ts';
import { type Cleanup, cleanup } from './model/cleanup.ts';
import type { ReconnectCause } from './model/reconnect.ts';

/** To the streams. ROTATING: a second connection is being made. SWITCHED: it carries on alone. */
type News = 'FEED.UP' | 'FEED.DOWN' | 'FEED.ROTATING' | 'FEED.SWITCHED';

type Context = FeedInput & {
  /** Which of the two connections carries the feed; the other is its successor, its predecessor, or not there. */
  active: 'a' | 'b';
  /** Children that live. */
  pending: readonly string[];
  /** End of their symbol by stream id, exchange ms. */
  retiring: Readonly<Record<string, number>>;
  /** When the active connection and its successor opened, monotonic ms. */
  openedAt: number;
  nextOpenedAt: number;
  rotation: string;
  /** Connections whose server has said that it will go, and in which words. */
  leaving: Readonly<Record<string, string>>;
  /** When a connection was given up for the sake of one stream, monotonic ms. */
  recycledAt: number;
  /** Streams found to stay mute since that was last said, and when it was, monotonic ms. */
  muted: readonly string[];
  mutedSaidAt: number;
  lines: readonly Cleanup[];
  closingSince: number;
  closeMs: number;
};

const activeId = (context: Context): string => `${context.id}.${context.active}`;
const spareId = (context: Context): string => `${context.id}.${context.active === 'a' ? 'b' : 'a'}`;
const isConnection = (context: Context, id: string): boolean =>
  id === activeId(context) || id === spareId(context);
const connectionsOf = (context: Context): string[] =>
  [activeId(context), spareId(context)].filter((id) => context.pending.includes(id));
const streamsOf = (context: Context): string[] => context.pending.filter((id) => !isConnection(context, id));
const connectionInput = (context: Context, id: string) => ({
  ...context.connection,
  id,
  streams: [...context.streams.map((stream) => stream.stream), ...(context.extra ?? [])],
  activity: context.activityOf(id),
});

/**
 * One mute stream may cost its neighbours their socket, but not again and again: between two times lie so many
 * silences.
 */
const RECYCLE_SILENCES = 10;
/** Half of a socket may be mute: it is said at most so often, ms, with so many names. */
const MUTED_SPACING_MS = 60_000;
const MUTED_NAMES_MAX = 20;

const without = (record: Context['leaving'], id: string): Context['leaving'] =>
  Object.fromEntries(Object.entries(record).filter(([other]) => other !== id));

export const feedSetup = setup({
  types: {
    context: {} as Context,
    input: {} as FeedInput,
    events: {} as
      | ConnectionReport
      | FeedCommand
      | StreamMute
      | { type: 'xstate.done.actor.*'; output: StreamEnd; actorId: string }
      | { type: 'xstate.error.actor.*'; error: unknown; actorId: string },
    output: {} as FeedOutput,
  },
  actors: { connection: connectionMachine, klineStream: klineStreamMachine },
  actions: {
    /** A child already there keeps its id: a second spawn under it would orphan the first. */
    spawnMissing: enqueueActions(({ context, enqueue }) => {
      const id = activeId(context);
      const there = new Set(context.pending);
      for (const stream of context.streams) {
        if (there.has(stream.id)) continue;
        enqueue.spawnChild('klineStream', { id: stream.id, input: stream });
        const endTime = context.retiring[stream.id];
        if (endTime !== undefined) enqueue.sendTo(stream.id, { type: 'RETIRE', endTime });
      }
      if (!there.has(id)) enqueue.spawnChild('connection', { id, input: connectionInput(context, id) });
      const spares = connectionsOf(context).filter((other) => other !== id);
      enqueue.assign({ pending: [...context.streams.map((stream) => stream.id), id, ...spares] });
    }),
    spawnSuccessor: enqueueActions(({ context, enqueue }) => {
      const id = spareId(context);
      if (context.pending.includes(id)) return;
      enqueue.spawnChild('connection', { id, input: connectionInput(context, id) });
      enqueue.assign({ pending: [...context.pending, id], leaving: without(context.leaving, id) });
    }),
    /** A predecessor that still closes has had its time. */
    dropSpare: enqueueActions(({ context, enqueue }) => {
      const id = spareId(context);
      if (!context.pending.includes(id)) return;
      enqueue.stopChild(id);
      enqueue.assign({ pending: context.pending.filter((other) => other !== id) });
    }),
    dropConnections: enqueueActions(({ context, enqueue }) => {
      for (const id of connectionsOf(context)) enqueue.stopChild(id);
      enqueue.assign({ pending: streamsOf(context), leaving: {} });
    }),
    /** The successor carries the feed from now on, and the other one closes. */
    takeOver: enqueueActions(({ context, enqueue }) => {
      const former = activeId(context);
      enqueue.assign({ active: context.active === 'a' ? 'b' : 'a', openedAt: context.nextOpenedAt });
      enqueue.sendTo(former, { type: 'CLOSE', withinMs: context.connection.timing.pongTimeoutMs });
    }),
    addStreams: enqueueActions(
      ({ context, enqueue }, params: { streams: readonly KlineStreamInput[]; isUp: boolean }) => {
        const known = new Set(context.streams.map((stream) => stream.id));
        const added = params.streams.filter((stream) => !known.has(stream.id));
        for (const stream of added) enqueue.spawnChild('klineStream', { id: stream.id, input: stream });
        const subscribe = { type: 'SUBSCRIBE' as const, streams: added.map((stream) => stream.stream) };
        for (const id of connectionsOf(context)) enqueue.sendTo(id, subscribe);
        if (params.isUp) for (const stream of added) enqueue.sendTo(stream.id, { type: 'FEED.UP' });
        enqueue.assign({
          streams: [...context.streams, ...added],
          pending: [...added.map((stream) => stream.id), ...context.pending],
        });
      },
    ),
    retireStreams: enqueueActions(
      ({ context, enqueue }, params: { ids: readonly string[]; endTime: number }) => {
        const { ids, endTime } = params;
        const own = ids.filter((id) => context.streams.some((stream) => stream.id === id));
        for (const id of own)
          if (context.pending.includes(id)) enqueue.sendTo(id, { type: 'RETIRE', endTime });
        enqueue.assign({
          retiring: { ...context.retiring, ...Object.fromEntries(own.map((id) => [id, endTime])) },
        });
      },
    ),
    dropRetired: enqueueActions(({ context, enqueue }, params: { id: string }) => {
      const { id } = params;
      const streams = context.streams.filter((stream) => stream.id === id).map((stream) => stream.stream);
      enqueue.stopChild(id);
      for (const connection of connectionsOf(context))
        enqueue.sendTo(connection, { type: 'UNSUBSCRIBE', streams });
      const { [id]: _, ...retiring } = context.retiring;
      enqueue.assign({
        retiring,
        streams: context.streams.filter((stream) => stream.id !== id),
        pending: context.pending.filter((other) => other !== id),
      });
    }),
    resubscribe: enqueueActions(({ context, enqueue }, params: { stream: string }) => {
      enqueue.sendTo(activeId(context), { type: 'RESUBSCRIBE', streams: [params.stream] });
    }),
    recycle: enqueueActions(({ context, enqueue }, params: { stream: string }) => {
      const reason = `mute: ${params.stream} trades, but no frame of it came on ${context.connection.route}`;
      enqueue.assign({ recycledAt: context.now() });
      enqueue.sendTo(activeId(context), { type: 'RECYCLE', reason });
    }),
    probe: enqueueActions(({ context, enqueue }) => {
      for (const id of connectionsOf(context)) enqueue.sendTo(id, { type: 'PROBE' });
    }),
    noteLeaving: assign({
      leaving: ({ context }, params: { id: string; reason: string }) => ({
        ...context.leaving,
        [params.id]: params.reason,
      }),
    }),
    /** Its socket is gone, and the notice with it. */
    forgetLeaving: assign({
      leaving: ({ context }, params: { id: string }) => without(context.leaving, params.id),
    }),
    noteRotation: assign({ rotation: (_, params: { reason: string }) => params.reason }),
    noteNotice: assign({
      rotation: ({ context }) => `the server said ${context.leaving[activeId(context)]}`,
    }),
    noteOpened: assign({ openedAt: (_, params: { openedAt: number }) => params.openedAt }),
    noteNextOpened: assign({ nextOpenedAt: (_, params: { openedAt: number }) => params.openedAt }),
    tellUp: sendParent(({ context }, params: { proof: 'frame' | 'quiet' }) => ({
      type: 'FEED.UP',
      id: context.id,
      proof: params.proof,
    })),
    tellDown: sendParent(({ context }, params: { reason: string; retryMs: number; alarming: boolean }) => ({
      type: 'FEED.DOWN',
      id: context.id,
      ...params,
    })),
    /** Not when it was asked to close, nor when its successor is proved already: then nothing was interrupted. */
    countReconnect: ({ context }, params: { cause: ReconnectCause }) => context.onReconnect?.(params.cause),
    tellRotated: sendParent(({ context }) => ({
      type: 'FEED.ROTATED',
      id: context.id,
      reason: context.rotation,
    })),
    alarmRotation: sendParent(({ context }, params: { reason: string; retryMs: number }) => ({
      type: 'FEED.ALARM',
      id: context.id,
      code: 'ROTATION_FAILS',
      message: 'no successor of a connection can be had; the old one goes on',
      fields: { feed: context.id, ...params },
    })),
    alarmMute: enqueueActions(({ context, enqueue }, params: { stream: string }) => {
      const muted = [...context.muted.filter((stream) => stream !== params.stream), params.stream];
      if (context.now() - context.mutedSaidAt < MUTED_SPACING_MS) {
        enqueue.assign({ muted });
        return;
      }
      enqueue.assign({ muted: [], mutedSaidAt: context.now() });
      enqueue.sendParent({
        type: 'FEED.ALARM',
        id: context.id,
        code: 'STREAM_MUTE',
        message: 'streams stay mute on a new connection too; their bars come from REST',
        fields: {
          feed: context.id,
          count: muted.length,
          streams: muted.slice(0, MUTED_NAMES_MAX),
          route: context.connection.route,
        },
      });
    }),
    tellStreams: enqueueActions(({ context, enqueue }, params: { news: News }) => {
      for (const id of streamsOf(context)) enqueue.sendTo(id, { type: params.news });
    }),
    noteClosing: assign({
      closingSince: ({ context }) => context.now(),
      closeMs: (_, params: { withinMs: number }) => params.withinMs,
    }),
    closeConnections: enqueueActions(({ context, enqueue }) => {
      // The connection reports a little before the feed's own deadline, so that its line says what it did.
      const event = { type: 'CLOSE' as const, withinMs: context.closeMs * 0.9 };
      // A stream has nothing to close: it is stopped, at once (`endingStreams`) or when the feed ends.
      const pending = context.pending.filter((id) => isConnection(context, id));
      for (const id of pending) enqueue.sendTo(id, event);
      enqueue.assign({ pending });
    }),
    /** A child that is done stays in `children` until it is stopped. */
    dropChild: enqueueActions(({ context, enqueue }, params: { id: string }) => {
      enqueue.stopChild(params.id);
      enqueue.assign({ pending: context.pending.filter((id) => id !== params.id) });
    }),
    /** Nothing is made of one that has closed. */
    noteLine: enqueueActions(({ context, enqueue }, params: { line: Cleanup }) => {
      if (params.line.outcome !== 'closed') enqueue.assign({ lines: [...context.lines, params.line] });
    }),
    force: enqueueActions(({ context, enqueue }) => {
      for (const id of context.pending) enqueue.stopChild(id);
      const now = context.now();
      enqueue.assign({
        pending: [],
        lines: [
          ...context.lines,
          ...context.pending.map((id) => cleanup(id, 'forced', context.closingSince, now)),
        ],
      });
    }),
  },
  guards: {
    isActive: ({ context }, params: { id: string }) => params.id === activeId(context),
    isLeaving: ({ context }) => context.leaving[activeId(context)] !== undefined,
    isSpare: ({ context }, params: { id: string }) => params.id === spareId(context),
    isRetired: (_, params: { output: StreamEnd }) => params.output.retired === true,
    isFirst: (_, params: { again: boolean }) => !params.again,
    mayRecycle: ({ context }) =>
      context.now() - context.recycledAt >= RECYCLE_SILENCES * context.connection.timing.silenceMs,
    isAwaited: ({ context }, params: { id: string }) => context.pending.includes(params.id),
    allClosed: ({ context }) => context.pending.length === 0,
  },
  delays: {
    mend: ({ context }) => context.mendMs,
    rotate: ({ context }) => {
      const { random, timing } = context.connection;
      const age = context.now() - context.openedAt;
      return Math.max(0, timing.rotateMs - random() * timing.rotateSpreadMs - age);
    },
    overlap: ({ context }) => context.connection.timing.overlapMs,
    closeDeadline: ({ context }) => context.closeMs,
  },
});
