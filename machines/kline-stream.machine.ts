/**
 * One (symbol, interval). Three things are true of it at any time, so it has three regions:
 *
 *   proof    offline ─FEED.UP▶ awaiting ─after(proofDelay)▶ asking ─ quiet ▶ quiet ─after▶ doubting
 *            asking, doubting ─ mute ▶ mute ─ subscribed anew, after ▶ asked again ─ mute ▶ told again, after …
 *            live ─CURSOR.SILENT▶ doubting ; asking ─ error ▶ unanswered ─after▶ asking, and so doubting
 *            live ─FEED.ROTATING▶ elder ─FEED.SWITCHED▶ awaiting ; heir ─FEED.SWITCHED▶ live ; heir ─FEED.ROTATING▶ awaiting
 *            from anywhere: FIRST_FRAME ▶ live, or heir while there are two carriers and it was not live by the elder,
 *            FRAME_AGAIN ▶ elder, GARBLED ▶ garbled, FEED.DOWN ▶ offline, FEED.SWITCHED (but live) ▶ awaiting
 *   carriers one ─FEED.ROTATING▶ two ─FEED.SWITCHED | FEED.DOWN▶ one
 *   series   whole ─HOLE▶ repairing.fetching ─done [whole]▶ whole
 *                                   ├─ done [still owed] ▶ lacking ─after(pause)▶ fetching: seconds, for a gap
 *                                   │  is named within half a minute
 *                                   └─ error ▶ pausing ─after(pause)▶ fetching: ever longer
 *
 *   CLOSE | CURSOR.ENDED ▶ closed. A fetch under way is aborted by leaving its state; bars that wait behind a
 *   hole are owed to the next start.
 *
 * Only a frame or REST's word that nothing is traded is proof (tag `live`). Bars never come here: the cursor
 * reports the edges.
 */
import { klineStream } from './kline-stream.setup.ts';

export type * from './kline-stream.types.ts';

export const klineStreamMachine = klineStream.createMachine({
  id: 'klineStream',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({
    ...input,
    tries: 0,
    lacks: 0,
    pauseMs: 0,
    patienceMs: 0,
    quiets: 0,
    mutes: 0,
    asks: 0,
    proofPauseMs: 0,
    proofPatienceMs: 0,
    outcome: 'closed',
    retired: false,
  }),
  initial: 'open',
  output: ({ context }) => ({
    name: context.id,
    outcome: context.outcome,
    durationMs: 0,
    ...(context.retired ? { retired: true as const } : {}),
  }),
  states: {
    open: {
      type: 'parallel',
      on: {
        CLOSE: 'closed',
        RETIRE: { actions: { type: 'tellCursor', params: ({ event }) => event } },
        'CURSOR.ENDED': { target: 'closed', actions: 'noteRetired' },
        'CURSOR.FAILED': { target: 'closed', actions: 'noteFailed' },
      },
      entry: 'attachCursor',
      exit: 'detachCursor',
      states: {
        proof: {
          initial: 'offline',
          on: {
            'CURSOR.FIRST_FRAME': [
              { guard: 'hasTwoCarriers', target: '.heir', actions: 'forgetSilence' },
              { target: '.live', actions: 'forgetSilence' },
            ],
            'CURSOR.FRAME_AGAIN': { target: '.elder', actions: 'forgetSilence' },
            'CURSOR.QUIET': '.quiet',
            'CURSOR.GARBLED': '.garbled',
            'FEED.DOWN': '.offline',
            'FEED.ROTATING': {
              actions: { type: 'tellCursor', params: { type: 'SUCCESSION', isLive: false } },
            },
            'FEED.SWITCHED': '.awaiting',
          },
          states: {
            offline: { on: { 'FEED.UP': 'awaiting' } },
            awaiting: { entry: 'beginProof', after: { proofDelay: 'asking' } },
            asking: {
              invoke: {
                src: 'proveStream',
                id: 'proveStream',
                input: ({ context }) => ({
                  series: context.series,
                  since: 'now' as const,
                  spacingMs: context.timing.proofSpacingMs,
                }),
                onDone: [
                  {
                    guard: { type: 'isQuiet', params: ({ event }) => ({ proof: event.output }) },
                    target: 'quiet',
                  },
                  {
                    guard: 'isFirstMute',
                    target: 'mute',
                    actions: { type: 'tellMute', params: { again: false } },
                  },
                  { target: 'mute' },
                ],
                onError: {
                  target: 'unanswered',
                  actions: { type: 'noteProofPatience', params: ({ event }) => ({ error: event.error }) },
                },
              },
            },
            unanswered: { entry: 'planAsk', after: { proofPause: 'asking' } },
            quiet: { tags: 'live', entry: 'planQuiet', after: { proofPause: 'doubting' } },
            live: {
              tags: 'live',
              on: {
                'CURSOR.SILENT': 'doubting',
                'FEED.ROTATING': {
                  target: 'elder',
                  actions: { type: 'tellCursor', params: { type: 'SUCCESSION', isLive: true } },
                },
                // A frame of the new connection has come already.
                'FEED.SWITCHED': {},
                'CURSOR.QUIET': {},
              },
            },
            elder: {
              description:
                'Live by a connection that had spoken before. One that takes over from it has to speak for itself.',
              tags: 'live',
              on: {
                'CURSOR.SILENT': 'doubting',
                'CURSOR.QUIET': {},
                // Both have spoken.
                'CURSOR.FIRST_FRAME': { target: 'live', actions: 'forgetSilence' },
                'FEED.ROTATING': {
                  actions: { type: 'tellCursor', params: { type: 'SUCCESSION', isLive: true } },
                },
              },
            },
            heir: {
              description:
                'Live by the successor alone: if that falls before the switch, nothing proves the elder.',
              tags: 'live',
              on: {
                'CURSOR.SILENT': 'doubting',
                'CURSOR.QUIET': {},
                'FEED.SWITCHED': 'live',
                'FEED.ROTATING': {
                  target: 'awaiting',
                  actions: { type: 'tellCursor', params: { type: 'SUCCESSION', isLive: false } },
                },
              },
            },
            doubting: {
              invoke: {
                src: 'proveStream',
                id: 'proveStream',
                input: ({ context }) => ({
                  series: context.series,
                  since: 'last' as const,
                  spacingMs: context.timing.proofSpacingMs,
                }),
                onDone: [
                  {
                    guard: { type: 'isQuiet', params: ({ event }) => ({ proof: event.output }) },
                    target: 'quiet',
                  },
                  {
                    guard: 'isFirstMute',
                    target: 'mute',
                    actions: { type: 'tellMute', params: { again: false } },
                  },
                  { target: 'mute' },
                ],
                onError: {
                  target: 'doubtful',
                  actions: { type: 'noteProofPatience', params: ({ event }) => ({ error: event.error }) },
                },
              },
            },
            doubtful: { entry: 'planAsk', after: { proofPause: 'doubting' } },
            mute: {
              tags: 'mute',
              initial: 'waiting',
              states: {
                waiting: {
                  description: 'What was done about it has its chance.',
                  entry: 'planMute',
                  after: { proofPause: 'checking' },
                },
                checking: {
                  invoke: {
                    src: 'proveStream',
                    id: 'proveStream',
                    input: ({ context }) => ({
                      series: context.series,
                      since: 'now' as const,
                      spacingMs: context.timing.proofSpacingMs,
                    }),
                    onDone: [
                      {
                        guard: { type: 'isQuiet', params: ({ event }) => ({ proof: event.output }) },
                        target: '#klineStream.open.proof.quiet',
                      },
                      { target: 'waiting', actions: { type: 'tellMute', params: { again: true } } },
                    ],
                    onError: {
                      target: 'waiting',
                      actions: { type: 'noteProofPatience', params: ({ event }) => ({ error: event.error }) },
                    },
                  },
                },
              },
            },
            garbled: {
              description: 'Its frames come and cannot be understood. No new socket changes that.',
              tags: 'mute',
              on: { 'CURSOR.QUIET': {} },
            },
          },
        },
        carriers: {
          initial: 'one',
          states: {
            one: { on: { 'FEED.ROTATING': 'two' } },
            two: {
              description: 'A successor is in the making, or speaks beside its elder.',
              on: { 'FEED.SWITCHED': 'one', 'FEED.DOWN': 'one' },
            },
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
                        target: 'lacking',
                        actions: 'resetTries',
                      },
                      { target: 'lacking' },
                    ],
                    onError: {
                      target: 'pausing',
                      actions: { type: 'notePatience', params: ({ event }) => ({ error: event.error }) },
                    },
                  },
                },
                lacking: { entry: 'planLack', after: { pause: 'fetching' } },
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
