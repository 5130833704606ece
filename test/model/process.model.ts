import { processMachine } from '../../machines/process.machine.ts';
import { model, stub } from './walk/index.ts';

/** A process of which one fault is told, so small that all of it can be walked. */
export const processModel = model(
  processMachine.provide({ actors: { stop: stub, flush: stub, abandon: stub } }),
)({
  input: (_, clock) => ({
    stopTimeoutMs: 5_000,
    sameSignalMs: 100,
    faultsToldMax: 1,
    now: () => clock.now(),
  }),
  events: () => ({
    SIGNAL: [
      { type: 'SIGNAL', signal: 'SIGINT' },
      { type: 'SIGNAL', signal: 'SIGTERM' },
    ],
    END: [
      { type: 'END', reason: 'finished' },
      { type: 'END', reason: 'failed' },
      { type: 'END', reason: 'usage' },
    ],
    FAULT: [{ type: 'FAULT', error: new Error('surprise') }],
  }),
  outputs: (child) => (child === 'stop' ? [true, false] : [undefined]),
  abstract: ({ reason, sound, faults, last, now }) => [
    reason,
    sound,
    faults > 0,
    last?.signal,
    now() - (last?.at ?? 0) < 100,
  ],
});
