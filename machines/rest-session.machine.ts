/**
 * The REST session: one queue, one request at a time.
 *
 *   open.idle ─[queue not empty]▶ open.busy ─ done | error ▶ open.idle
 *      └──────────── CLOSE ────────────┴──▶ closing ─ released | after(closeDeadline) ▶ closed
 *
 * Closing takes no new work, aborts the call in flight by leaving its state, and rejects what is queued.
 * A request carries the two functions that settle it; the machine calls one of them, once.
 */
import { assign, enqueueActions, fromPromise, setup } from 'xstate';
import { type Cleanup, cleanup, type Outcome } from './model/cleanup.ts';

export interface RestRequest {
  readonly path: string;
  readonly params: Readonly<Record<string, string | number>>;
  readonly weight: number;
  /** Of the one who waits: a request whose waiter has gone is not sent. */
  readonly signal?: AbortSignal;
  resolve(body: unknown): void;
  reject(error: unknown): void;
}

export interface RestSessionInput {
  readonly id: string;
  /** Requests that may wait; one more is refused. */
  readonly queueMax: number;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** Why a request was not served, for the waiter to turn into its own error. */
export class RestRefused extends Error {
  readonly code: 'REST_CLOSED' | 'REST_QUEUE_FULL';
  readonly retryable = true;
  constructor(code: 'REST_CLOSED' | 'REST_QUEUE_FULL') {
    super(
      code === 'REST_CLOSED' ? 'the REST session is closed' : 'too many REST requests wait; try again later',
    );
    this.code = code;
  }
}

export const restSessionMachine = setup({
  types: {
    context: {} as RestSessionInput & {
      queue: readonly RestRequest[];
      closingSince: number;
      closeMs: number;
      outcome: Outcome;
      error: unknown;
    },
    input: {} as RestSessionInput,
    events: {} as { type: 'REQUEST'; request: RestRequest } | { type: 'CLOSE'; withinMs: number },
    output: {} as Cleanup,
  },
  actors: {
    call: fromPromise<unknown, RestRequest>(() => Promise.reject(new Error('call is not provided'))),
    release: fromPromise<void>(() => Promise.reject(new Error('release is not provided'))),
  },
  actions: {
    enqueue: assign({
      queue: ({ context }, params: { request: RestRequest }) => [...context.queue, params.request],
    }),
    refuse: (_, params: { request: RestRequest; code: 'REST_CLOSED' | 'REST_QUEUE_FULL' }) =>
      params.request.reject(new RestRefused(params.code)),
    settle: enqueueActions(
      ({ context, enqueue }, params: { ok: true; body: unknown } | { ok: false; error: unknown }) => {
        const [head, ...queue] = context.queue;
        enqueue.assign({ queue });
        enqueue(() => {
          if (params.ok) head?.resolve(params.body);
          else head?.reject(params.error);
        });
      },
    ),
    abandon: enqueueActions(({ context, enqueue }) => {
      enqueue.assign({ queue: [] });
      enqueue(() => {
        for (const request of context.queue) request.reject(new RestRefused('REST_CLOSED'));
      });
    }),
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
    waiting: ({ context }) => context.queue.length > 0,
    hasRoom: ({ context }) => context.queue.length < context.queueMax,
  },
  delays: { closeDeadline: ({ context }) => context.closeMs },
}).createMachine({
  id: 'restSession',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({
    ...input,
    queue: [],
    closingSince: 0,
    closeMs: 0,
    outcome: 'closed',
    error: undefined,
  }),
  initial: 'open',
  output: ({ context }) =>
    cleanup(context.id, context.outcome, context.closingSince, context.now(), context.error),
  states: {
    open: {
      on: {
        REQUEST: [
          {
            guard: 'hasRoom',
            actions: { type: 'enqueue', params: ({ event }) => ({ request: event.request }) },
          },
          {
            actions: {
              type: 'refuse',
              params: ({ event }) => ({ request: event.request, code: 'REST_QUEUE_FULL' }),
            },
          },
        ],
        CLOSE: {
          target: 'closing',
          actions: { type: 'noteClosing', params: ({ event }) => ({ withinMs: event.withinMs }) },
        },
      },
      initial: 'idle',
      states: {
        idle: { always: { guard: 'waiting', target: 'busy' } },
        busy: {
          invoke: {
            src: 'call',
            id: 'call',
            input: ({ context }) => context.queue[0]!,
            onDone: {
              target: 'idle',
              actions: { type: 'settle', params: ({ event }) => ({ ok: true, body: event.output }) },
            },
            onError: {
              target: 'idle',
              actions: { type: 'settle', params: ({ event }) => ({ ok: false, error: event.error }) },
            },
          },
        },
      },
    },
    closing: {
      entry: 'abandon',
      on: {
        REQUEST: {
          actions: {
            type: 'refuse',
            params: ({ event }) => ({ request: event.request, code: 'REST_CLOSED' }),
          },
        },
      },
      invoke: {
        src: 'release',
        id: 'release',
        onDone: 'closed',
        onError: {
          target: 'closed',
          actions: { type: 'noteFailed', params: ({ event }) => ({ error: event.error }) },
        },
      },
      after: { closeDeadline: { target: 'closed', actions: 'noteForced' } },
    },
    closed: { type: 'final' },
  },
});
