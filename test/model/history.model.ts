import { historyMachine } from '../../machines/history.machine.ts';
import { model, stub } from './walk/index.ts';

const PIECES = [0, 2];
const STEPS = [
  { lacking: 0, hasMore: false },
  { lacking: 1, hasMore: true },
];

/** A load whose every step ends as the walk pleases. */
export const historyModel = model(
  historyMachine.provide({
    actors: {
      rest: stub,
      open: stub,
      plan: stub,
      load: stub,
      confirm: stub,
      finish: stub,
      closeSink: stub,
      closeArchive: stub,
    },
  }),
)({
  env: () => ({ isDryRun: false }),
  starts: [
    { label: 'a load', prepare: () => {} },
    { label: 'a dry run', prepare: (env) => Object.assign(env, { isDryRun: true }) },
  ],
  input: (env, clock) => ({
    rest: {
      id: 'rest',
      queueMax: 10,
      callsMax: 4,
      retriesMax: 3,
      quota: { held: () => undefined, waitMs: () => 0, begin: () => {} },
      random: () => 0.5,
      now: () => clock.now(),
    },
    sink: 'store',
    isDryRun: env.isDryRun,
    stopTimeoutMs: 5_000,
    now: () => clock.now(),
  }),
  events: (session) => {
    const isThere = session.children['rest']?.getSnapshot().status === 'active';
    return {
      STOP: [{ type: 'STOP', reason: 'asked' }],
      'REST.LIMITED': isThere ? [{ type: 'REST.LIMITED', forMs: 500, reason: '429' }] : [],
      'REST.BANNED': isThere ? [{ type: 'REST.BANNED', forMs: 500, reason: '418' }] : [],
      'REST.FREE': isThere ? [{ type: 'REST.FREE' }] : [],
    };
  },
  outputs: (id) => {
    if (id === 'plan') return PIECES.map((pieces) => ({ pieces }));
    if (id === 'load' || id === 'confirm') return STEPS;
    return [id === 'rest' ? { name: 'rest', outcome: 'closed', durationMs: 1 } : undefined];
  },
  abstract: ({ pending, outcome }, env) => [[...pending].sort(), outcome, env.isDryRun],
});
