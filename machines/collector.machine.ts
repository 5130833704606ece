/**
 * The root: the life of a collector, and its one way down.
 *
 *   initialized ─START▶ connecting ─FEED.UP▶ streaming ─no feed is up▶ connecting.polling ─FEED.UP▶ streaming
 *        │                  │                    │
 *       STOP        STOP | failure | after    STOP | failure
 *        │         (connectTimeout, first time)  │
 *        ▼                  ▼                    ▼
 *     stopped ◀────────── stopping: feeds → rest → store, all within after(stopTimeout)
 *        └─START▶ connecting
 *
 *   connecting: first (preparing ⇄ pausing → opening the store → dialing), or polling: bars close by REST
 *   streaming:  partial ⇄ full (every feed is up)
 *
 * STOP in `stopping` and in `stopped` finds no transition: stopping twice is stopping once. The report of
 * the last stop stays in the context; nothing is alive in `stopped`, which is not final, so that START is
 * allowed again.
 */
import * as say from './collector.notices.ts';
import { collectorSetup, fresh, linesOf, unwrittenOf } from './collector.setup.ts';
import { cleanup, describe } from './model/cleanup.ts';

export const collectorMachine = collectorSetup.createMachine({
  id: 'collector',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({ ...input, ...fresh }),
  initial: 'initialized',
  on: {
    'FEED.UP': {
      actions: [
        { type: 'noteUp', params: ({ event }) => ({ id: event.id }) },
        { type: 'notice', params: ({ event }) => say.feedUp(event) },
      ],
    },
    'FEED.DOWN': {
      actions: [
        { type: 'noteDown', params: ({ event }) => ({ id: event.id, reason: event.reason }) },
        { type: 'notice', params: ({ event }) => say.feedDown(event) },
      ],
    },
    'FEED.ALARM': { actions: { type: 'notice', params: ({ event }) => say.feedAlarm(event) } },
    'FEED.ROTATED': { actions: { type: 'notice', params: ({ event }) => say.feedRotated(event) } },
    'STORE.TROUBLE': { actions: { type: 'notice', params: ({ event }) => say.storeTrouble(event) } },
    'REST.LIMITED': { actions: { type: 'notice', params: ({ event }) => say.restLimited(event) } },
    'REST.BANNED': { actions: { type: 'notice', params: ({ event }) => say.restBanned(event) } },
    'REST.FREE': { actions: { type: 'notice', params: say.restFree } },
    'TIME.JUMPED': {
      actions: ['probeFeeds', { type: 'notice', params: ({ event }) => say.clockJumped(event) }],
    },
    // A component that ends or fails while nobody stops it: the promise can't be kept without it.
    'xstate.done.actor.*': {
      target: '.stopping',
      actions: [
        {
          type: 'dropChild',
          params: ({ event }) => ({
            id: event.actorId,
            lines: linesOf(event.output),
            unwritten: unwrittenOf(event.output),
          }),
        },
        {
          type: 'noteFailure',
          params: ({ event }) => ({
            failure: {
              kind: 'component' as const,
              message: `${event.actorId} ended by itself`,
              cause: 'cause' in event.output ? event.output.cause : undefined,
            },
          }),
        },
        { type: 'noteStop', params: ({ event }) => ({ reason: `${event.actorId} failed` }) },
      ],
    },
    'xstate.error.actor.*': {
      target: '.stopping',
      actions: [
        {
          type: 'dropChild',
          params: ({ event, context }) => ({
            id: event.actorId,
            lines: [cleanup(event.actorId, 'failed', context.now(), context.now(), event.error)],
            unwritten: event.actorId === context.store.id ? context.store.rows.size : 0,
          }),
        },
        {
          type: 'noteFailure',
          params: ({ event }) => ({
            failure: {
              kind: 'component' as const,
              message: `${event.actorId} failed: ${describe(event.error)}`,
              cause: event.error,
            },
          }),
        },
        { type: 'noteStop', params: ({ event }) => ({ reason: `${event.actorId} failed` }) },
      ],
    },
  },
  states: {
    initialized: {
      on: {
        START: { target: 'connecting', actions: ['reset', 'spawnRest'] },
        STOP: {
          target: 'stopped',
          actions: { type: 'noteStop', params: ({ event }) => ({ reason: event.reason }) },
        },
      },
    },
    connecting: {
      on: {
        STOP: { target: 'stopping', actions: { type: 'noteStop', params: ({ event }) => event } },
        'SYMBOLS.CHANGED': {
          actions: [
            { type: 'addStreams', params: ({ event }) => event },
            { type: 'retireStreams', params: ({ event }) => event },
            { type: 'noteSymbols', params: ({ event }) => event },
          ],
        },
      },
      initial: 'first',
      states: {
        first: {
          description: 'Not yet streamed since START: the connect time-out runs, where there is one.',
          after: {
            connectTimeout: {
              guard: 'impatient',
              target: '#collector.stopping',
              actions: [
                {
                  type: 'noteFailure',
                  params: ({ context }) => ({
                    failure: {
                      kind: 'connect-timeout' as const,
                      message: `no proved connection within ${context.connectTimeoutMs} ms`,
                      cause: context.trouble,
                    },
                  }),
                },
                { type: 'noteStop', params: { reason: 'connect timeout' } },
              ],
            },
          },
          initial: 'preparing',
          states: {
            preparing: {
              invoke: {
                src: 'prepare',
                id: 'prepare',
                onDone: {
                  target: 'opening',
                  actions: {
                    type: 'notePrepared',
                    params: ({ event }) => ({ prepared: event.output }),
                  },
                },
                onError: [
                  {
                    guard: { type: 'mayRetry', params: ({ event }) => ({ error: event.error }) },
                    target: 'pausing',
                    actions: [
                      { type: 'planPrepare', params: ({ event }) => ({ error: event.error }) },
                      {
                        type: 'noteTrouble',
                        params: ({ event }) => ({ reason: describe(event.error) }),
                      },
                      {
                        type: 'notice',
                        params: ({ event, context }) =>
                          say.prepareFailed(describe(event.error), context.prepareMs),
                      },
                    ],
                  },
                  {
                    target: '#collector.stopping',
                    actions: [
                      {
                        type: 'noteFailure',
                        params: ({ event }) => ({
                          failure: {
                            kind: 'prepare' as const,
                            message: describe(event.error),
                            cause: event.error,
                          },
                        }),
                      },
                      { type: 'noteStop', params: { reason: 'refused at start' } },
                    ],
                  },
                ],
              },
            },
            pausing: { after: { preparePause: 'preparing' } },
            opening: {
              description: 'Only now: what the exchange refuses must not leave a file behind.',
              entry: 'spawnStore',
              on: {
                'STORE.READY': {
                  target: 'dialing',
                  actions: [
                    'spawnFeeds',
                    { type: 'retireStreams', params: ({ context }) => ({ retire: context.retire }) },
                  ],
                },
              },
            },
            dialing: { always: { guard: 'anyUp', target: '#collector.streaming' } },
          },
        },
        polling: {
          description:
            'No proved socket is left: bars close by REST, within its budget, until one is up again.',
          always: { guard: 'anyUp', target: '#collector.streaming' },
        },
      },
    },
    streaming: {
      tags: 'ready',
      on: {
        STOP: { target: 'stopping', actions: { type: 'noteStop', params: ({ event }) => event } },
        'SYMBOLS.CHANGED': {
          actions: [
            { type: 'addStreams', params: ({ event }) => event },
            { type: 'retireStreams', params: ({ event }) => event },
            { type: 'noteSymbols', params: ({ event }) => event },
          ],
        },
      },
      always: { guard: 'noneUp', target: 'connecting.polling' },
      initial: 'partial',
      states: {
        partial: { always: { guard: 'allUp', target: 'full' } },
        full: { always: { guard: 'someDown', target: 'partial' } },
      },
    },
    stopping: {
      entry: 'stopHelpers',
      after: {
        stopTimeout: { target: 'stopped', actions: [{ type: 'force', params: { only: 'all' } }] },
      },
      on: {
        'xstate.done.actor.*': {
          actions: {
            type: 'dropChild',
            params: ({ event }) => ({
              id: event.actorId,
              lines: linesOf(event.output),
              unwritten: unwrittenOf(event.output),
            }),
          },
        },
        'xstate.error.actor.*': {
          actions: {
            type: 'dropChild',
            params: ({ event, context }) => ({
              id: event.actorId,
              lines: [cleanup(event.actorId, 'failed', context.stopSince, context.now(), event.error)],
              unwritten: event.actorId === context.store.id ? context.store.rows.size : 0,
            }),
          },
        },
      },
      initial: 'feeds',
      states: {
        feeds: {
          entry: 'closeFeeds',
          always: { guard: 'feedsClosed', target: 'rest' },
          after: {
            feedsShare: { target: 'rest', actions: { type: 'force', params: { only: 'feeds' } } },
          },
        },
        rest: {
          entry: 'closeRest',
          always: { guard: 'restClosed', target: 'store' },
          after: {
            restShare: { target: 'store', actions: { type: 'force', params: { only: 'rest' } } },
          },
        },
        store: {
          entry: 'closeStore',
          always: { guard: 'storeClosed', target: '#collector.stopped' },
        },
      },
    },
    stopped: {
      entry: 'noteStopped',
      on: { START: { target: 'connecting', actions: ['reset', 'spawnRest'] } },
    },
  },
});
