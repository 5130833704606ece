import { klineStreamMachine } from '../../machines/kline-stream.machine.ts';
import type { CursorCommand } from '../../machines/kline-stream.types.ts';
import { model, stub } from './walk/index.ts';

const commands = new WeakMap<object, CursorCommand[]>();
/** What the cursor of a stream was told, oldest first; undefined when nothing brings its edges. */
export const toldToCursor = (stream: object): readonly CursorCommand[] | undefined => commands.get(stream);

/** A stream whose questions to REST end as the walk pleases, and whose cursor does what it is told. */
export const klineStreamModel = model(
  klineStreamMachine.provide({
    actors: { repair: stub, proveStream: stub },
    actions: {
      attachCursor: ({ self }) => void commands.set(self, []),
      detachCursor: ({ self }) => void commands.delete(self),
      tellCursor: ({ self }, command) => void commands.get(self)?.push(command),
    },
  }),
)({
  input: () => ({
    id: 'BTCUSDT@1m',
    series: { symbol: 'BTCUSDT', interval: '1m' },
    stream: 'btcusdt@kline_1m',
    timing: { proofDelayMs: 2_000, proofSpacingMs: 3_000, silenceMs: 60_000 },
    random: () => 0.5,
  }),
  events: () => ({
    RETIRE: [{ type: 'RETIRE', endTime: 1_700_000_000_000 }],
    'CURSOR.FAILED': [{ type: 'CURSOR.FAILED', error: new Error('no room') }],
  }),
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
