import { connectionMachine } from '../../machines/connection.machine.ts';
import { DEFAULT_TIMING } from '../../machines/connection.types.ts';
import { model, stub } from './walk/index.ts';

/** Longer than one timer can wait. */
const MONTH_MS = 30 * 86_400_000;

/** A doubt ends before the next ping, or walks would have to count pings. */
const TIMING = { ...DEFAULT_TIMING, proofDeadlineMs: 15_000 };

/** A connection whose permit, socket and proof do as the walk pleases, and whose data flows or does not. */
export const connectionModel = model(
  connectionMachine.provide({ actors: { permit: stub, socket: stub, prove: stub } }),
)({
  env: () => ({ silentMs: 0 }),
  input: (env, clock) => ({
    id: 'connection',
    streams: ['btcusdt@kline_1m'],
    timing: TIMING,
    route: '/route',
    activity: { silentMs: () => env.silentMs },
    random: () => 0.5,
    now: () => clock.now(),
  }),
  events: () => ({
    CLOSE: [{ type: 'CLOSE', withinMs: 3_000 }],
    SUBSCRIBE: [{ type: 'SUBSCRIBE', streams: ['ethusdt@kline_1m'] }],
    UNSUBSCRIBE: [{ type: 'UNSUBSCRIBE', streams: ['ethusdt@kline_1m'] }],
    RESUBSCRIBE: [{ type: 'RESUBSCRIBE', streams: ['btcusdt@kline_1m'] }],
    RECYCLE: [{ type: 'RECYCLE', reason: 'mute: btcusdt@kline_1m' }],
    'SOCKET.NOTICE': [{ type: 'SOCKET.NOTICE', reason: 'serverShutdown' }],
    'SOCKET.REFUSED': [{ type: 'SOCKET.REFUSED', reason: 'code 2' }],
    'SOCKET.CLOSED': [
      { type: 'SOCKET.CLOSED', end: { code: 1006 }, cause: 'closed', reason: 'lost' },
      { type: 'SOCKET.CLOSED', end: { code: 1006, status: 404 }, cause: 'refused', reason: 'not found' },
      {
        type: 'SOCKET.CLOSED',
        end: { code: 1006, status: 418, retryAfterMs: MONTH_MS },
        cause: 'refused',
        reason: 'banned',
      },
    ],
  }),
  // A callback never ends by itself.
  outputs: (id) => (id === 'prove' ? ['quiet', 'mute'] : id === 'permit' ? [undefined] : []),
  knobs: [
    { label: 'data flows', run: ({ env }) => Object.assign(env, { silentMs: 0 }) },
    { label: 'no data', run: ({ env }) => Object.assign(env, { silentMs: DEFAULT_TIMING.silenceMs }) },
  ],
  abstract: (context, env) => [env.silentMs, context.end.retryAfterMs === undefined],
});
