/**
 * A process's end: whatever asks for it, one stop, one flush of the log, one exit code.
 *
 *   running ─ SIGNAL | END | FAULT ▶ stopping ─ stopped, well or not ▶ flushing ─ out | after(flushLimit) ▶ ended
 *                                       │                                  │
 *                                 after(stopOverrun)                       │
 *                                       │        ┌── second SIGNAL ────────┘
 *                                       ▼        ▼
 *                                        forcing ─ out | after(forcedFlushLimit) ▶ exited: exit with 1
 *
 * The first reason gives the code; a fault that nobody caught makes it a failure. No second signal is one that comes
 * when the stop had another reason, nor one of the kind that has just come (a terminal's Ctrl+C under `npm start`).
 * `ended` leaves the process to end by itself.
 */
import { codeOf, processSetup } from './process.setup.ts';

export type { EndSignal, ForcedBy, ProcessInput } from './process.setup.ts';

export const processMachine = processSetup.createMachine({
  id: 'process',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({ ...input, reason: 'finished', sound: false, faults: 0, last: undefined }),
  initial: 'running',
  output: ({ context }) => codeOf(context),
  on: {
    FAULT: [
      {
        guard: 'isTold',
        actions: ['noteFault', { type: 'tellFault', params: ({ event }) => ({ error: event.error }) }],
      },
      { actions: 'noteFault' },
    ],
  },
  states: {
    running: {
      on: {
        SIGNAL: {
          target: 'ending',
          actions: [
            { type: 'noteReason', params: ({ event }) => ({ reason: event.signal }) },
            { type: 'noteSignal', params: ({ event }) => ({ signal: event.signal }) },
            { type: 'tellSignal', params: ({ event }) => ({ signal: event.signal }) },
          ],
        },
        END: {
          target: 'ending',
          actions: { type: 'noteReason', params: ({ event }) => ({ reason: event.reason }) },
        },
        FAULT: {
          target: 'ending',
          actions: [
            'noteFault',
            { type: 'noteReason', params: { reason: 'failed' } },
            { type: 'tellFault', params: ({ event }) => ({ error: event.error }) },
          ],
        },
      },
    },
    ending: {
      on: {
        SIGNAL: [
          {
            guard: 'isFirst',
            actions: [
              { type: 'noteSignal', params: ({ event }) => ({ signal: event.signal }) },
              { type: 'tellSignal', params: ({ event }) => ({ signal: event.signal }) },
            ],
          },
          { guard: { type: 'isRepeat', params: ({ event }) => ({ signal: event.signal }) } },
          { target: 'forcing', actions: { type: 'tellForced', params: { by: 'signal' } } },
        ],
      },
      initial: 'stopping',
      states: {
        stopping: {
          invoke: {
            src: 'stop',
            id: 'stop',
            input: ({ context }) => ({ reason: context.reason }),
            onDone: {
              target: 'flushing',
              actions: { type: 'noteStopped', params: ({ event }) => ({ sound: event.output }) },
            },
            onError: {
              target: 'flushing',
              actions: { type: 'tellStopFailed', params: ({ event }) => ({ error: event.error }) },
            },
          },
          after: {
            stopOverrun: {
              target: '#process.forcing',
              actions: { type: 'tellForced', params: { by: 'overrun' } },
            },
          },
        },
        flushing: {
          invoke: { src: 'flush', id: 'flush', onDone: '#process.ended', onError: '#process.ended' },
          after: { flushLimit: '#process.ended' },
        },
      },
    },
    forcing: {
      entry: 'noteForced',
      invoke: { src: 'abandon', id: 'abandon', onDone: 'exited', onError: 'exited' },
      after: { forcedFlushLimit: 'exited' },
    },
    ended: { type: 'final' },
    exited: { type: 'final', entry: 'exit' },
  },
});
