import { componentMachine } from '../../machines/component.machine.ts';
import { model, stub } from './walk/index.ts';

/** A component that starts, ends and stops as the walk pleases. */
export const componentModel = model(componentMachine.provide({ actors: { life: stub, stop: stub } }))({
  input: (_, clock) => ({ id: 'prices', now: () => clock.now() }),
  events: () => ({
    STOP: [{ type: 'STOP', timeoutMs: 3_000, reason: 'asked' }],
    'LIFE.FAILED': [{ type: 'LIFE.FAILED', error: new Error('no such host') }],
    'LIFE.ENDED': [{ type: 'LIFE.ENDED' }, { type: 'LIFE.ENDED', error: new Error('lost') }],
  }),
  // A callback never ends by itself.
  outputs: (id) => (id === 'stop' ? [{}, { lost: 2, notes: { gaps: 1 } }] : []),
  abstract: (context) => [context.outcome, context.end.lost],
});
