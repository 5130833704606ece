/**
 * The store: takes rows in micro-batches from a plain buffer beside it, and never blocks the loop.
 *
 *   opening ─done▶ open                                  opening ─error▶ closed (failed)
 *
 *   open:  empty ─ROWS▶ batching ─FULL | after(flush)▶ flushing ─done▶ empty, or flushing when rows wait
 *                                                        ├─error [gone]▶ reopening ─done▶ flushing
 *                                                        ├─error [replaced]▶ closing, sealing (failed)
 *                                                        └─error▶ retrying ─after(retry)▶ flushing
 *
 *   CLOSE ▶ closing: deciding ⇄ draining (last rows), then sealing ▶ closed; after(closeDeadline) ▶ closed
 *                                draining ─error [gone]▶ reopening ─done▶ finishing (last rows), then sealing
 *
 * The machine hears "no longer empty" and "full", never a row. A batch whose outcome is unknown is sent
 * again: rows are keyed, so a second insert changes nothing.
 */
import { assign, fromPromise, sendParent, setup } from 'xstate';
import { type Cleanup, cleanup, describe, type Outcome } from './model/cleanup.ts';

/** What the machine may know of the rows that wait. */
export interface RowsWaiting {
  /** Rows not yet committed. */
  readonly size: number;
  /** A whole batch is there. */
  readonly full: boolean;
}

export interface StoreInput {
  readonly id: string;
  readonly rows: RowsWaiting;
  /** How long the first row of a batch waits for company, ms. */
  readonly flushMs: number;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** To the collector. */
export type StoreReport =
  | { type: 'STORE.READY' }
  | { type: 'STORE.TROUBLE'; reason: string; retryMs: number };

export interface StoreOutput extends Cleanup {
  /** Rows that were never written. */
  readonly unwritten: number;
  /** What opening threw, when that is how it ended. */
  readonly cause?: unknown;
}

const hasCode = (error: unknown, code: string): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;
/** The writer itself has died (its thread ended): it must be opened again before a commit can succeed. */
const writerGone = (error: unknown): boolean => hasCode(error, 'STORE_WRITER_GONE');
/** Its file is not where it was: whatever is written to it, nobody will read. */
const replaced = (error: unknown): boolean => hasCode(error, 'STORE_REPLACED');

/** For the end that nobody has asked for, ms. */
const OWN_CLOSE_MS = 2_000;

export const storeMachine = setup({
  types: {
    context: {} as StoreInput & {
      tries: number;
      retryMs: number;
      closingSince: number;
      closeMs: number;
      outcome: Outcome;
      error: unknown;
    },
    input: {} as StoreInput,
    events: {} as { type: 'ROWS' } | { type: 'FULL' } | { type: 'CLOSE'; withinMs: number },
    output: {} as StoreOutput,
  },
  actors: {
    open: fromPromise<void>(() => Promise.reject(new Error('open is not provided'))),
    commit: fromPromise<void>(() => Promise.reject(new Error('commit is not provided'))),
    seal: fromPromise<void>(() => Promise.reject(new Error('seal is not provided'))),
  },
  actions: {
    tellReady: sendParent({ type: 'STORE.READY' }),
    planRetry: assign({
      tries: ({ context }) => context.tries + 1,
      retryMs: ({ context }) => Math.min(30_000, 500 * 2 ** context.tries),
    }),
    tellTrouble: sendParent(({ context }, params: { error: unknown }) => ({
      type: 'STORE.TROUBLE',
      reason: describe(params.error),
      retryMs: context.retryMs,
    })),
    resetTries: assign({ tries: 0 }),
    noteClosing: assign({
      closingSince: ({ context }) => context.now(),
      closeMs: (_, params: { withinMs: number }) => params.withinMs,
    }),
    noteForced: assign({ outcome: 'forced' as const }),
    noteFailed: assign({
      outcome: 'failed' as const,
      error: (_, params: { error: unknown }) => params.error,
    }),
  },
  guards: {
    rowsWait: ({ context }) => context.rows.size > 0,
    batchFull: ({ context }) => context.rows.full,
    writerGone: (_, params: { error: unknown }) => writerGone(params.error),
    replaced: (_, params: { error: unknown }) => replaced(params.error),
  },
  delays: {
    flush: ({ context }) => context.flushMs,
    retry: ({ context }) => context.retryMs,
    closeDeadline: ({ context }) => context.closeMs,
  },
}).createMachine({
  id: 'store',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({
    ...input,
    tries: 0,
    retryMs: 0,
    closingSince: input.now(),
    closeMs: 0,
    outcome: 'closed',
    error: undefined,
  }),
  initial: 'opening',
  output: ({ context }) => {
    const line = cleanup(context.id, context.outcome, context.closingSince, context.now(), context.error);
    const output = { ...line, unwritten: context.rows.size };
    return context.error === undefined ? output : { ...output, cause: context.error };
  },
  states: {
    opening: {
      invoke: {
        src: 'open',
        id: 'open',
        onDone: { target: 'open', actions: 'tellReady' },
        onError: {
          target: 'closed',
          actions: { type: 'noteFailed', params: ({ event }) => ({ error: event.error }) },
        },
      },
      on: {
        // Whatever opening has got hold of by now must be let go: hence sealing, not closed.
        CLOSE: {
          target: 'closing.sealing',
          actions: { type: 'noteClosing', params: ({ event }) => ({ withinMs: event.withinMs }) },
        },
      },
    },
    open: {
      tags: 'ready',
      on: {
        CLOSE: {
          target: 'closing',
          actions: { type: 'noteClosing', params: ({ event }) => ({ withinMs: event.withinMs }) },
        },
      },
      initial: 'empty',
      states: {
        empty: {
          always: { guard: 'rowsWait', target: 'batching' },
          on: { ROWS: 'batching' },
        },
        batching: {
          always: { guard: 'batchFull', target: 'flushing' },
          on: { FULL: 'flushing' },
          after: { flush: 'flushing' },
        },
        flushing: {
          invoke: {
            src: 'commit',
            id: 'commit',
            onDone: [
              // What came while a batch was being written has waited long enough.
              { guard: 'rowsWait', target: 'flushing', reenter: true, actions: 'resetTries' },
              { target: 'empty', actions: 'resetTries' },
            ],
            onError: [
              {
                guard: { type: 'writerGone', params: ({ event }) => ({ error: event.error }) },
                target: 'reopening',
                actions: [
                  'planRetry',
                  { type: 'tellTrouble', params: ({ event }) => ({ error: event.error }) },
                ],
              },
              {
                guard: { type: 'replaced', params: ({ event }) => ({ error: event.error }) },
                target: '#store.closing.sealing',
                actions: [
                  { type: 'noteClosing', params: { withinMs: OWN_CLOSE_MS } },
                  { type: 'noteFailed', params: ({ event }) => ({ error: event.error }) },
                ],
              },
              {
                target: 'retrying',
                actions: [
                  'planRetry',
                  { type: 'tellTrouble', params: ({ event }) => ({ error: event.error }) },
                ],
              },
            ],
          },
        },
        reopening: {
          tags: 'alarm',
          invoke: {
            src: 'open',
            id: 'reopen',
            onDone: 'flushing',
            onError: {
              target: 'retrying',
              actions: [
                'planRetry',
                { type: 'tellTrouble', params: ({ event }) => ({ error: event.error }) },
              ],
            },
          },
        },
        retrying: { tags: 'alarm', after: { retry: 'flushing' } },
      },
    },
    closing: {
      initial: 'deciding',
      after: { closeDeadline: { target: 'closed', actions: 'noteForced' } },
      states: {
        deciding: { always: [{ guard: 'rowsWait', target: 'draining' }, { target: 'sealing' }] },
        draining: {
          invoke: {
            src: 'commit',
            id: 'lastCommit',
            onDone: 'deciding',
            onError: [
              {
                guard: { type: 'writerGone', params: ({ event }) => ({ error: event.error }) },
                target: 'reopening',
              },
              {
                target: 'sealing',
                actions: { type: 'noteFailed', params: ({ event }) => ({ error: event.error }) },
              },
            ],
          },
        },
        reopening: {
          invoke: {
            src: 'open',
            id: 'lastOpen',
            onDone: 'finishing',
            onError: {
              target: 'sealing',
              actions: { type: 'noteFailed', params: ({ event }) => ({ error: event.error }) },
            },
          },
        },
        finishing: {
          description: 'A writer that goes again is not opened a third time.',
          invoke: {
            src: 'commit',
            id: 'finalCommit',
            onDone: [{ guard: 'rowsWait', target: 'finishing', reenter: true }, { target: 'sealing' }],
            onError: {
              target: 'sealing',
              actions: { type: 'noteFailed', params: ({ event }) => ({ error: event.error }) },
            },
          },
        },
        sealing: {
          invoke: {
            src: 'seal',
            id: 'seal',
            onDone: '#store.closed',
            onError: {
              target: '#store.closed',
              actions: { type: 'noteFailed', params: ({ event }) => ({ error: event.error }) },
            },
          },
        },
      },
    },
    closed: { type: 'final' },
  },
});
