import { DEFAULT_TIMING } from '../../machines/connection.types.ts';
import { feedMachine } from '../../machines/feed.machine.ts';
import type { Outcome } from '../../machines/model/cleanup.ts';
import { model, stub } from './walk/index.ts';

const OUTCOMES: readonly Outcome[] = ['closed', 'failed'];
const SLOTS = ['feed.a', 'feed.b'];

/** Only what the feed itself reads: what else is in it is the children's concern. */
const stream = (symbol: string) =>
  ({ id: `${symbol}@1m`, stream: `${symbol.toLowerCase()}@kline_1m` }) as never;

/** A feed of one stream, to which another may come; its children do as the walk pleases. */
export const feedModel = model(feedMachine.provide({ actors: { connection: stub, klineStream: stub } }))({
  input: (_, clock) => ({
    id: 'feed',
    connection: { timing: DEFAULT_TIMING, route: '/route', random: () => 0.5, now: () => clock.now() },
    activityOf: () => ({ silentMs: () => 0 }),
    streams: [stream('BTCUSDT')],
    extra: ['!contractInfo'],
    mendMs: 1_000,
    now: () => clock.now(),
  }),
  events: ({ children, clock }) => {
    const there = SLOTS.filter((id) => children[id]?.getSnapshot().status === 'active');
    const openedAt = clock.now();
    return {
      CLOSE: [{ type: 'CLOSE', withinMs: 3_000 }],
      ADD: [{ type: 'ADD', streams: [stream('ETHUSDT')] }],
      RETIRE: [{ type: 'RETIRE', ids: ['BTCUSDT@1m'], endTime: 1 }],
      'STREAM.MUTE': [false, true].map((again) => ({
        type: 'STREAM.MUTE',
        id: 'BTCUSDT@1m',
        stream: 'btcusdt@kline_1m',
        again,
      })),
      'CONNECTION.UP': there.map((id) => ({ type: 'CONNECTION.UP', id, proof: 'frame', openedAt })),
      'CONNECTION.DOWN': there.map((id) => ({
        type: 'CONNECTION.DOWN',
        id,
        cause: 'closed' as const,
        reason: 'lost',
        retryMs: 500,
        alarming: false,
      })),
      'CONNECTION.LEAVING': there.map((id) => ({ type: 'CONNECTION.LEAVING', id, reason: 'serverShutdown' })),
    };
  },
  outputs: (name) => [
    ...OUTCOMES.map((outcome) => ({ name, outcome, durationMs: 1 })),
    ...(SLOTS.includes(name) ? [] : [{ name, outcome: 'closed', durationMs: 0, retired: true }]),
  ],
  abstract: (context) => [
    [...context.pending].sort(),
    context.active,
    context.recycledAt > 0,
    context.lines.length > 0,
  ],
});
