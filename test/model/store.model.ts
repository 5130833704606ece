import { storeMachine } from '../../machines/store.machine.ts';
import { model, stub } from './walk/index.ts';

/** What a commit rejects with when the thread that writes has ended. */
export const writerGone = (): Error =>
  Object.assign(new Error('the writer has ended'), { code: 'STORE_WRITER_GONE' });

/** What a commit rejects with when the file is no longer where it was. */
export const replaced = (): Error =>
  Object.assign(new Error('the file was replaced'), { code: 'STORE_REPLACED' });

/** A store whose writer does as the walk pleases, beside a buffer that the walk fills and empties. */
export const storeModel = model(storeMachine.provide({ actors: { open: stub, commit: stub, seal: stub } }))({
  env: () => ({ rows: { size: 0, full: false } }),
  input: (env, clock) => ({ id: 'store', rows: env.rows, flushMs: 50, now: () => clock.now() }),
  events: () => ({ CLOSE: [{ type: 'CLOSE', withinMs: 3_000 }] }),
  errors: (id) =>
    id === 'commit' || id === 'lastCommit'
      ? [new Error('busy'), writerGone(), replaced()]
      : [new Error('boom')],
  knobs: [
    { label: 'no row waits', run: ({ env }) => Object.assign(env.rows, { size: 0, full: false }) },
    { label: 'a row waits', run: ({ env }) => Object.assign(env.rows, { size: 1, full: false }) },
    { label: 'a batch waits', run: ({ env }) => Object.assign(env.rows, { size: 100, full: true }) },
  ],
  abstract: (_, env) => env.rows.size,
});
