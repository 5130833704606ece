/**
 * An application: its components started in the order of what they depend on, and its one way down.
 *
 *   idle ─START▶ starting ─all run▶ running
 *     │              │                 │
 *   STOP         STOP | a component failed or ended by itself
 *     │              ▼                 ▼
 *     │           stopping ─all ended | after(stopTimeout): the rest is forced▶ verifying
 *     ▼                                                                             │
 *   stopped ◀────────────────────────────────────────────────────────────────────────┘
 *     └─START▶ starting
 *
 *   verifying: asking ─all checked | after(checkTimeout)▶ looking ─done | error | after(lookTimeout)▶ stopped
 *
 * One actor for each component. It is told START when all that it depends on run, and STOP when all that depend on it
 * have ended: who is late holds those that it needs, nobody else, and not longer than its time. Order is a matter of
 * single components, not of waves.
 * Components are asked about their final state side by side, and only then one looks at the process, which by then
 * must hold nothing that it did not hold before. All of it is within the one deadline of the stop.
 * STOP in `stopping`, `verifying` and `stopped` finds no transition: stopping twice is stopping once.
 */
import { cleanup, describe } from './model/cleanup.ts';
import { checksOf, freshRun, lineOf, resourcesOrder, supervisorSetup } from './supervisor.setup.ts';

export const supervisorMachine = supervisorSetup.createMachine({
  id: 'supervisor',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({ ...input, ...freshRun }),
  initial: 'idle',
  on: {
    'COMPONENT.FAILED': {
      target: '.stopping',
      actions: [
        {
          type: 'noteFailure',
          params: ({ event: { id, message, error } }) => ({ failure: { component: id, message, error } }),
        },
        { type: 'warn', params: ({ event }) => ({ message: event.message, component: event.id }) },
        { type: 'noteStop', params: ({ event }) => ({ reason: event.message }) },
      ],
    },
    // A component's own chart that ends or breaks while nobody stops it. It holds nothing any more.
    'xstate.done.actor.*': {
      target: '.stopping',
      actions: [
        {
          type: 'drop',
          params: ({ event }) => ({ id: event.actorId, line: lineOf(event.actorId, event.output) }),
        },
        {
          type: 'noteFailure',
          params: ({ event: { actorId } }) => ({
            failure: {
              component: actorId,
              message: `${actorId} ended by itself`,
              error: new Error(`${actorId} ended by itself`),
            },
          }),
        },
        { type: 'noteStop', params: ({ event }) => ({ reason: `${event.actorId} ended by itself` }) },
      ],
    },
    'xstate.error.actor.*': {
      target: '.stopping',
      actions: [
        {
          type: 'drop',
          params: ({ event, context }) => ({
            id: event.actorId,
            line: cleanup(event.actorId, 'failed', context.now(), context.now(), event.error),
          }),
        },
        {
          type: 'noteFailure',
          params: ({ event: { actorId, error } }) => ({
            failure: { component: actorId, message: `${actorId} failed: ${describe(error)}`, error },
          }),
        },
        {
          type: 'noteStop',
          params: ({ event }) => ({ reason: `${event.actorId} failed: ${describe(event.error)}` }),
        },
      ],
    },
  },
  states: {
    idle: {
      on: {
        REGISTER: { actions: { type: 'register', params: ({ event }) => event } },
        START: { target: 'starting', actions: 'spawnAll' },
        STOP: {
          target: 'stopped',
          actions: [{ type: 'noteStop', params: ({ event }) => event }, 'noteNothingBegun'],
        },
      },
    },
    starting: {
      entry: 'startNext',
      always: { guard: 'allRun', target: 'running' },
      on: {
        'COMPONENT.RUNNING': {
          actions: [{ type: 'noteRunning', params: ({ event }) => event }, 'startNext'],
        },
        STOP: { target: 'stopping', actions: { type: 'noteStop', params: ({ event }) => event } },
      },
    },
    running: {
      tags: 'ready',
      on: { STOP: { target: 'stopping', actions: { type: 'noteStop', params: ({ event }) => event } } },
    },
    stopping: {
      entry: 'stopNext',
      always: { guard: 'allEnded', target: 'verifying' },
      after: { stopTimeout: { target: 'verifying', actions: 'force' } },
      on: {
        // It is on its way down already: said, and kept in its line of the report.
        'COMPONENT.FAILED': {
          actions: {
            type: 'warn',
            params: ({ event }) => ({ message: event.message, component: event.id }),
          },
        },
        'xstate.done.actor.*': {
          actions: [
            {
              type: 'drop',
              params: ({ event }) => ({ id: event.actorId, line: lineOf(event.actorId, event.output) }),
            },
            'stopNext',
          ],
        },
        'xstate.error.actor.*': {
          actions: [
            {
              type: 'drop',
              params: ({ event, context }) => ({
                id: event.actorId,
                line: cleanup(event.actorId, 'failed', context.stopSince, context.now(), event.error),
              }),
            },
            'stopNext',
          ],
        },
      },
    },
    verifying: {
      initial: 'asking',
      states: {
        asking: {
          entry: 'askChecks',
          always: { guard: 'allChecked', target: 'deciding' },
          after: { checkTimeout: { target: 'deciding', actions: 'skipChecks' } },
          on: {
            'xstate.done.actor.*': {
              actions: {
                type: 'noteChecks',
                params: ({ event }) => ({ id: event.actorId, checks: checksOf(event.output) }),
              },
            },
            'xstate.error.actor.*': {
              actions: {
                type: 'noteCheckFailed',
                params: ({ event }) => ({ id: event.actorId, error: event.error }),
              },
            },
          },
        },
        deciding: {
          always: [{ guard: 'nobodyLooks', target: '#supervisor.stopped' }, { target: 'looking' }],
        },
        looking: {
          description: 'Only now: what the checks themselves have opened must be closed again, too.',
          invoke: {
            src: 'resources',
            id: 'resources',
            input: ({ context }) => resourcesOrder(context),
            onDone: {
              target: '#supervisor.stopped',
              actions: { type: 'noteResources', params: ({ event }) => ({ checks: event.output }) },
            },
            onError: {
              target: '#supervisor.stopped',
              actions: {
                type: 'noteResources',
                params: ({ event }) => ({
                  checks: [{ name: 'resources', outcome: 'failed', detail: describe(event.error) }],
                }),
              },
            },
          },
          after: {
            lookTimeout: {
              target: '#supervisor.stopped',
              actions: {
                type: 'noteResources',
                params: {
                  checks: [{ name: 'resources', outcome: 'skipped', detail: 'there was no time for it' }],
                },
              },
            },
          },
        },
      },
    },
    stopped: {
      entry: 'noteStopped',
      on: { START: { target: 'starting', actions: 'spawnAll' } },
    },
  },
});
