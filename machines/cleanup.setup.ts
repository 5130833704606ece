/** What the chart of a cleanup is made of: its types, actions, guards and delays. The chart is beside it. */
import { assign, enqueueActions, fromPromise, setup } from 'xstate';
import { type Cleanup, cleanup, describe } from './model/cleanup.ts';

export interface CleanupInput {
  /** Monotonic ms. */
  readonly now: () => number;
}

/** One task. What it does is known to the actor alone, so that nothing here holds on to it. */
export interface CleanupSlot {
  /** The name of its actor, unique in this cleanup. */
  readonly slot: string;
  /** For the report; may repeat. */
  readonly name: string;
  /** When it was begun. */
  readonly since: number;
  /** How it ended, once it has. */
  readonly line: Cleanup | undefined;
}

export type CleanupEvent =
  | { type: 'ADD'; slot: string; name: string }
  | { type: 'REMOVE'; slot: string }
  | { type: 'RUN'; withinMs: number }
  | { type: 'ABORT' }
  | { type: 'xstate.done.actor.*'; output: unknown; actorId: string }
  | { type: 'xstate.error.actor.*'; error: unknown; actorId: string };

/** How a cleanup went. */
export interface CleanupReport {
  /** From its start to the end of its last task, or to its deadline, ms. */
  readonly durationMs: number;
  /** Every task ended by itself and in time. */
  readonly clean: boolean;
  /** A line for each task, in the order in which they were added. */
  readonly tasks: readonly Cleanup[];
  /** What the tasks threw, verbatim, in the order in which they did. */
  readonly errors: readonly unknown[];
  /** Names of the tasks that had not ended when the time was over; each is `forced` in `tasks`. */
  readonly cancelled: readonly string[];
}

export interface CleanupContext extends CleanupInput {
  readonly tasks: readonly CleanupSlot[];
  readonly errors: readonly unknown[];
  readonly since: number;
  readonly withinMs: number;
}

export const freshCleanup = { tasks: [], errors: [], since: 0, withinMs: 0 };

/** The report as it stands: what has not ended counts as forced. */
export function cleanupReportOf(context: CleanupContext): CleanupReport {
  const now = context.now();
  const tasks = context.tasks.map(({ name, since, line }) => line ?? cleanup(name, 'forced', since, now));
  return {
    durationMs: Math.max(0, Math.round(now - context.since)),
    clean: tasks.every(({ outcome }) => outcome === 'closed'),
    tasks,
    errors: context.errors,
    cancelled: tasks.filter(({ outcome }) => outcome === 'forced').map(({ name }) => name),
  };
}

/** The tasks, one of which has ended now. */
const ended = (
  { tasks, now }: CleanupContext,
  slot: string,
  lineOf: (task: CleanupSlot, now: number) => Cleanup,
): readonly CleanupSlot[] =>
  tasks.map((task) => (task.slot === slot ? { ...task, line: lineOf(task, now()) } : task));

export const cleanupSetup = setup({
  types: {
    context: {} as CleanupContext,
    input: {} as CleanupInput,
    events: {} as CleanupEvent,
    output: {} as CleanupReport,
  },
  actors: {
    /** Does what the task in this slot is there for. Its signal is aborted when its time is over. */
    task: fromPromise<void, { slot: string }>(() => Promise.reject(new Error('task is not provided'))),
  },
  actions: {
    keep: assign({
      tasks: ({ context }, { slot, name }: { slot: string; name: string }) => [
        ...context.tasks,
        { slot, name, since: 0, line: undefined },
      ],
    }),
    drop: assign({
      tasks: ({ context }, params: { slot: string }) =>
        context.tasks.filter(({ slot }) => slot !== params.slot),
    }),
    noteRun: assign({
      since: ({ context }) => context.now(),
      withinMs: (_, params: { withinMs: number }) => params.withinMs,
    }),
    beginAll: enqueueActions(({ context, enqueue }) => {
      for (const { slot } of context.tasks) enqueue.spawnChild('task', { id: slot, input: { slot } });
      enqueue.assign({ tasks: context.tasks.map((task) => ({ ...task, since: context.since })) });
    }),
    beginOne: enqueueActions(({ context, enqueue }, { slot, name }: { slot: string; name: string }) => {
      enqueue.spawnChild('task', { id: slot, input: { slot } });
      enqueue.assign({ tasks: [...context.tasks, { slot, name, since: context.now(), line: undefined }] });
    }),
    /** A child that has ended stays in `children` until it is stopped. */
    noteEnded: enqueueActions(({ context, enqueue }, params: { slot: string }) => {
      enqueue.stopChild(params.slot);
      enqueue.assign({
        tasks: ended(context, params.slot, ({ name, since }, now) => cleanup(name, 'closed', since, now)),
      });
    }),
    noteFailed: enqueueActions(({ context, enqueue }, params: { slot: string; error: unknown }) => {
      enqueue.stopChild(params.slot);
      enqueue.assign({
        errors: [...context.errors, params.error],
        // As text, since `undefined` can be thrown, too.
        tasks: ended(context, params.slot, ({ name, since }, now) =>
          cleanup(name, 'failed', since, now, describe(params.error)),
        ),
      });
    }),
  },
  guards: {
    allEnded: ({ context }) => context.tasks.every(({ line }) => line !== undefined),
  },
  delays: { deadline: ({ context }) => context.withinMs },
});
