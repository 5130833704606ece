/**
 * One (symbol, interval). Two things are true of it at any time, so it has two regions:
 *
 *   proof    awaiting ─QUIET▶ quiet ─FIRST_FRAME▶ live ; awaiting ─FIRST_FRAME▶ live ; FEED.DOWN▶ awaiting
 *   series   whole ─HOLE▶ repairing.fetching ─done [whole]▶ whole
 *                                   └─ done [still owed] | error ▶ pausing ─after(pause)▶ fetching;
 *                                      progress starts the pauses from the shortest again
 *
 *   CLOSE ▶ closed. A fetch under way is aborted by leaving its state; bars that wait behind a hole are
 *   owed to the next start.
 *
 * Bars never come here: the cursor reports the edges.
 */
import { assign, fromCallback, fromPromise, setup } from 'xstate';
import { patienceOf, repairDelay } from './model/backoff.ts';
import type { Cleanup, Outcome } from './model/cleanup.ts';
import type { Series } from './model/kline.ts';

export interface KlineStreamInput {
  readonly id: string;
  readonly series: Series;
  /** The venue's name of it, as `btcusdt@kline_1m`. */
  readonly stream: string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** From the cursor. QUIET: REST shows that the symbol does not trade, so silence is all right. */
export type CursorEvent = { type: 'CURSOR.FIRST_FRAME' } | { type: 'CURSOR.QUIET' } | { type: 'CURSOR.HOLE' };

/** What a repair left: bars that are closed on the exchange and still missing here. */
export interface RepairResult {
  readonly owed: number;
  /** Bars that it brought. */
  readonly taken: number;
}

export const klineStreamMachine = setup({
  types: {
    context: {} as KlineStreamInput & {
      tries: number;
      pauseMs: number;
      patienceMs: number;
      outcome: Outcome;
    },
    input: {} as KlineStreamInput,
    events: {} as CursorEvent | { type: 'FEED.DOWN' } | { type: 'CLOSE' },
    output: {} as Cleanup,
  },
  actors: {
    cursor: fromCallback<{ type: never }, Series>(() => {
      throw new Error('cursor is not provided');
    }),
    repair: fromPromise<RepairResult, Series>(() => Promise.reject(new Error('repair is not provided'))),
  },
  actions: {
    planPause: assign({
      tries: ({ context }) => context.tries + 1,
      pauseMs: ({ context }) => Math.max(repairDelay(context.tries, context.random()), context.patienceMs),
      patienceMs: 0,
    }),
    notePatience: assign({
      patienceMs: (_, params: { error: unknown }) => patienceOf(params.error),
    }),
    resetTries: assign({ tries: 0 }),
    noteFailed: assign({ outcome: 'failed' as const }),
  },
  guards: {
    isWhole: (_, params: { owed: number }) => params.owed === 0,
    isProgress: (_, params: { taken: number }) => params.taken > 0,
  },
  delays: { pause: ({ context }) => context.pauseMs },
}).createMachine({
  id: 'klineStream',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({ ...input, tries: 0, pauseMs: 0, patienceMs: 0, outcome: 'closed' }),
  initial: 'open',
  output: ({ context }) => ({ name: context.id, outcome: context.outcome, durationMs: 0 }),
  states: {
    open: {
      type: 'parallel',
      on: { CLOSE: 'closed' },
      invoke: {
        src: 'cursor',
        id: 'cursor',
        input: ({ context }) => context.series,
        onError: { target: 'closed', actions: 'noteFailed' },
      },
      states: {
        proof: {
          initial: 'awaiting',
          states: {
            awaiting: { on: { 'CURSOR.FIRST_FRAME': 'live', 'CURSOR.QUIET': 'quiet' } },
            quiet: { tags: 'live', on: { 'CURSOR.FIRST_FRAME': 'live', 'FEED.DOWN': 'awaiting' } },
            live: { tags: 'live', on: { 'FEED.DOWN': 'awaiting' } },
          },
        },
        series: {
          initial: 'whole',
          states: {
            whole: { on: { 'CURSOR.HOLE': 'repairing' } },
            repairing: {
              tags: 'repairing',
              initial: 'fetching',
              states: {
                fetching: {
                  invoke: {
                    src: 'repair',
                    id: 'repair',
                    input: ({ context }) => context.series,
                    onDone: [
                      {
                        guard: { type: 'isWhole', params: ({ event }) => ({ owed: event.output.owed }) },
                        target: '#klineStream.open.series.whole',
                        actions: 'resetTries',
                      },
                      {
                        guard: { type: 'isProgress', params: ({ event }) => ({ taken: event.output.taken }) },
                        target: 'pausing',
                        actions: 'resetTries',
                      },
                      { target: 'pausing' },
                    ],
                    onError: {
                      target: 'pausing',
                      actions: { type: 'notePatience', params: ({ event }) => ({ error: event.error }) },
                    },
                  },
                },
                pausing: { entry: 'planPause', after: { pause: 'fetching' } },
              },
            },
          },
        },
      },
    },
    closed: { type: 'final' },
  },
});
