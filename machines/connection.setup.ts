/** What the connection's chart is made of: its types, actions, guards and delays. The chart is beside it. */
import { assign, fromCallback, fromPromise, sendParent, sendTo, setup } from 'xstate';
import type {
  ConnectionCommand,
  ConnectionInput,
  PermitInput,
  Proof,
  ProofInput,
  SocketCommand,
  SocketEvent,
  SocketInput,
  SubscriptionCommand,
} from './connection.types.ts';
import { type Ending, isAlarming, reconnectDelay, timerPiece } from './model/backoff.ts';
import type { Cleanup, Outcome } from './model/cleanup.ts';
import type { ReconnectCause } from './model/reconnect.ts';

/** Given up by us, or failed without a code. */
export const LOST: Ending = { code: 0 };
/** Given up for withholding data. */
export const MUTE: Ending = { code: 0, mute: true };

/** Why there is no connection any more: `end` decides when to dial again, `cause` is counted, `reason` is said. */
export interface GivenUp {
  readonly end: Ending;
  readonly cause: ReconnectCause;
  readonly reason: string;
}

export const connectionSetup = setup({
  types: {
    context: {} as ConnectionInput & {
      attempt: number;
      /** Monotonic ms. */
      openedAt: number;
      end: Ending;
      cause: ReconnectCause;
      reason: string;
      retryMs: number;
      /** When it may ask to dial again, monotonic ms. */
      dueAt: number;
      closingSince: number;
      closeMs: number;
      outcome: Outcome;
      error: unknown;
    },
    input: {} as ConnectionInput,
    events: {} as SocketEvent | ConnectionCommand | { type: 'xstate.error.actor.socket'; error: unknown },
    output: {} as Cleanup,
  },
  actors: {
    permit: fromPromise<void, PermitInput>(() => Promise.reject(new Error('permit is not provided'))),
    socket: fromCallback<SocketCommand, SocketInput>(() => {
      throw new Error('socket is not provided');
    }),
    prove: fromPromise<Proof, ProofInput>(() => Promise.reject(new Error('prove is not provided'))),
  },
  actions: {
    subscribe: sendTo('socket', ({ context }) => ({ type: 'SUBSCRIBE', streams: context.streams })),
    tellSocket: sendTo('socket', (_, params: { command: SubscriptionCommand }) => params.command),
    watch: sendTo('socket', { type: 'WATCH' }),
    ping: sendTo('socket', { type: 'PING' }),
    closeSocket: sendTo('socket', { type: 'CLOSE' }),
    addStreams: assign({
      streams: ({ context }, params: { names: readonly string[] }) => [
        ...new Set([...context.streams, ...params.names]),
      ],
    }),
    dropStreams: assign({
      streams: ({ context }, params: { names: readonly string[] }) => {
        const dropped = new Set(params.names);
        return context.streams.filter((name) => !dropped.has(name));
      },
    }),
    tellUp: sendParent(({ context }, params: { proof: 'frame' | 'quiet' }) => ({
      type: 'CONNECTION.UP',
      id: context.id,
      proof: params.proof,
      openedAt: context.openedAt,
    })),
    tellDown: sendParent(({ context }) => ({
      type: 'CONNECTION.DOWN',
      id: context.id,
      cause: context.cause,
      reason: context.reason,
      retryMs: context.retryMs,
      alarming: isAlarming(context.end),
    })),
    tellLeaving: sendParent(({ context }, params: { reason: string }) => ({
      type: 'CONNECTION.LEAVING',
      id: context.id,
      reason: params.reason,
    })),
    noteOpened: assign({ openedAt: ({ context }) => context.now() }),
    noteEnd: assign((_, { end, cause, reason }: GivenUp) => ({ end, cause, reason })),
    noteMute: assign({
      end: MUTE,
      cause: 'mute' as const,
      reason: ({ context }) => `mute: its symbols trade, but no frame came on ${context.route}`,
    }),
    planRetry: assign(({ context }) => {
      const retryMs = reconnectDelay(context.timing.backoff, context.attempt, context.random(), context.end);
      return { retryMs, dueAt: context.now() + retryMs, attempt: context.attempt + 1 };
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
    isSilent: ({ context }) => context.activity.silentMs() >= context.timing.silenceMs,
    isQuiet: (_, params: { proof: Proof }) => params.proof === 'quiet',
    isDue: ({ context }) => context.now() >= context.dueAt,
  },
  delays: {
    openTimeout: ({ context }) => context.timing.openTimeoutMs,
    ackTimeout: ({ context }) => context.timing.ackTimeoutMs,
    proofDelay: ({ context }) => context.timing.proofDelayMs,
    proofDeadline: ({ context }) => context.timing.proofDeadlineMs,
    pingInterval: ({ context }) => context.timing.pingIntervalMs,
    pongTimeout: ({ context }) => context.timing.pongTimeoutMs,
    silence: ({ context }) => context.timing.silenceMs,
    stable: ({ context }) => context.timing.stableMs,
    backoff: ({ context }) => timerPiece(context.dueAt - context.now()),
    closeDeadline: ({ context }) => context.closeMs,
  },
});
