/**
 * One shard: its kline streams and the connection that carries them.
 *
 *            ┌────────────────────── open ───────────────────────┐
 *            │  down ─CONNECTION.UP▶ up                           │
 *            │    ▲ ◀─CONNECTION.DOWN─┘                           │
 *            │    └─after(mend)── mending ◀─ a child failed ──────│
 *            └──────────────────────┬─────────────────────────────┘
 *                                 CLOSE
 *                                   ▼
 *                 closing ─ all ended, or after(closeDeadline) ▶ closed
 *
 * A shard keeps the stop quick: stopping a parent is quadratic in its children (100 cost 6 ms, 1,000 a
 * second), so 200 streams share one feed, not the collector.
 */
import { assign, enqueueActions, sendParent, setup } from 'xstate';
import { connectionMachine } from './connection.machine.ts';
import type { ConnectionInput, ConnectionReport } from './connection.types.ts';
import { type KlineStreamInput, klineStreamMachine } from './kline-stream.machine.ts';
import { type Cleanup, cleanup, describe, type Outcome } from './model/cleanup.ts';

export interface FeedInput {
  readonly id: string;
  readonly connection: ConnectionInput;
  readonly streams: readonly KlineStreamInput[];
  /** Names that are subscribed besides, and have no stream of their own. */
  readonly extra?: readonly string[];
  /** Pause before children are started afresh after one of them failed, ms. */
  readonly mendMs: number;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** To the collector. DOWN comes again for every failed attempt. */
export type FeedReport =
  | { type: 'FEED.UP'; id: string; proof: 'frame' | 'quiet' }
  | { type: 'FEED.DOWN'; id: string; reason: string; retryMs: number; alarming: boolean };

/** Everything a feed was made of has ended; `children` says how each did, its own line included. */
export interface FeedOutput {
  readonly name: string;
  readonly lines: readonly Cleanup[];
}

/** A feed is no better than what it was made of; a deadline that had to be enforced is the worst. */
const worst = (lines: readonly Cleanup[]): Outcome =>
  (['forced', 'failed'] as const).find((outcome) => lines.some((line) => line.outcome === outcome)) ??
  'closed';

export const feedMachine = setup({
  types: {
    context: {} as FeedInput & {
      pending: readonly string[];
      lines: readonly Cleanup[];
      closingSince: number;
      closeMs: number;
    },
    input: {} as FeedInput,
    events: {} as
      | ConnectionReport
      | { type: 'CLOSE'; withinMs: number }
      | { type: 'PROBE' }
      | { type: 'ADD'; streams: readonly KlineStreamInput[] }
      | { type: 'RETIRE'; ids: readonly string[]; endTime: number }
      | { type: 'xstate.done.actor.*'; output: Cleanup; actorId: string }
      | { type: 'xstate.error.actor.*'; error: unknown; actorId: string },
    output: {} as FeedOutput,
  },
  actors: { connection: connectionMachine, klineStream: klineStreamMachine },
  actions: {
    /** A child already there keeps its id: a second spawn under it would orphan the first. */
    spawnMissing: enqueueActions(({ context, enqueue }) => {
      const wanted = [...context.streams.map((stream) => stream.id), context.connection.id];
      for (const stream of context.streams)
        if (!context.pending.includes(stream.id))
          enqueue.spawnChild('klineStream', { id: stream.id, input: stream });
      if (!context.pending.includes(context.connection.id))
        enqueue.spawnChild('connection', { id: context.connection.id, input: context.connection });
      enqueue.assign({ pending: wanted });
    }),
    dropConnection: enqueueActions(({ context, enqueue }) => {
      enqueue.stopChild(context.connection.id);
      enqueue.assign({ pending: context.pending.filter((id) => id !== context.connection.id) });
    }),
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
    tellStreamsDown: enqueueActions(({ context, enqueue }) => {
      for (const id of context.pending)
        if (id !== context.connection.id) enqueue.sendTo(id, { type: 'FEED.DOWN' });
    }),
    noteClosing: assign({
      closingSince: ({ context }) => context.now(),
      closeMs: (_, params: { withinMs: number }) => params.withinMs,
    }),
    closeChildren: enqueueActions(({ context, enqueue }) => {
      // The connection reports a little before the feed's own deadline, so that its line says what it did.
      const event = { type: 'CLOSE' as const, withinMs: context.closeMs * 0.9 };
      for (const id of context.pending) enqueue.sendTo(id, event);
    }),
    /** A child that is done stays in `children` until it is stopped. */
    dropChild: enqueueActions(({ context, enqueue }, params: { id: string }) => {
      enqueue.stopChild(params.id);
      enqueue.assign({ pending: context.pending.filter((id) => id !== params.id) });
    }),
    noteLine: assign({
      lines: ({ context }, params: { line: Cleanup }) =>
        params.line.outcome === 'closed' ? context.lines : [...context.lines, params.line],
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
    allClosed: ({ context }) => context.pending.length === 0,
  },
  delays: {
    mend: ({ context }) => context.mendMs,
    closeDeadline: ({ context }) => context.closeMs,
  },
}).createMachine({
  id: 'feed',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({ ...input, pending: [], lines: [], closingSince: 0, closeMs: 0 }),
  initial: 'open',
  output: ({ context }) => ({
    name: context.id,
    lines: [cleanup(context.id, worst(context.lines), context.closingSince, context.now()), ...context.lines],
  }),
  states: {
    open: {
      on: {
        CLOSE: {
          target: 'closing',
          actions: { type: 'noteClosing', params: ({ event }) => ({ withinMs: event.withinMs }) },
        },
        // Nobody asked a child to end: whichever way it went, it is a fault.
        'xstate.done.actor.*': {
          target: '.mending',
          actions: [
            { type: 'dropChild', params: ({ event }) => ({ id: event.actorId }) },
            {
              type: 'tellDown',
              params: ({ event, context }) => ({
                reason: `${event.actorId} ended: ${event.output.outcome}`,
                retryMs: context.mendMs,
                alarming: true,
              }),
            },
          ],
        },
        'xstate.error.actor.*': {
          target: '.mending',
          actions: [
            { type: 'dropChild', params: ({ event }) => ({ id: event.actorId }) },
            {
              type: 'tellDown',
              params: ({ event, context }) => ({
                reason: `${event.actorId} failed: ${describe(event.error)}`,
                retryMs: context.mendMs,
                alarming: true,
              }),
            },
          ],
        },
      },
      initial: 'down',
      states: {
        down: {
          entry: 'spawnMissing',
          on: {
            'CONNECTION.UP': {
              target: 'up',
              actions: { type: 'tellUp', params: ({ event }) => ({ proof: event.proof }) },
            },
            'CONNECTION.DOWN': {
              actions: {
                type: 'tellDown',
                params: ({ event }) => ({
                  reason: event.reason,
                  retryMs: event.retryMs,
                  alarming: event.alarming,
                }),
              },
            },
          },
        },
        up: {
          tags: 'up',
          on: {
            'CONNECTION.DOWN': {
              target: 'down',
              actions: [
                'tellStreamsDown',
                {
                  type: 'tellDown',
                  params: ({ event }) => ({
                    reason: event.reason,
                    retryMs: event.retryMs,
                    alarming: event.alarming,
                  }),
                },
              ],
            },
          },
        },
        mending: {
          description: 'A fault of ours. The connection goes too, so that all start from the same point.',
          tags: 'alarm',
          entry: ['dropConnection', 'tellStreamsDown'],
          after: { mend: 'down' },
        },
      },
    },
    closing: {
      entry: 'closeChildren',
      on: {
        'xstate.done.actor.*': {
          actions: [
            { type: 'dropChild', params: ({ event }) => ({ id: event.actorId }) },
            { type: 'noteLine', params: ({ event }) => ({ line: event.output }) },
          ],
        },
        'xstate.error.actor.*': {
          actions: [
            { type: 'dropChild', params: ({ event }) => ({ id: event.actorId }) },
            {
              type: 'noteLine',
              params: ({ event, context }) => ({
                line: cleanup(event.actorId, 'failed', context.closingSince, context.now(), event.error),
              }),
            },
          ],
        },
      },
      always: { guard: 'allClosed', target: 'closed' },
      after: { closeDeadline: { target: 'closed', actions: 'force' } },
    },
    closed: { type: 'final' },
  },
});
