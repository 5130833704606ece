/**
 * A cleanup: tasks side by side, against one deadline.
 *
 *   collecting ─RUN▶ running ─all tasks have ended▶ ended
 *                       └─ after(deadline) | ABORT ▶ ended: what has not ended is forced
 *
 *   ADD:    collecting: kept for later; running: begun at once, under the same deadline
 *   REMOVE: collecting only: what has begun can't be taken back
 *
 * RUN in `running` finds no transition: running twice is running once. A task that fails is a line in the report and
 * holds no other. The chart knows the names of its tasks and nothing of what they do: that is let go of when they
 * begin.
 */
import { cleanupReportOf, cleanupSetup, freshCleanup } from './cleanup.setup.ts';

export const cleanupMachine = cleanupSetup.createMachine({
  id: 'cleanup',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({ ...input, ...freshCleanup }),
  initial: 'collecting',
  output: ({ context }) => cleanupReportOf(context),
  states: {
    collecting: {
      on: {
        ADD: { actions: { type: 'keep', params: ({ event }) => event } },
        REMOVE: { actions: { type: 'drop', params: ({ event }) => event } },
        RUN: { target: 'running', actions: { type: 'noteRun', params: ({ event }) => event } },
      },
    },
    running: {
      entry: 'beginAll',
      always: { guard: 'allEnded', target: 'ended' },
      after: { deadline: 'ended' },
      on: {
        ADD: { actions: { type: 'beginOne', params: ({ event }) => event } },
        ABORT: 'ended',
        'xstate.done.actor.*': {
          actions: { type: 'noteEnded', params: ({ event }) => ({ slot: event.actorId }) },
        },
        'xstate.error.actor.*': {
          actions: {
            type: 'noteFailed',
            params: ({ event }) => ({ slot: event.actorId, error: event.error }),
          },
        },
      },
    },
    ended: {
      description: 'With the chart end the tasks that are left: their signals are aborted.',
      type: 'final',
    },
  },
});
