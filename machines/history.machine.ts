/**
 * A load of history: one range of one series, from archive and REST into a store, a file or memory.
 *
 *   idle ─START▶ ┌─────────────────────────── working ────────────────────────────┐
 *    │           │  opening ─▶ planning ─▶ loading ─▶ finishing                   │
 *   STOP         │                │         │    ▲       ▲                        │
 *    │           │                │     [lacks]  │       │                        │
 *    │           │                │         ▼ [hasMore]  │                        │
 *    │           │                │       confirming ────┘                        │
 *    │           └──────┬─────────┴─────────────────────────────┬─────────────────┘
 *    │          STOP | failure | dry run                    finished
 *    ▼                  ▼                                       ▼
 *  stopped ◀── sealing: sink, archive and REST at once, all within after(deadline)
 *
 * Nothing is to be fetched: planning ─▶ finishing. Bars that no source had are asked for again in `confirming`: at the
 * end, or where the sink takes bars only in order, before it goes on. What was stored stays, however it ends, and no gap
 * is named for what was not reached. A STOP in `sealing` finds no transition: stopping twice is stopping once.
 */
import * as say from './collector.notices.ts';
import { endedLine, failedLine, freshHistory, historySetup, lostChild } from './history.setup.ts';

export type {
  HistoryInput,
  HistoryOutcome,
  HistoryOutput,
  HistoryPlanned,
  HistoryStep,
} from './history.setup.ts';

export const historyMachine = historySetup.createMachine({
  id: 'history',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({ ...input, ...freshHistory }),
  initial: 'idle',
  output: ({ context: { outcome, error, reason, lines } }) => ({ outcome, error, reason, lines }),
  on: {
    'REST.LIMITED': { actions: { type: 'notice', params: ({ event }) => say.restLimited(event) } },
    'REST.BANNED': { actions: { type: 'notice', params: ({ event }) => say.restBanned(event) } },
    'REST.FREE': { actions: { type: 'notice', params: say.restFree } },
  },
  states: {
    idle: {
      on: {
        START: { target: 'working', actions: 'spawnRest' },
        STOP: { target: 'stopped', actions: { type: 'noteStop', params: ({ event }) => event } },
      },
    },
    working: {
      on: {
        STOP: { target: 'sealing', actions: { type: 'noteStop', params: ({ event }) => event } },
        // The REST session, while nobody closes it: what asks it would wait for ever.
        'xstate.done.actor.*': {
          target: 'sealing',
          actions: [
            {
              type: 'noteFailure',
              params: ({ event }) => ({ error: lostChild(event.actorId) }),
            },
            {
              type: 'dropChild',
              params: ({ event, context }) => ({
                id: event.actorId,
                line: endedLine(context, event.actorId, event.output),
              }),
            },
          ],
        },
        'xstate.error.actor.*': {
          target: 'sealing',
          actions: [
            {
              type: 'noteFailure',
              params: ({ event }) => ({ error: lostChild(event.actorId, event.error) }),
            },
            {
              type: 'dropChild',
              params: ({ event, context }) => ({
                id: event.actorId,
                line: failedLine(context, event.actorId, event.error),
              }),
            },
          ],
        },
      },
      initial: 'opening',
      states: {
        opening: {
          invoke: {
            src: 'open',
            id: 'open',
            onDone: 'planning',
            onError: {
              target: '#history.sealing',
              actions: { type: 'noteFailure', params: ({ event }) => ({ error: event.error }) },
            },
          },
        },
        planning: {
          invoke: {
            src: 'plan',
            id: 'plan',
            onDone: [
              { guard: 'isDryRun', target: '#history.sealing', actions: 'noteFinished' },
              { guard: { type: 'isThere', params: ({ event }) => event.output }, target: 'finishing' },
              { target: 'loading' },
            ],
            onError: {
              target: '#history.sealing',
              actions: { type: 'noteFailure', params: ({ event }) => ({ error: event.error }) },
            },
          },
        },
        loading: {
          invoke: {
            src: 'load',
            id: 'load',
            onDone: [
              { guard: { type: 'lacks', params: ({ event }) => event.output }, target: 'confirming' },
              { target: 'finishing' },
            ],
            onError: {
              target: '#history.sealing',
              actions: { type: 'noteFailure', params: ({ event }) => ({ error: event.error }) },
            },
          },
        },
        confirming: {
          invoke: {
            src: 'confirm',
            id: 'confirm',
            onDone: [
              { guard: { type: 'hasMore', params: ({ event }) => event.output }, target: 'loading' },
              { target: 'finishing' },
            ],
            onError: {
              target: '#history.sealing',
              actions: { type: 'noteFailure', params: ({ event }) => ({ error: event.error }) },
            },
          },
        },
        finishing: {
          description: 'Not part of the end: what is slow here is the work itself, and may take its time.',
          invoke: {
            src: 'finish',
            id: 'finish',
            onDone: { target: '#history.sealing', actions: 'noteFinished' },
            onError: {
              target: '#history.sealing',
              actions: { type: 'noteFailure', params: ({ event }) => ({ error: event.error }) },
            },
          },
        },
      },
    },
    sealing: {
      entry: 'closeAll',
      always: { guard: 'allClosed', target: 'stopped' },
      after: { deadline: { target: 'stopped', actions: 'force' } },
      on: {
        'xstate.done.actor.*': {
          actions: {
            type: 'dropChild',
            params: ({ event, context }) => ({
              id: event.actorId,
              line: endedLine(context, event.actorId, event.output),
            }),
          },
        },
        'xstate.error.actor.*': {
          actions: {
            type: 'dropChild',
            params: ({ event, context }) => ({
              id: event.actorId,
              line: failedLine(context, event.actorId, event.error),
            }),
          },
        },
      },
    },
    stopped: { type: 'final' },
  },
});
