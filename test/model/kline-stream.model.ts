import { klineStreamMachine } from '../../machines/kline-stream.machine.ts';
import { model, stub } from './walk/index.ts';

/** A stream whose cursor reports and whose questions to REST end as the walk pleases. */
export const klineStreamModel = model(
  klineStreamMachine.provide({ actors: { cursor: stub, repair: stub, proveStream: stub } }),
)({
  input: () => ({
    id: 'BTCUSDT@1m',
    series: { symbol: 'BTCUSDT', interval: '1m' },
    stream: 'btcusdt@kline_1m',
    timing: { proofDelayMs: 2_000, proofSpacingMs: 3_000, silenceMs: 60_000 },
    random: () => 0.5,
  }),
  events: () => ({ RETIRE: [{ type: 'RETIRE', endTime: 1_700_000_000_000 }] }),
  // The cursor is a callback, which never ends by itself.
  outputs: (id) => OUTPUTS[id] ?? [],
  abstract: (context) => context.mutes > 0,
});

const OUTPUTS: Record<string, readonly unknown[]> = {
  repair: [
    { owed: 0, taken: 1 },
    { owed: 3, taken: 0 },
    { owed: 3, taken: 2 },
  ],
  proveStream: ['quiet', 'mute'],
};
