/**
 * One socket's life, from the first dial to the last close.
 *
 *   permitting ─allowed▶ ┌─────────────────────── attached (owns a socket) ────────────────────────┐
 *       ▲      │         │ opening ─OPENED▶ open: subscribing ─ACKED▶ proving ─FRAME | quiet▶ live │
 *       │      │         │    └──────── CLOSE ──▶ closing ◀── CLOSE ──┘                            │
 *       │    refused     └───────┬───────────────────┬─────────────────────────────────────────────┘
 *       │      │     closed,     │ refused, silent,  │ closed, or after(closeDeadline)
 *  after(backoff)▼   half-open ──┤ mute, RECYCLE     │
 *       └──── waiting ◀──────────┘                   ▼
 *                └────────────── CLOSE ─────────▶ closed     (and at once while permitting)
 *
 *   live has two regions, for a socket may be half-open while its data is doubted:
 *     heartbeat  listening ─after(pingInterval) | PROBE▶ pinging ─ALIVE▶ listening
 *     data       flowing ─ALIVE, but no data for long▶ doubting ─FRAME▶ flowing ; doubting ─quiet▶ quiet
 *
 * A permit paces the dials of the whole process; waiting for one is no failed dial. An open, acknowledged socket
 * proves nothing (protocol facts 2 and 3): it is up when a data frame came on it, or when REST shows that its symbols
 * do not trade. Frames never come here; the socket actor reports the first one after it was asked to watch.
 */
import { connectionSetup, LOST, MUTE } from './connection.setup.ts';
import { cleanup, describe } from './model/cleanup.ts';

export const connectionMachine = connectionSetup.createMachine({
  id: 'connection',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({
    ...input,
    attempt: 0,
    openedAt: 0,
    end: LOST,
    cause: 'closed',
    reason: '',
    retryMs: 0,
    dueAt: 0,
    closingSince: 0,
    closeMs: 0,
    outcome: 'closed',
    error: undefined,
  }),
  initial: 'permitting',
  output: ({ context }) =>
    cleanup(context.id, context.outcome, context.closingSince, context.now(), context.error),
  // Without an open socket it is enough to know what the next one is to carry.
  on: {
    SUBSCRIBE: { actions: { type: 'addStreams', params: ({ event }) => ({ names: event.streams }) } },
    UNSUBSCRIBE: { actions: { type: 'dropStreams', params: ({ event }) => ({ names: event.streams }) } },
  },
  states: {
    permitting: {
      description: 'Waits for its turn to dial.',
      invoke: {
        src: 'permit',
        id: 'permit',
        input: ({ context }) => ({ id: context.id }),
        onDone: 'attached',
        onError: {
          target: 'waiting',
          actions: {
            type: 'noteEnd',
            params: ({ event }) => ({
              end: LOST,
              cause: 'failed' as const,
              reason: `may not dial: ${describe(event.error)}`,
            }),
          },
        },
      },
      on: {
        CLOSE: {
          target: 'closed',
          actions: { type: 'noteClosing', params: ({ event }) => ({ withinMs: event.withinMs }) },
        },
      },
    },
    attached: {
      description: 'Owns a socket; leaving this state destroys it.',
      initial: 'opening',
      invoke: {
        src: 'socket',
        id: 'socket',
        input: ({ context }) => ({ id: context.id, ackTimeoutMs: context.timing.ackTimeoutMs }),
        onError: {
          target: 'waiting',
          actions: {
            type: 'noteEnd',
            params: ({ event }) => ({
              end: LOST,
              cause: 'failed' as const,
              reason: `socket failed: ${describe(event.error)}`,
            }),
          },
        },
      },
      on: {
        CLOSE: {
          target: '.closing',
          actions: { type: 'noteClosing', params: ({ event }) => ({ withinMs: event.withinMs }) },
        },
        'SOCKET.CLOSED': {
          target: 'waiting',
          actions: {
            type: 'noteEnd',
            params: ({ event }) => ({ end: event.end, cause: event.cause, reason: event.reason }),
          },
        },
        'SOCKET.REFUSED': {
          target: 'waiting',
          actions: {
            type: 'noteEnd',
            params: ({ event }) => ({
              end: LOST,
              cause: 'unacknowledged' as const,
              reason: `subscription refused: ${event.reason}`,
            }),
          },
        },
      },
      states: {
        opening: {
          on: { 'SOCKET.OPENED': { target: 'open', actions: 'noteOpened' } },
          after: {
            openTimeout: {
              target: '#connection.waiting',
              actions: {
                type: 'noteEnd',
                params: { end: LOST, cause: 'unreachable', reason: 'handshake not answered in time' },
              },
            },
          },
        },
        open: {
          on: {
            SUBSCRIBE: {
              actions: [
                { type: 'addStreams', params: ({ event }) => ({ names: event.streams }) },
                { type: 'tellSocket', params: ({ event }) => ({ command: event }) },
              ],
            },
            UNSUBSCRIBE: {
              actions: [
                { type: 'dropStreams', params: ({ event }) => ({ names: event.streams }) },
                { type: 'tellSocket', params: ({ event }) => ({ command: event }) },
              ],
            },
            RESUBSCRIBE: { actions: { type: 'tellSocket', params: ({ event }) => ({ command: event }) } },
            RECYCLE: {
              target: '#connection.waiting',
              actions: {
                type: 'noteEnd',
                params: ({ event }) => ({ end: MUTE, cause: 'mute' as const, reason: event.reason }),
              },
            },
            'SOCKET.NOTICE': {
              actions: { type: 'tellLeaving', params: ({ event }) => ({ reason: event.reason }) },
            },
          },
          initial: 'subscribing',
          states: {
            subscribing: {
              entry: ['watch', 'subscribe'],
              on: {
                'SOCKET.ACKED': 'proving',
                // Data for what was asked says more than an acknowledgement, which may be lost (fault P03).
                'SOCKET.FRAME': {
                  target: 'live',
                  actions: { type: 'tellUp', params: { proof: 'frame' } },
                },
              },
              after: {
                ackTimeout: {
                  target: '#connection.waiting',
                  actions: {
                    type: 'noteEnd',
                    params: { end: LOST, cause: 'unacknowledged', reason: 'subscription not acknowledged' },
                  },
                },
              },
            },
            proving: {
              on: {
                'SOCKET.FRAME': {
                  target: 'live',
                  actions: { type: 'tellUp', params: { proof: 'frame' } },
                },
              },
              after: {
                proofDeadline: {
                  target: '#connection.waiting',
                  actions: {
                    type: 'noteEnd',
                    params: { end: LOST, cause: 'silent', reason: 'no data, and REST could not tell why' },
                  },
                },
              },
              initial: 'watching',
              states: {
                watching: { after: { proofDelay: 'asking' } },
                asking: {
                  invoke: {
                    src: 'prove',
                    id: 'prove',
                    input: ({ context }) => ({
                      streams: context.streams,
                      spacingMs: context.timing.proofSpacingMs,
                    }),
                    onDone: [
                      {
                        guard: { type: 'isQuiet', params: ({ event }) => ({ proof: event.output }) },
                        target: '#connection.attached.open.live.data.quiet',
                        actions: { type: 'tellUp', params: { proof: 'quiet' } },
                      },
                      { target: '#connection.waiting', actions: 'noteMute' },
                    ],
                    onError: 'watching',
                  },
                },
              },
            },
            live: {
              tags: 'up',
              type: 'parallel',
              after: { stable: { actions: 'resetAttempts' } },
              states: {
                heartbeat: {
                  initial: 'listening',
                  states: {
                    listening: { on: { PROBE: 'pinging' }, after: { pingInterval: 'pinging' } },
                    pinging: {
                      entry: 'ping',
                      on: { 'SOCKET.ALIVE': 'listening' },
                      after: {
                        pongTimeout: {
                          target: '#connection.waiting',
                          actions: {
                            type: 'noteEnd',
                            params: { end: LOST, cause: 'silent', reason: 'half-open: no sign of life' },
                          },
                        },
                      },
                    },
                  },
                },
                data: {
                  initial: 'flowing',
                  states: {
                    flowing: { on: { 'SOCKET.ALIVE': { guard: 'isSilent', target: 'doubting' } } },
                    doubting: {
                      entry: 'watch',
                      on: { 'SOCKET.FRAME': 'flowing' },
                      after: {
                        proofDeadline: {
                          target: '#connection.waiting',
                          actions: {
                            type: 'noteEnd',
                            params: {
                              end: LOST,
                              cause: 'silent',
                              reason: 'silent, and REST could not tell why',
                            },
                          },
                        },
                      },
                      initial: 'asking',
                      states: {
                        pausing: { after: { proofDelay: 'asking' } },
                        asking: {
                          invoke: {
                            src: 'prove',
                            id: 'prove',
                            input: ({ context }) => ({
                              streams: context.streams,
                              spacingMs: context.timing.proofSpacingMs,
                            }),
                            onDone: [
                              {
                                guard: { type: 'isQuiet', params: ({ event }) => ({ proof: event.output }) },
                                target: '#connection.attached.open.live.data.quiet',
                              },
                              { target: '#connection.waiting', actions: 'noteMute' },
                            ],
                            onError: 'pausing',
                          },
                        },
                      },
                    },
                    quiet: {
                      description: 'Nothing trades; asked again only after as long a silence.',
                      on: { 'SOCKET.FRAME': 'flowing' },
                      after: { silence: 'doubting' },
                    },
                  },
                },
              },
            },
          },
        },
        closing: {
          entry: 'closeSocket',
          on: {
            CLOSE: {},
            'SOCKET.REFUSED': {},
            'SOCKET.CLOSED': '#connection.closed',
            // A socket that fails while it closes is gone too; dialling again would undo the CLOSE.
            'xstate.error.actor.socket': {
              target: '#connection.closed',
              actions: { type: 'noteFailed', params: ({ event }) => ({ error: event.error }) },
            },
          },
          after: { closeDeadline: { target: '#connection.closed', actions: 'noteForced' } },
        },
      },
    },
    waiting: {
      description: 'No socket. Asks for a permit after the backoff.',
      entry: ['planRetry', 'tellDown'],
      on: {
        CLOSE: {
          target: 'closed',
          actions: { type: 'noteClosing', params: ({ event }) => ({ withinMs: event.withinMs }) },
        },
      },
      initial: 'resting',
      states: {
        // A server may ask for more than one timer can wait: then it is waited in pieces.
        resting: {
          after: {
            backoff: [
              { guard: 'isDue', target: '#connection.permitting' },
              { target: 'resting', reenter: true },
            ],
          },
        },
      },
    },
    closed: { type: 'final' },
  },
});
