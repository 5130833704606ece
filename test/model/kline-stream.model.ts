import { klineStreamMachine } from '../../machines/kline-stream.machine.ts';
import { model, stub } from './walk/index.ts';

/** A stream whose cursor reports and whose repairs end as the walk pleases. */
export const klineStreamModel = model(klineStreamMachine.provide({ actors: { cursor: stub, repair: stub } }))(
  {
    input: () => ({
      id: 'BTCUSDT@1m',
      series: { symbol: 'BTCUSDT', interval: '1m' },
      stream: 'btcusdt@kline_1m',
      random: () => 0.5,
    }),
    // The cursor is a callback, which never ends by itself.
    outputs: (id) =>
      id === 'repair'
        ? [
            { owed: 0, taken: 1 },
            { owed: 3, taken: 0 },
            { owed: 3, taken: 2 },
          ]
        : [],
  },
);
