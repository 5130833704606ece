import {
  assign,
  createMachine,
  emit,
  enqueueActions,
  fromPromise,
  raise,
  sendParent,
  sendTo,
  setup,
  stopChild,
} from 'xstate';
import { model, stub } from './walk/index.ts';

/** A machine that uses nearly everything a chart can say, and is right. */
const everything = setup({
  types: {
    context: {} as {
      now: () => number;
      stamp: { at: number };
      tries: number;
      pending: readonly string[];
    },
    input: {} as { now: () => number; stamp: { at: number } },
    events: {} as
      | { type: 'START'; mode: 'one' | 'many' }
      | { type: 'CLOSE' }
      | { type: 'NOTE' }
      | { type: 'LATER' }
      | { type: 'SAID' }
      | { type: 'socket.text'; text: string }
      | { type: 'xstate.done.actor.*'; actorId: string; output: unknown }
      | { type: 'xstate.error.actor.*'; actorId: string; error: unknown },
    emitted: {} as { type: 'noted' },
  },
  actors: {
    call: fromPromise(async () => 42),
    worker: fromPromise(async () => 'ok'),
  },
  actions: {
    spawnWorkers: enqueueActions(({ enqueue }) => {
      for (const id of ['w1', 'w2']) enqueue.spawnChild('worker', { id });
      enqueue.assign({ pending: ['w1', 'w2'] });
    }),
    dropChild: enqueueActions(({ context, enqueue }, params: { id: string }) => {
      enqueue.stopChild(params.id);
      enqueue.assign({
        pending: context.pending.filter((id) => id !== params.id),
      });
    }),
  },
  guards: {
    many: ({ event }) => event.type === 'START' && event.mode === 'many',
    fresh: ({ context }) => context.now() - context.stamp.at < 1_500,
    allGone: ({ context }) => context.pending.length === 0,
    triedTwice: ({ context }) => context.tries >= 2,
    sharp: ({ event }) => 'error' in event && String(event.error).includes('sharp'),
  },
  delays: {
    backoff: ({ context }) => 100 * (context.tries + 1),
    heartbeat: 1_000,
    deadline: 5_000,
  },
}).createMachine({
  id: 'everything',
  context: ({ input }) => ({ ...input, tries: 0, pending: [] }),
  initial: 'idle',
  on: { NOTE: { actions: emit({ type: 'noted' }) } },
  states: {
    idle: {
      on: {
        START: [{ guard: 'many', target: 'crowd' }, { target: 'calling' }],
        NOTE: {},
      },
    },
    calling: {
      invoke: {
        id: 'call',
        src: 'call',
        onDone: { target: 'live', actions: assign({ tries: 0 }) },
        onError: [{ guard: 'sharp', target: 'closed' }, { target: 'waiting' }],
      },
      after: { deadline: 'waiting' },
    },
    waiting: {
      entry: assign({ tries: ({ context }) => context.tries + 1 }),
      always: { guard: 'triedTwice', target: 'closed' },
      after: { backoff: 'calling' },
    },
    live: {
      entry: [raise({ type: 'SAID' }), raise({ type: 'LATER' }, { delay: 300, id: 'later' })],
      initial: 'listening',
      onDone: 'closed',
      on: {
        SAID: { actions: sendParent({ type: 'LIVE' }) },
        LATER: { actions: emit({ type: 'noted' }) },
        'socket.*': { target: 'live', reenter: true },
        '*': { actions: emit({ type: 'noted' }) },
      },
      states: {
        listening: {
          after: {
            heartbeat: [{ guard: 'fresh', target: 'listening', reenter: true }, { target: 'over' }],
          },
        },
        over: { type: 'final' },
      },
    },
    crowd: {
      entry: 'spawnWorkers',
      on: {
        'xstate.done.actor.*': {
          actions: {
            type: 'dropChild',
            params: ({ event }) => ({ id: event.actorId }),
          },
        },
        'xstate.error.actor.*': {
          actions: {
            type: 'dropChild',
            params: ({ event }) => ({ id: event.actorId }),
          },
        },
      },
      always: { guard: 'allGone', target: 'closed' },
    },
    closed: { type: 'final' },
  },
});

export const everythingModel = model(everything.provide({ actors: { call: stub, worker: stub } }))({
  env: () => ({ stamp: { at: 0 }, talking: false }),
  // While somebody talks, the stamp is always fresh.
  input: (env, clock) => ({
    now: () => clock.now(),
    stamp: {
      get at() {
        return env.talking ? clock.now() : env.stamp.at - 1_500;
      },
    },
  }),
  events: () => ({
    START: [
      { type: 'START', mode: 'one' },
      { type: 'START', mode: 'many' },
    ],
    'socket.*': [{ type: 'socket.text', text: 'hello' }],
  }),
  internal: ['SAID', 'LATER'],
  errors: (id) => (id === 'call' ? [new Error('sharp'), new Error('dull')] : [new Error('boom')]),
  knobs: [
    { label: 'talk', run: ({ env }) => Object.assign(env, { talking: true }) },
    {
      label: 'silence',
      run: ({ env }) => Object.assign(env, { talking: false }),
    },
  ],
  abstract: (context, env) => [context.tries, context.pending, env.talking],
});

/** The root never ends: `stopped` can start again. */
export const againModel = model(
  createMachine({
    id: 'again',
    initial: 'stopped',
    states: {
      stopped: { on: { START: 'running' } },
      running: { on: { STOP: 'stopped' } },
    },
  }),
)();

/** Two regions that never conflict; the joint exit belongs to the parent. */
export const parallelModel = model(
  createMachine({
    id: 'parallel',
    initial: 'both',
    states: {
      both: {
        type: 'parallel',
        on: { RESET: { target: 'both', reenter: true } },
        onDone: 'after',
        states: {
          left: {
            initial: 'a',
            states: { a: { on: { GO: 'b' } }, b: { type: 'final' } },
          },
          right: {
            initial: 'c',
            states: { c: { on: { GO: 'd', SKIP: 'd' } }, d: { type: 'final' } },
          },
        },
      },
      after: { type: 'final' },
    },
  }),
)();

/** Both regions want to leave on LEAVE: the right one is always pre-empted and its exit never happens. */
export const preemptedModel = model(
  createMachine({
    id: 'preempted',
    initial: 'both',
    states: {
      both: {
        type: 'parallel',
        states: {
          left: { initial: 'a', states: { a: { on: { LEAVE: '#won' } } } },
          right: { initial: 'b', states: { b: { on: { LEAVE: '#lost' } } } },
        },
      },
      won: { id: 'won' },
      lost: { id: 'lost' },
    },
  }),
)();

/** A child's second snapshot ends the watch; the first one is shown at its start. */
export const snapshotModel = model(
  setup({
    types: { context: {} as { seen: boolean } },
    actors: { child: stub },
  }).createMachine({
    id: 'watching',
    context: { seen: false },
    initial: 'on',
    states: {
      on: {
        invoke: {
          id: 'child',
          src: 'child',
          onSnapshot: [
            { guard: ({ context }) => context.seen, target: 'off' },
            { actions: assign({ seen: true }) },
          ],
          onError: 'off',
          onDone: 'off',
        },
      },
      off: {},
    },
  }),
)();

/** PING is passed on to a child that may have ended: `sendTo` then kills the machine. */
export const crashing = createMachine({
  id: 'crashing',
  initial: 'on',
  invoke: { id: 'child', src: stub, onDone: { actions: stopChild('child') } },
  states: {
    on: { on: { PING: { actions: sendTo('child', { type: 'PING' }) } } },
  },
});
