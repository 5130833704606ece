/**
 * One socket's life, from the first dial to the last close.
 *
 *                        ┌──────────────────── attached (owns a socket) ─────────────────────┐
 *   ┌─after(backoff)───▶ │ opening ─OPENED▶ subscribing ─ACKED▶ proving ─FRAME | quiet▶ live  │
 *   │                    │    └────────── CLOSE ──▶ closing ◀── CLOSE ─────────────────┘      │
 *   │                    └───────┬───────────────────┬───────────────────────────────────────┘
 *   │   closed, refused, silent, │                   │ closed, or after(closeDeadline)
 *   └───── waiting ◀─ mute ──────┘                   ▼
 *             └───────────── CLOSE ─────────────▶  closed
 *
 *   live: listening ─after(pingInterval)▶ pinging ─ALIVE▶ listening, or doubting when no data came for long
 *
 * An open, acknowledged socket proves nothing (protocol facts 2 and 3): it is up when a data frame came on
 * it, or when REST shows that its symbols do not trade. Frames never come here; the socket actor reports
 * the first one after it was asked to watch.
 */
import { assign, fromCallback, fromPromise, sendParent, sendTo, setup } from 'xstate';
import type {
  ConnectionInput,
  Proof,
  ProofInput,
  SocketCommand,
  SocketEvent,
  SocketInput,
} from './connection.types.ts';
import { type Ending, isAlarming, reconnectDelay } from './model/backoff.ts';
import { type Cleanup, cleanup, describe, type Outcome } from './model/cleanup.ts';

const LOST: Ending = { code: 0 };

export const connectionMachine = setup({
  types: {
    context: {} as ConnectionInput & {
      attempt: number;
      end: Ending;
      reason: string;
      retryMs: number;
      closingSince: number;
      closeMs: number;
      outcome: Outcome;
      error: unknown;
    },
    input: {} as ConnectionInput,
    events: {} as
      | SocketEvent
      | { type: 'CLOSE'; withinMs: number }
      | { type: 'xstate.error.actor.socket'; error: unknown },
    output: {} as Cleanup,
  },
  actors: {
    socket: fromCallback<SocketCommand, SocketInput>(() => {
      throw new Error('socket is not provided');
    }),
    prove: fromPromise<Proof, ProofInput>(() => Promise.reject(new Error('prove is not provided'))),
  },
  actions: {
    subscribe: sendTo('socket', ({ context }) => ({ type: 'SUBSCRIBE', streams: context.streams })),
    watch: sendTo('socket', { type: 'WATCH' }),
    ping: sendTo('socket', { type: 'PING' }),
    closeSocket: sendTo('socket', { type: 'CLOSE' }),
    tellUp: sendParent(({ context }, params: { proof: 'frame' | 'quiet' }) => ({
      type: 'CONNECTION.UP',
      id: context.id,
      proof: params.proof,
    })),
    tellDown: sendParent(({ context }) => ({
      type: 'CONNECTION.DOWN',
      id: context.id,
      reason: context.reason,
      retryMs: context.retryMs,
      alarming: isAlarming(context.end),
    })),
    noteEnd: assign({
      end: (_, params: { end: Ending; reason: string }) => params.end,
      reason: (_, params: { end: Ending; reason: string }) => params.reason,
    }),
    planRetry: assign({
      retryMs: ({ context }) =>
        reconnectDelay(context.timing.backoff, context.attempt, context.random(), context.end),
      attempt: ({ context }) => context.attempt + 1,
    }),
    resetAttempts: assign({ attempt: 0 }),
    noteClosing: assign({
      closingSince: ({ context }) => context.now(),
      closeMs: (_, params: { withinMs: number }) => params.withinMs,
    }),
    noteForced: assign({ outcome: 'forced' as const }),
    noteFailed: assign({
      outcome: 'failed' as const,
      error: (_, params: { error: unknown }) => params.error,
    }),
  },
  guards: {
    dataFlows: ({ context }) => context.activity.silentMs() < context.timing.silenceMs,
    isQuiet: (_, params: { proof: Proof }) => params.proof === 'quiet',
  },
  delays: {
    openTimeout: ({ context }) => context.timing.openTimeoutMs,
    ackTimeout: ({ context }) => context.timing.ackTimeoutMs,
    proofDelay: ({ context }) => context.timing.proofDelayMs,
    proofDeadline: ({ context }) => context.timing.proofDeadlineMs,
    pingInterval: ({ context }) => context.timing.pingIntervalMs,
    pongTimeout: ({ context }) => context.timing.pongTimeoutMs,
    stable: ({ context }) => context.timing.stableMs,
    backoff: ({ context }) => context.retryMs,
    closeDeadline: ({ context }) => context.closeMs,
  },
}).createMachine({
  id: 'connection',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({
    ...input,
    attempt: 0,
    end: LOST,
    reason: '',
    retryMs: 0,
    closingSince: 0,
    closeMs: 0,
    outcome: 'closed',
    error: undefined,
  }),
  initial: 'attached',
  output: ({ context }) =>
    cleanup(context.id, context.outcome, context.closingSince, context.now(), context.error),
  states: {
    attached: {
      description: 'Owns a socket; leaving this state destroys it.',
      initial: 'opening',
      invoke: {
        src: 'socket',
        id: 'socket',
        input: ({ context }) => ({ id: context.id, streams: context.streams }),
        onError: {
          target: 'waiting',
          actions: {
            type: 'noteEnd',
            params: ({ event }) => ({ end: LOST, reason: `socket failed: ${describe(event.error)}` }),
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
            params: ({ event }) => ({ end: event.end, reason: event.reason }),
          },
        },
        'SOCKET.REFUSED': {
          target: 'waiting',
          actions: {
            type: 'noteEnd',
            params: ({ event }) => ({ end: LOST, reason: `subscription refused: ${event.reason}` }),
          },
        },
      },
      states: {
        opening: {
          on: { 'SOCKET.OPENED': 'subscribing' },
          after: {
            openTimeout: {
              target: '#connection.waiting',
              actions: { type: 'noteEnd', params: { end: LOST, reason: 'handshake not answered in time' } },
            },
          },
        },
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
              actions: { type: 'noteEnd', params: { end: LOST, reason: 'subscription not acknowledged' } },
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
                params: { end: LOST, reason: 'no data, and REST could not tell why' },
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
                    target: '#connection.attached.live',
                    actions: { type: 'tellUp', params: { proof: 'quiet' } },
                  },
                  {
                    target: '#connection.waiting',
                    actions: {
                      type: 'noteEnd',
                      params: { end: LOST, reason: 'mute: its symbols trade, but no frame came' },
                    },
                  },
                ],
                onError: 'watching',
              },
            },
          },
        },
        live: {
          tags: 'up',
          after: { stable: { actions: 'resetAttempts' } },
          initial: 'listening',
          states: {
            listening: { after: { pingInterval: 'pinging' } },
            pinging: {
              entry: 'ping',
              on: {
                'SOCKET.ALIVE': [{ guard: 'dataFlows', target: 'listening' }, { target: 'doubting' }],
              },
              after: {
                pongTimeout: {
                  target: '#connection.waiting',
                  actions: { type: 'noteEnd', params: { end: LOST, reason: 'half-open: no sign of life' } },
                },
              },
            },
            doubting: {
              entry: 'watch',
              on: { 'SOCKET.FRAME': 'listening' },
              // No pings here: without a deadline a proof that hangs would hide a half-open socket.
              after: {
                proofDeadline: {
                  target: '#connection.waiting',
                  actions: {
                    type: 'noteEnd',
                    params: { end: LOST, reason: 'silent, and REST could not tell why in time' },
                  },
                },
              },
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
                    target: 'listening',
                  },
                  {
                    target: '#connection.waiting',
                    actions: {
                      type: 'noteEnd',
                      params: { end: LOST, reason: 'mute: its symbols trade, but frames stopped' },
                    },
                  },
                ],
                onError: {
                  target: '#connection.waiting',
                  actions: {
                    type: 'noteEnd',
                    params: { end: LOST, reason: 'silent, and REST could not tell why' },
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
      description: 'No socket. Dials again after the backoff.',
      entry: ['planRetry', 'tellDown'],
      on: {
        CLOSE: {
          target: 'closed',
          actions: { type: 'noteClosing', params: ({ event }) => ({ withinMs: event.withinMs }) },
        },
      },
      after: { backoff: 'attached' },
    },
    closed: { type: 'final' },
  },
});
