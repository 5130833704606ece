/** What the chart of the REST session is made of: its types, actions, guards and delays. The chart is beside it. */
import { assign, enqueueActions, fromPromise, sendParent, setup } from 'xstate';
import { type Cleanup, cleanup, type Outcome } from './model/cleanup.ts';
import type { Held } from './model/hold.ts';
import { fateOf, retryDelay } from './model/rest-failure.ts';
import type { Priority } from './model/weight-budget.ts';

export interface RestRequest {
  readonly path: string;
  readonly params: Readonly<Record<string, string | number>>;
  readonly weight: number;
  /** Default: `live`. */
  readonly priority?: Priority;
  /** What is given of a good answer: the bytes of its body. Default: what they say, parsed. */
  readonly wants?: 'bytes';
  /** Of the one who waits: a request whose waiter has gone is not sent. */
  readonly signal?: AbortSignal;
  resolve(body: unknown): void;
  reject(error: unknown): void;
}

/** One attempt at a request, made anew for each: the quota knows it by its identity. */
export interface RestCall {
  readonly request: RestRequest;
  /** Attempts before this one. */
  readonly tries: number;
}

/** What the session reads of the count that all of a process share. */
export interface QuotaPort {
  /** The pause that the exchange imposed, while it lasts. */
  held(): Held | undefined;
  /** How long a request has to wait for the budget, ms; 0 when it may be sent. */
  waitMs(weight: number, priority: Priority): number;
  /** Books a request that is about to be sent. */
  begin(call: object, weight: number): void;
}

export interface RestSessionInput {
  readonly id: string;
  /** Requests that may wait; one more is refused. */
  readonly queueMax: number;
  /** Requests under way at a time: one whose answer stalls must not stall the others. */
  readonly callsMax: number;
  /** Times that a request that failed goes back into the queue. */
  readonly retriesMax: number;
  readonly quota: QuotaPort;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** To the collector: edges of what the exchange imposes. `forMs` is how long it lasts yet; it may come again. */
export type RestReport =
  | { type: 'REST.LIMITED'; forMs: number; reason: string }
  | { type: 'REST.BANNED'; forMs: number; reason: string }
  | { type: 'REST.FREE' };

const REFUSALS = {
  REST_CLOSED: 'the REST session is closed',
  REST_QUEUE_FULL: 'too many REST requests wait; try again later',
  REST_PAUSED: 'the exchange wants to be left alone',
} as const;

/** Why a request was not served, for the waiter to turn into its own error. */
export class RestRefused extends Error {
  readonly code: keyof typeof REFUSALS;
  readonly retryable = true;
  /** How long the exchange is to be left alone, ms; 0 when that is not the reason. */
  readonly retryAfterMs: number;
  constructor(code: keyof typeof REFUSALS, held?: Held) {
    const seconds = Math.ceil((held?.forMs ?? 0) / 1_000);
    super(held === undefined ? REFUSALS[code] : `${REFUSALS[code]} for ${seconds} s yet: ${held.reason}`);
    this.code = code;
    this.retryAfterMs = held?.forMs ?? 0;
  }
}

/** Longest delay of a Node timer: a longer pause is slept in pieces. */
const TIMER_MAX_MS = 2 ** 31 - 1;
/** Node may fire a timer a hair early. */
const TIMER_EARLY_MS = 1;
/** Nobody waits in the queue for the end of a longer pause: who asks is told, and plans with it. */
const LONG_PAUSE_MS = 15_000;

export interface Context extends RestSessionInput {
  /** Live requests first, each kind in the order it came. */
  readonly queue: readonly RestCall[];
  /** What is under way, by the name of the child. */
  readonly calls: Readonly<Record<string, RestCall>>;
  readonly retryMs: number;
  readonly closingSince: number;
  readonly closeMs: number;
  readonly outcome: Outcome;
  readonly error: unknown;
}

export const freshSession = {
  queue: [],
  calls: {},
  retryMs: 0,
  closingSince: 0,
  closeMs: 0,
  outcome: 'closed' as Outcome,
  error: undefined as unknown,
};

const isWanted = (call: RestCall): boolean => call.request.signal?.aborted !== true;
const priorityOf = (call: RestCall): Priority => call.request.priority ?? 'live';
const headOf = ({ queue }: Context): RestCall | undefined => queue.find(isWanted);

/**
 * Where the head may be sent; undefined when there is no room. One slot is never given to the background: its calls
 * may stall as well. Children have few fixed names: each name that ever was costs memory for ever.
 */
function freeSlot(context: Context): string | undefined {
  const { calls, callsMax } = context;
  const head = headOf(context);
  if (head === undefined) return undefined;
  const slots = priorityOf(head) === 'live' ? callsMax : Math.max(1, callsMax - 1);
  for (let slot = 0; slot < slots; slot++) if (calls[`call${slot}`] === undefined) return `call${slot}`;
  return undefined;
}

const without = (calls: Context['calls'], slot: string): Context['calls'] =>
  Object.fromEntries(Object.entries(calls).filter(([name]) => name !== slot));

/** Puts a call before or behind those of its priority. */
function queued(queue: readonly RestCall[], call: RestCall, where: 'before' | 'behind'): RestCall[] {
  const wanted = queue.filter(isWanted);
  const firstBackground = wanted.findIndex((one) => priorityOf(one) === 'background');
  const border = firstBackground === -1 ? wanted.length : firstBackground;
  const isLive = priorityOf(call) === 'live';
  const at = where === 'before' ? (isLive ? 0 : border) : isLive ? border : wanted.length;
  return wanted.toSpliced(at, 0, call);
}

/** How long the request at the head has to wait for the budget, ms. */
function budgetWait(context: Context): number {
  const head = headOf(context);
  return head === undefined ? 0 : context.quota.waitMs(head.request.weight, priorityOf(head));
}

const isBar = (held: Held | undefined): held is Held => held !== undefined && held.kind !== 'limited';
const isLong = (held: Held | undefined): held is Held => held !== undefined && held.forMs > LONG_PAUSE_MS;

export const restSessionSetup = setup({
  types: {
    context: {} as Context,
    input: {} as RestSessionInput,
    events: {} as
      | { type: 'REQUEST'; request: RestRequest }
      | { type: 'CLOSE'; withinMs: number }
      | { type: 'xstate.done.actor.*'; output: unknown; actorId: string }
      | { type: 'xstate.error.actor.*'; error: unknown; actorId: string },
    output: {} as Cleanup,
  },
  actors: {
    call: fromPromise<unknown, RestCall>(() => Promise.reject(new Error('call is not provided'))),
    release: fromPromise<void>(() => Promise.reject(new Error('release is not provided'))),
  },
  actions: {
    enqueue: assign({
      queue: ({ context }, params: { request: RestRequest }) =>
        queued(context.queue, { request: params.request, tries: 0 }, 'behind'),
    }),
    refuse: ({ context }, params: { request: RestRequest; code: keyof typeof REFUSALS }) => {
      const held = params.code === 'REST_PAUSED' ? context.quota.held() : undefined;
      params.request.reject(new RestRefused(params.code, held));
    },
    /** Sends the request at the head. */
    dispatch: enqueueActions(({ context, enqueue }) => {
      const head = headOf(context);
      const slot = freeSlot(context);
      if (head === undefined || slot === undefined) return;
      // Booked at once: the next one is judged before this child has begun.
      enqueue(() => context.quota.begin(head, head.request.weight));
      enqueue.spawnChild('call', { id: slot, input: head });
      enqueue.assign({
        queue: context.queue.filter((call) => call !== head && isWanted(call)),
        calls: { ...context.calls, [slot]: head },
      });
    }),
    /** A child that is done stays in `children` until it is stopped. */
    answer: enqueueActions(({ context, enqueue }, params: { slot: string; body: unknown }) => {
      const call = context.calls[params.slot];
      enqueue.stopChild(params.slot);
      enqueue.assign({ calls: without(context.calls, params.slot) });
      enqueue(() => call?.request.resolve(params.body));
    }),
    /** A call that failed: back into the queue, or told to who asked. */
    takeBack: enqueueActions(({ context, enqueue }, params: { slot: string; error: unknown }) => {
      const call = context.calls[params.slot];
      enqueue.stopChild(params.slot);
      enqueue.assign({ calls: without(context.calls, params.slot) });
      if (call === undefined) return;
      const { request, tries } = call;
      if (fateOf(params.error) === 'told' || tries >= context.retriesMax) {
        enqueue(() => request.reject(params.error));
        return;
      }
      enqueue.assign({
        queue: queued(context.queue, { request, tries: tries + 1 }, 'before'),
        retryMs: retryDelay(tries, context.random()),
      });
    }),
    /** Nobody waits here for the end of a long pause. */
    turnAway: enqueueActions(({ context, enqueue }) => {
      const held = context.quota.held();
      if (!isLong(held)) return;
      enqueue.assign({ queue: [] });
      enqueue(() => {
        for (const { request } of context.queue) request.reject(new RestRefused('REST_PAUSED', held));
      });
    }),
    tellLimited: sendParent(
      ({ context }): RestReport => ({
        type: 'REST.LIMITED',
        forMs: context.quota.held()?.forMs ?? 0,
        reason: context.quota.held()?.reason ?? '',
      }),
    ),
    tellBanned: sendParent(
      ({ context }): RestReport => ({
        type: 'REST.BANNED',
        forMs: context.quota.held()?.forMs ?? 0,
        reason: context.quota.held()?.reason ?? '',
      }),
    ),
    tellFree: sendParent({ type: 'REST.FREE' } satisfies RestReport),
    abandon: enqueueActions(({ context, enqueue }) => {
      const left = [...Object.values(context.calls), ...context.queue];
      for (const slot of Object.keys(context.calls)) enqueue.stopChild(slot);
      enqueue.assign({ queue: [], calls: {} });
      enqueue(() => {
        for (const { request } of left) request.reject(new RestRefused('REST_CLOSED'));
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
    hasRoom: ({ context: { queue, queueMax } }) =>
      queue.length < queueMax || queue.filter(isWanted).length < queueMax,
    waiting: ({ context }) => headOf(context) !== undefined,
    underWay: ({ context }) => Object.keys(context.calls).length > 0,
    atRest: ({ context }) => headOf(context) === undefined && Object.keys(context.calls).length === 0,
    sendable: ({ context }) => freeSlot(context) !== undefined && budgetWait(context) === 0,
    overBudget: ({ context }) => freeSlot(context) !== undefined && budgetWait(context) > 0,
    isBarred: ({ context }) => isBar(context.quota.held()),
    isLimited: ({ context }) => context.quota.held()?.kind === 'limited',
    waitsBarred: ({ context }) => headOf(context) !== undefined && isBar(context.quota.held()),
    waitsLimited: ({ context }) => headOf(context) !== undefined && context.quota.held()?.kind === 'limited',
    isLong: ({ context }) => isLong(context.quota.held()),
    mayRetry: ({ context }, params: { slot: string; error: unknown }) =>
      fateOf(params.error) !== 'told' &&
      (context.calls[params.slot]?.tries ?? context.retriesMax) < context.retriesMax,
  },
  delays: {
    retryDelay: ({ context }) => context.retryMs,
    budgetDelay: ({ context }) => Math.max(1, Math.min(TIMER_MAX_MS, Math.ceil(budgetWait(context)))),
    holdDelay: ({ context }) => Math.min(TIMER_MAX_MS, (context.quota.held()?.forMs ?? 0) + TIMER_EARLY_MS),
    closeDeadline: ({ context }) => context.closeMs,
  },
});

export const cleanupOf = (context: Context): Cleanup =>
  cleanup(context.id, context.outcome, context.closingSince, context.now(), context.error);
