/** What a kline stream's chart is made of: its types, actors, actions, guards and delays. The chart is beside it. */
import { assign, fromPromise, sendParent, setup, stateIn } from 'xstate';
import type {
  CursorCommand,
  CursorEvent,
  KlineStreamInput,
  ProveStreamInput,
  RepairResult,
  StreamCommand,
  StreamEnd,
  StreamMute,
  StreamProof,
} from './kline-stream.types.ts';
import { patienceOf, repairDelay } from './model/backoff.ts';
import type { Outcome } from './model/cleanup.ts';
import type { Series } from './model/kline.ts';
import { lackDelay, mutePause, quietPause } from './model/proof.ts';

export interface Context extends KlineStreamInput {
  /** Of the repair: attempts that REST failed, and that it answered without the bar, in a row; the pause after it. */
  readonly tries: number;
  readonly lacks: number;
  readonly pauseMs: number;
  readonly patienceMs: number;
  /** Of the proof, since the last frame: found quiet, reported mute, asked in vain in a row. */
  readonly quiets: number;
  readonly mutes: number;
  readonly asks: number;
  readonly proofPauseMs: number;
  readonly proofPatienceMs: number;
  readonly outcome: Outcome;
  readonly retired: boolean;
}

export const klineStream = setup({
  types: {
    context: {} as Context,
    input: {} as KlineStreamInput,
    events: {} as CursorEvent | StreamCommand,
    output: {} as StreamEnd,
    tags: {} as 'live' | 'mute' | 'repairing',
  },
  actors: {
    repair: fromPromise<RepairResult, Series>(() => Promise.reject(new Error('repair is not provided'))),
    proveStream: fromPromise<StreamProof, ProveStreamInput>(() =>
      Promise.reject(new Error('proveStream is not provided')),
    ),
  },
  actions: {
    planPause: assign({
      tries: ({ context }) => context.tries + 1,
      pauseMs: ({ context }) => Math.max(repairDelay(context.tries, context.random()), context.patienceMs),
      patienceMs: 0,
    }),
    planLack: assign({
      // It answers: the next failure is a first one.
      tries: 0,
      lacks: ({ context }) => context.lacks + 1,
      pauseMs: ({ context }) => lackDelay(context.lacks, context.random()),
    }),
    notePatience: assign({
      patienceMs: (_, params: { error: unknown }) => patienceOf(params.error),
    }),
    resetTries: assign({ tries: 0, lacks: 0 }),
    forgetSilence: assign({ quiets: 0, mutes: 0, asks: 0, proofPatienceMs: 0 }),
    /** A new connection: how long the stream was quiet on the old one says nothing. */
    beginProof: assign({ quiets: 0, asks: 0 }),
    noteProofPatience: assign({
      proofPatienceMs: (_, params: { error: unknown }) => patienceOf(params.error),
    }),
    planAsk: assign({
      asks: ({ context }) => context.asks + 1,
      proofPauseMs: ({ context }) =>
        Math.max(repairDelay(context.asks, context.random()), context.proofPatienceMs),
      proofPatienceMs: 0,
    }),
    planQuiet: assign({
      asks: 0,
      quiets: ({ context }) => context.quiets + 1,
      proofPauseMs: ({ context }) => quietPause(context.timing.silenceMs, context.quiets),
    }),
    planMute: assign({
      asks: 0,
      mutes: ({ context }) => context.mutes + 1,
      proofPauseMs: ({ context }) =>
        Math.max(mutePause(context.timing.proofDelayMs, context.mutes), context.proofPatienceMs),
      proofPatienceMs: 0,
    }),
    tellMute: sendParent(
      ({ context }, params: { again: boolean }): StreamMute => ({
        type: 'STREAM.MUTE',
        id: context.id,
        stream: context.stream,
        again: params.again,
      }),
    ),
    /** Has the cursor of the series bring its edges to this chart, until it is detached or the chart has ended. */
    attachCursor: () => {
      throw new Error('attachCursor is not provided');
    },
    detachCursor: () => {
      throw new Error('detachCursor is not provided');
    },
    tellCursor: (_, _command: CursorCommand) => {
      throw new Error('tellCursor is not provided');
    },
    noteRetired: assign({ retired: true }),
    noteFailed: assign({ outcome: 'failed' as const }),
  },
  guards: {
    isWhole: (_, params: { owed: number }) => params.owed === 0,
    isProgress: (_, params: { taken: number }) => params.taken > 0,
    isQuiet: (_, params: { proof: StreamProof }) => params.proof === 'quiet',
    hasTwoCarriers: stateIn({ open: { carriers: 'two' } }),
    isFirstMute: ({ context }) => context.mutes === 0,
  },
  delays: {
    pause: ({ context }) => context.pauseMs,
    proofDelay: ({ context }) => context.timing.proofDelayMs,
    proofPause: ({ context }) => context.proofPauseMs,
  },
});
