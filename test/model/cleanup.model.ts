import { cleanupMachine } from '../../machines/cleanup.machine.ts';
import { model, stub } from './walk/index.ts';

/** A cleanup of up to three tasks that do as the walk pleases. */
export const cleanupModel = model(cleanupMachine.provide({ actors: { task: stub } }))({
  input: (_, clock) => ({ now: () => clock.now() }),
  events: (session) => {
    const { tasks } = session.snapshot.context as { tasks: readonly unknown[] };
    return {
      ADD:
        tasks.length < 3 ? [{ type: 'ADD', slot: `task${tasks.length}`, name: `task ${tasks.length}` }] : [],
      REMOVE: [{ type: 'REMOVE', slot: `task${tasks.length - 1}` }],
      RUN: [{ type: 'RUN', withinMs: 5_000 }],
    };
  },
  abstract: ({ tasks, errors }) => [tasks.map(({ line }) => line?.outcome), errors.length],
});
