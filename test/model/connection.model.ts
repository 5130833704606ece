import { connectionMachine } from '../../machines/connection.machine.ts';
import { DEFAULT_TIMING } from '../../machines/connection.types.ts';
import { model, stub } from './walk/index.ts';

/** A connection whose socket and whose proof do as the walk pleases, and whose data flows or does not. */
export const connectionModel = model(connectionMachine.provide({ actors: { socket: stub, prove: stub } }))({
  env: () => ({ silentMs: 0 }),
  input: (env, clock) => ({
    id: 'connection',
    streams: ['btcusdt@kline_1m'],
    timing: DEFAULT_TIMING,
    activity: { silentMs: () => env.silentMs },
    random: () => 0.5,
    now: () => clock.now(),
  }),
  events: () => ({
    CLOSE: [{ type: 'CLOSE', withinMs: 3_000 }],
    'SOCKET.REFUSED': [{ type: 'SOCKET.REFUSED', reason: 'code 2' }],
    'SOCKET.CLOSED': [
      { type: 'SOCKET.CLOSED', end: { code: 1006 }, reason: 'lost' },
      { type: 'SOCKET.CLOSED', end: { code: 1006, status: 404 }, reason: 'not found' },
    ],
  }),
  // A callback never ends by itself.
  outputs: (id) => (id === 'prove' ? ['quiet', 'mute'] : []),
  knobs: [
    { label: 'data flows', run: ({ env }) => Object.assign(env, { silentMs: 0 }) },
    { label: 'no data', run: ({ env }) => Object.assign(env, { silentMs: DEFAULT_TIMING.silenceMs }) },
  ],
  abstract: (_, env) => env.silentMs,
});
