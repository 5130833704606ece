/**
 * One shard: its kline streams and the connection that carries them, or two while one replaces the other.
 *
 *            ┌─────────────────────────────── open ────────────────────────────────┐
 *            │  down ─CONNECTION.UP▶ up: steady ─after(rotate) | LEAVING▶ rotating  │
 *            │    ▲ ◀─CONNECTION.DOWN─┘    ▲                                │       │
 *            │    │                        └── after(overlap) ─ overlapping ◀┘      │
 *            │    └─after(mend)── mending ◀─ a child failed                        │
 *            └──────────────────────┬──────────────────────────────────────────────┘
 *                                 CLOSE
 *                                   ▼
 *                 closing ─ all ended, or after(closeDeadline) ▶ closed
 *
 *   rotating: connecting ─successor is up▶ overlapping ; connecting ─successor failed▶ pausing ─after(mend)▶ connecting
 *
 * Rotation makes before it breaks: the successor, in the other of two slots, is proved before the old connection is
 * closed. Until then the old one is kept to its last second; when it ends first, the successor is the connection,
 * however far it has come. What was born of a rotation is protected as the first was.
 *
 * A shard keeps the stop quick: stopping a parent is quadratic in its children (100 cost 6 ms, 1,000 a
 * second), so 200 streams share one feed, not the collector; and its streams are ended together (`endingStreams`).
 */
import { feedSetup } from './feed.setup.ts';
import { type Cleanup, cleanup, describe, type Outcome } from './model/cleanup.ts';

export type * from './feed.types.ts';

/** A feed is no better than what it was made of; a deadline that had to be enforced is the worst. */
const worst = (lines: readonly Cleanup[]): Outcome =>
  (['forced', 'failed'] as const).find((outcome) => lines.some((line) => line.outcome === outcome)) ??
  'closed';

export const feedMachine = feedSetup.createMachine({
  id: 'feed',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({
    ...input,
    active: 'a',
    pending: [],
    retiring: {},
    openedAt: 0,
    nextOpenedAt: 0,
    rotation: '',
    leaving: {},
    recycledAt: Number.NEGATIVE_INFINITY,
    muted: [],
    mutedSaidAt: Number.NEGATIVE_INFINITY,
    lines: [],
    closingSince: 0,
    closeMs: 0,
  }),
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
        PROBE: { actions: 'probe' },
        'CONNECTION.LEAVING': {
          actions: {
            type: 'noteLeaving',
            params: ({ event }) => ({ id: event.id, reason: event.reason }),
          },
        },
        ADD: {
          actions: { type: 'addStreams', params: ({ event }) => ({ streams: event.streams, isUp: false }) },
        },
        RETIRE: { actions: { type: 'retireStreams', params: ({ event }) => event } },
        'xstate.done.actor.*': [
          {
            guard: { type: 'isRetired', params: ({ event }) => ({ output: event.output }) },
            actions: { type: 'dropRetired', params: ({ event }) => ({ id: event.actorId }) },
          },
          {
            // A predecessor, which was asked to close.
            guard: { type: 'isSpare', params: ({ event }) => ({ id: event.actorId }) },
            actions: { type: 'dropChild', params: ({ event }) => ({ id: event.actorId }) },
          },
          // Nobody asked a child to end: whichever way it went, it is a fault.
          {
            target: '.mending',
            actions: [
              { type: 'dropChild', params: ({ event }) => ({ id: event.actorId }) },
              { type: 'countReconnect', params: { cause: 'failed' } },
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
        ],
        'xstate.error.actor.*': [
          {
            guard: { type: 'isSpare', params: ({ event }) => ({ id: event.actorId }) },
            actions: { type: 'dropChild', params: ({ event }) => ({ id: event.actorId }) },
          },
          {
            target: '.mending',
            actions: [
              { type: 'dropChild', params: ({ event }) => ({ id: event.actorId }) },
              { type: 'countReconnect', params: { cause: 'failed' } },
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
        ],
      },
      initial: 'down',
      states: {
        down: {
          entry: 'spawnMissing',
          on: {
            'CONNECTION.UP': {
              guard: { type: 'isActive', params: ({ event }) => ({ id: event.id }) },
              target: 'up',
              actions: [
                { type: 'noteOpened', params: ({ event }) => ({ openedAt: event.openedAt }) },
                { type: 'tellStreams', params: { news: 'FEED.UP' } },
                { type: 'tellUp', params: ({ event }) => ({ proof: event.proof }) },
              ],
            },
            'CONNECTION.DOWN': {
              guard: { type: 'isActive', params: ({ event }) => ({ id: event.id }) },
              actions: [
                { type: 'forgetLeaving', params: ({ event }) => ({ id: event.id }) },
                { type: 'countReconnect', params: ({ event }) => ({ cause: event.cause }) },
                { type: 'tellDown', params: ({ event }) => downOf(event) },
              ],
            },
          },
        },
        up: {
          tags: 'up',
          on: {
            ADD: {
              actions: {
                type: 'addStreams',
                params: ({ event }) => ({ streams: event.streams, isUp: true }),
              },
            },
            'STREAM.MUTE': [
              {
                guard: { type: 'isFirst', params: ({ event }) => ({ again: event.again }) },
                actions: { type: 'resubscribe', params: ({ event }) => ({ stream: event.stream }) },
              },
              {
                guard: 'mayRecycle',
                actions: { type: 'recycle', params: ({ event }) => ({ stream: event.stream }) },
              },
              { actions: { type: 'alarmMute', params: ({ event }) => ({ stream: event.stream }) } },
            ],
            'CONNECTION.DOWN': {
              guard: { type: 'isActive', params: ({ event }) => ({ id: event.id }) },
              target: 'down',
              actions: [
                { type: 'forgetLeaving', params: ({ event }) => ({ id: event.id }) },
                { type: 'tellStreams', params: { news: 'FEED.DOWN' } },
                { type: 'countReconnect', params: ({ event }) => ({ cause: event.cause }) },
                { type: 'tellDown', params: ({ event }) => downOf(event) },
              ],
            },
          },
          initial: 'steady',
          states: {
            steady: {
              after: {
                rotate: {
                  target: 'rotating',
                  actions: { type: 'noteRotation', params: { reason: 'its age' } },
                },
              },
              // Told now, or while it was still a successor.
              always: { guard: 'isLeaving', target: 'rotating', actions: 'noteNotice' },
            },
            rotating: {
              tags: 'rotating',
              entry: 'dropSpare',
              on: {
                'xstate.done.actor.*': {
                  guard: { type: 'isSpare', params: ({ event }) => ({ id: event.actorId }) },
                  target: '.pausing',
                  actions: [
                    { type: 'dropChild', params: ({ event }) => ({ id: event.actorId }) },
                    { type: 'countReconnect', params: { cause: 'failed' } },
                    {
                      type: 'alarmRotation',
                      params: ({ event, context }) => ({
                        reason: `${event.actorId} ended: ${event.output.outcome}`,
                        retryMs: context.mendMs,
                      }),
                    },
                  ],
                },
                'xstate.error.actor.*': {
                  guard: { type: 'isSpare', params: ({ event }) => ({ id: event.actorId }) },
                  target: '.pausing',
                  actions: [
                    { type: 'dropChild', params: ({ event }) => ({ id: event.actorId }) },
                    { type: 'countReconnect', params: { cause: 'failed' } },
                    {
                      type: 'alarmRotation',
                      params: ({ event, context }) => ({
                        reason: `${event.actorId} failed: ${describe(event.error)}`,
                        retryMs: context.mendMs,
                      }),
                    },
                  ],
                },
              },
              initial: 'connecting',
              states: {
                connecting: {
                  // Told again for each successor: what came on one that failed says nothing of the next.
                  entry: [{ type: 'tellStreams', params: { news: 'FEED.ROTATING' } }, 'spawnSuccessor'],
                  on: {
                    'CONNECTION.UP': {
                      guard: { type: 'isSpare', params: ({ event }) => ({ id: event.id }) },
                      target: 'overlapping',
                      actions: {
                        type: 'noteNextOpened',
                        params: ({ event }) => ({ openedAt: event.openedAt }),
                      },
                    },
                    'CONNECTION.DOWN': [
                      {
                        guard: { type: 'isActive', params: ({ event }) => ({ id: event.id }) },
                        target: '#feed.open.down',
                        actions: [
                          'takeOver',
                          { type: 'tellStreams', params: { news: 'FEED.DOWN' } },
                          { type: 'countReconnect', params: ({ event }) => ({ cause: event.cause }) },
                          { type: 'tellDown', params: ({ event }) => downOf(event) },
                        ],
                      },
                      {
                        // It dials once more by itself.
                        actions: [
                          { type: 'tellStreams', params: { news: 'FEED.ROTATING' } },
                          { type: 'forgetLeaving', params: ({ event }) => ({ id: event.id }) },
                          { type: 'countReconnect', params: ({ event }) => ({ cause: event.cause }) },
                          { type: 'alarmRotation', params: ({ event }) => failureOf(event) },
                        ],
                      },
                    ],
                  },
                },
                overlapping: {
                  after: {
                    overlap: {
                      target: '#feed.open.up.steady',
                      actions: [
                        'takeOver',
                        { type: 'tellStreams', params: { news: 'FEED.SWITCHED' } },
                        'tellRotated',
                      ],
                    },
                  },
                  on: {
                    'CONNECTION.DOWN': [
                      {
                        guard: { type: 'isActive', params: ({ event }) => ({ id: event.id }) },
                        target: '#feed.open.up.steady',
                        actions: [
                          'takeOver',
                          { type: 'tellStreams', params: { news: 'FEED.SWITCHED' } },
                          'tellRotated',
                        ],
                      },
                      {
                        target: 'connecting',
                        actions: [
                          { type: 'forgetLeaving', params: ({ event }) => ({ id: event.id }) },
                          { type: 'countReconnect', params: ({ event }) => ({ cause: event.cause }) },
                          { type: 'alarmRotation', params: ({ event }) => failureOf(event) },
                        ],
                      },
                    ],
                  },
                },
                pausing: { after: { mend: 'connecting' } },
              },
            },
          },
        },
        mending: {
          description: 'A fault of ours. The connections go too, so that all start from the same point.',
          tags: 'alarm',
          entry: ['dropConnections', { type: 'tellStreams', params: { news: 'FEED.DOWN' } }],
          after: { mend: 'down' },
        },
      },
    },
    closing: {
      entry: 'closeConnections',
      on: {
        'xstate.done.actor.*': {
          guard: { type: 'isAwaited', params: ({ event }) => ({ id: event.actorId }) },
          actions: [
            { type: 'dropChild', params: ({ event }) => ({ id: event.actorId }) },
            { type: 'noteLine', params: ({ event }) => ({ line: event.output }) },
          ],
        },
        'xstate.error.actor.*': [
          {
            guard: { type: 'isAwaited', params: ({ event }) => ({ id: event.actorId }) },
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
          // A stream: it would have been stopped with this feed anyhow.
          {},
        ],
      },
      always: { guard: 'allClosed', target: 'closed' },
      after: { closeDeadline: { target: 'closed', actions: 'force' } },
    },
    closed: { type: 'final' },
  },
});

interface Down {
  readonly reason: string;
  readonly retryMs: number;
  readonly alarming: boolean;
}
const downOf = ({ reason, retryMs, alarming }: Down): Down => ({ reason, retryMs, alarming });
const failureOf = ({ reason, retryMs }: Down): Omit<Down, 'alarming'> => ({ reason, retryMs });
