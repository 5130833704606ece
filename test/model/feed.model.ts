import { feedMachine } from '../../machines/feed.machine.ts';
import type { Outcome } from '../../machines/model/cleanup.ts';
import { model, stub } from './walk/index.ts';

const OUTCOMES: readonly Outcome[] = ['closed', 'forced', 'failed'];

/** A feed of two streams; its children do as the walk pleases. */
export const feedModel = model(feedMachine.provide({ actors: { connection: stub, klineStream: stub } }))({
  input: (_, clock) => ({
    id: 'feed',
    // The stubs take any input: what is in it is the children's concern.
    connection: { id: 'connection' } as never,
    streams: [{ id: 'BTCUSDT@1m' }, { id: 'ETHUSDT@1m' }] as never,
    mendMs: 1_000,
    now: () => clock.now(),
  }),
  events: ({ children }) => {
    const isThere = children['connection']?.getSnapshot().status === 'active';
    return {
      CLOSE: [{ type: 'CLOSE', withinMs: 3_000 }],
      'CONNECTION.UP': isThere ? [{ type: 'CONNECTION.UP', id: 'connection', proof: 'frame' }] : [],
      'CONNECTION.DOWN': isThere
        ? [{ type: 'CONNECTION.DOWN', id: 'connection', reason: 'lost', retryMs: 500, alarming: false }]
        : [],
    };
  },
  outputs: (name) => OUTCOMES.map((outcome) => ({ name, outcome, durationMs: 1 })),
  abstract: (context) => [context.pending, context.lines.length],
});
