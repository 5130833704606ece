/**
 * One component of an application: started when it is told to, ended once, never later than its time.
 *
 *   waiting ─START▶ begun                                         waiting ─STOP▶ closed
 *
 *   ┌──────────────────────────── begun ────────────────────────────┐
 *   │  starting ─STARTED▶ running ─ENDED▶ broken                     │
 *   │     ├─FAILED | ENDED▶ broken (waits to be stopped)             │
 *   │     └─STOP▶ ending.settling        running, broken ─STOP▶ ending.stopping
 *   │                                                                │
 *   │  ending: settling ─ start has settled | after(patience) ▶ stopping
 *   │          stopping ─ done | error ▶ closed    after(deadline) ▶ closed (forced)
 *   └────────────────────────────────────────────────────────────────┘
 *
 * `life` starts it and tells when it ends by itself. It lives through all of `begun`, for what has been started may
 * still have to settle; leaving `begun` ends it, and whatever comes then is not heard. A STOP while it ends finds no
 * transition.
 */
import { assign, fromCallback, fromPromise, raise, sendParent, sendTo, setup } from 'xstate';
import { cleanup, describe, type Outcome } from './model/cleanup.ts';
import type { ComponentEnd, ComponentInput, ComponentLine, ComponentReport } from './supervisor.types.ts';

/** What of its time a start that is broken off may take to settle. */
const PATIENCE = 0.5;

export interface StopOrder {
  readonly name: string;
  /** What it has, ms. */
  readonly timeoutMs: number;
  readonly reason: string;
}

export type ComponentEvent =
  | { type: 'START' }
  | { type: 'STOP'; timeoutMs: number; reason: string }
  | { type: 'LIFE.STARTED' }
  | { type: 'LIFE.FAILED'; error: unknown }
  | { type: 'LIFE.ENDED'; error?: unknown };

export interface ComponentContext extends ComponentInput {
  readonly startSince: number;
  readonly stopMs: number;
  readonly stopSince: number;
  readonly reason: string;
  readonly outcome: Outcome;
  readonly error: unknown;
  readonly end: ComponentEnd;
}

const stopLeft = ({ stopMs, stopSince, now }: ComponentContext): number =>
  Math.max(0, Math.ceil(stopSince + stopMs - now()));

export const componentMachine = setup({
  types: {
    context: {} as ComponentContext,
    input: {} as ComponentInput,
    events: {} as ComponentEvent,
    output: {} as ComponentLine,
  },
  actors: {
    /** Hears ABORT when a start that is under way is to be broken off. */
    life: fromCallback<{ type: 'ABORT' }, { name: string }>(() => {
      throw new Error('life is not provided');
    }),
    stop: fromPromise<ComponentEnd, StopOrder>(() => Promise.reject(new Error('stop is not provided'))),
  },
  actions: {
    noteStart: assign({ startSince: ({ context }) => context.now() }),
    noteStop: assign({
      stopMs: (_, params: { timeoutMs: number; reason: string }) => params.timeoutMs,
      reason: (_, params: { timeoutMs: number; reason: string }) => params.reason,
      stopSince: ({ context }) => context.now(),
    }),
    noteEnd: assign({ end: (_, params: { end: ComponentEnd }) => params.end }),
    // What went wrong first is the reason of what went wrong then.
    noteError: assign({
      outcome: 'failed' as const,
      error: ({ context }, params: { error: unknown }) =>
        context.outcome === 'failed' ? context.error : params.error,
    }),
    noteForced: assign({
      outcome: ({ context }) => (context.outcome === 'failed' ? context.outcome : 'forced'),
    }),
    breakOff: sendTo('life', { type: 'ABORT' }),
    tellRunning: sendParent(
      ({ context }): ComponentReport => ({
        type: 'COMPONENT.RUNNING',
        id: context.id,
        durationMs: Math.round(context.now() - context.startSince),
      }),
    ),
    tellNotStarted: sendParent(
      ({ context }, params: { error: unknown }): ComponentReport => ({
        type: 'COMPONENT.FAILED',
        id: context.id,
        message: `${context.id} could not start: ${describe(params.error)}`,
        error: params.error,
      }),
    ),
    tellEnded: sendParent(({ context }, params: { error: unknown }): ComponentReport => {
      const message = `${context.id} ended by itself`;
      return {
        type: 'COMPONENT.FAILED',
        id: context.id,
        message: params.error === undefined ? message : `${message}: ${describe(params.error)}`,
        error: params.error ?? new Error(message),
      };
    }),
  },
  guards: {
    /** It ended with an error, and not because its work was done. */
    hasError: (_, params: { error: unknown }) => params.error !== undefined,
  },
  delays: {
    deadline: ({ context }) => context.stopMs,
    patience: ({ context }) => context.stopMs * PATIENCE,
  },
}).createMachine({
  id: 'component',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({
    ...input,
    startSince: 0,
    stopMs: 0,
    stopSince: input.now(),
    reason: '',
    outcome: 'closed',
    error: undefined,
    end: {},
  }),
  initial: 'waiting',
  output: ({ context }) => ({
    ...cleanup(context.id, context.outcome, context.stopSince, context.now(), context.error),
    ...context.end,
  }),
  states: {
    waiting: {
      on: {
        START: { target: 'begun', actions: 'noteStart' },
        STOP: { target: 'closed', actions: { type: 'noteStop', params: ({ event }) => event } },
      },
    },
    begun: {
      invoke: {
        src: 'life',
        id: 'life',
        input: ({ context }) => ({ name: context.id }),
        onError: { actions: raise(({ event }) => ({ type: 'LIFE.FAILED', error: event.error })) },
      },
      initial: 'starting',
      states: {
        starting: {
          on: {
            'LIFE.STARTED': { target: 'running', actions: 'tellRunning' },
            'LIFE.FAILED': {
              target: 'broken',
              actions: [
                { type: 'noteError', params: ({ event }) => ({ error: event.error }) },
                { type: 'tellNotStarted', params: ({ event }) => ({ error: event.error }) },
              ],
            },
            'LIFE.ENDED': {
              actions: raise(({ event }) => ({
                type: 'LIFE.FAILED',
                error: event.error ?? new Error('it ended before it ran'),
              })),
            },
            STOP: {
              target: 'ending.settling',
              actions: { type: 'noteStop', params: ({ event }) => event },
            },
          },
        },
        running: {
          on: {
            'LIFE.FAILED': {
              target: 'broken',
              actions: [
                { type: 'noteError', params: ({ event }) => ({ error: event.error }) },
                { type: 'tellEnded', params: ({ event }) => ({ error: event.error }) },
              ],
            },
            'LIFE.ENDED': [
              {
                guard: { type: 'hasError', params: ({ event }) => ({ error: event.error }) },
                actions: raise(({ event }) => ({ type: 'LIFE.FAILED', error: event.error })),
              },
              { target: 'broken', actions: { type: 'tellEnded', params: { error: undefined } } },
            ],
            STOP: { target: 'ending', actions: { type: 'noteStop', params: ({ event }) => event } },
          },
        },
        broken: {
          description: 'It does not run, and its stop waits until all that depend on it have ended.',
          on: { STOP: { target: 'ending', actions: { type: 'noteStop', params: ({ event }) => event } } },
        },
        ending: {
          after: { deadline: { target: '#component.closed', actions: 'noteForced' } },
          initial: 'stopping',
          states: {
            settling: {
              description:
                'Stopping what is half started may miss the other half. How it settles is all one.',
              entry: 'breakOff',
              on: {
                'LIFE.STARTED': 'stopping',
                'LIFE.FAILED': 'stopping',
              },
              after: { patience: 'stopping' },
            },
            stopping: {
              invoke: {
                src: 'stop',
                id: 'stop',
                input: ({ context }) => ({
                  name: context.id,
                  timeoutMs: stopLeft(context),
                  reason: context.reason,
                }),
                onDone: {
                  target: '#component.closed',
                  actions: { type: 'noteEnd', params: ({ event }) => ({ end: event.output }) },
                },
                onError: {
                  target: '#component.closed',
                  actions: { type: 'noteError', params: ({ event }) => ({ error: event.error }) },
                },
              },
            },
          },
        },
      },
    },
    closed: { type: 'final' },
  },
});
