/**
 * The REST session: one queue, a few requests under way, and the limits of the exchange.
 *
 *   ┌─────────────────────────────────────── open ────────────────────────────────────────┐
 *   │  idle ─something waits or is under way▶ busy ─nothing waits or is under way▶ idle    │
 *   │  busy:  sends the head of the queue for as long as slots and budget allow            │
 *   │                                                                                      │
 *   │  anywhere ─ a call fails, may go again ▶ retrying ── after(retryDelay) ▶ idle        │
 *   │  busy ─ budget spent ▶ rateLimited.spent ─ sendable | after(budgetDelay) ▶ idle      │
 *   │  anywhere ─ 429 ▶ rateLimited.told ─┐                                                │
 *   │  anywhere ─ 418, 403, 451 ▶ banned ─┴─ after(holdDelay) ▶ idle, or once more         │
 *   └──────────────────────────────────────────┬───────────────────────────────────────────┘
 *                                            CLOSE
 *                                              ▼
 *                        closing ─ released | after(closeDeadline) ▶ closed
 *
 * What counts and what is forbidden is known by the quota, which all sessions of a process share: this chart only
 * reads it. Nothing is sent while it says that the exchange wants to be left alone.
 * Closing takes no new work, stops the calls under way, and rejects what waits.
 * A request carries the two functions that settle it; the machine calls one of them, once.
 */
import { cleanupOf, freshSession, restSessionSetup } from './rest-session.setup.ts';

export {
  type QuotaPort,
  type RestCall,
  RestRefused,
  type RestReport,
  type RestRequest,
  type RestSessionInput,
} from './rest-session.setup.ts';

export const restSessionMachine = restSessionSetup.createMachine({
  id: 'restSession',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({ ...input, ...freshSession }),
  initial: 'open',
  output: ({ context }) => cleanupOf(context),
  states: {
    open: {
      on: {
        REQUEST: [
          {
            guard: 'hasRoom',
            actions: { type: 'enqueue', params: ({ event }) => ({ request: event.request }) },
          },
          {
            actions: {
              type: 'refuse',
              params: ({ event }) => ({ request: event.request, code: 'REST_QUEUE_FULL' as const }),
            },
          },
        ],
        CLOSE: {
          target: 'closing',
          actions: { type: 'noteClosing', params: ({ event }) => ({ withinMs: event.withinMs }) },
        },
        'xstate.done.actor.*': {
          actions: {
            type: 'answer',
            params: ({ event }) => ({ slot: event.actorId, body: event.output }),
          },
        },
        'xstate.error.actor.*': [
          {
            guard: 'isBarred',
            target: '.banned',
            actions: {
              type: 'takeBack',
              params: ({ event }) => ({ slot: event.actorId, error: event.error }),
            },
          },
          {
            guard: 'isLimited',
            target: '.rateLimited.told',
            actions: {
              type: 'takeBack',
              params: ({ event }) => ({ slot: event.actorId, error: event.error }),
            },
          },
          {
            guard: {
              type: 'mayRetry',
              params: ({ event }) => ({ slot: event.actorId, error: event.error }),
            },
            target: '.retrying',
            actions: {
              type: 'takeBack',
              params: ({ event }) => ({ slot: event.actorId, error: event.error }),
            },
          },
          {
            actions: {
              type: 'takeBack',
              params: ({ event }) => ({ slot: event.actorId, error: event.error }),
            },
          },
        ],
      },
      initial: 'idle',
      states: {
        idle: {
          always: [
            { guard: 'waiting', target: 'busy' },
            { guard: 'underWay', target: 'busy' },
          ],
        },
        busy: {
          // Looks for a pause before each request that it sends.
          always: [
            { guard: 'waitsBarred', target: 'banned' },
            { guard: 'waitsLimited', target: 'rateLimited.told' },
            { guard: 'sendable', actions: 'dispatch' },
            { guard: 'overBudget', target: 'rateLimited.spent' },
            { guard: 'atRest', target: 'idle' },
          ],
        },
        retrying: {
          description: 'A call failed in passing. Nothing new starts; what is under way goes on.',
          after: { retryDelay: 'idle' },
        },
        rateLimited: {
          initial: 'spent',
          states: {
            spent: {
              description: 'What we allow ourselves is used up; a live request may still fit in.',
              always: { guard: 'sendable', target: '#restSession.open.busy' },
              after: { budgetDelay: '#restSession.open.idle' },
            },
            told: {
              description: 'The exchange asked us to slow down (429): nothing is sent before the time told.',
              entry: ['tellLimited', 'turnAway'],
              on: {
                REQUEST: {
                  guard: 'isLong',
                  actions: {
                    type: 'refuse',
                    params: ({ event }) => ({ request: event.request, code: 'REST_PAUSED' as const }),
                  },
                },
              },
              after: {
                holdDelay: [
                  { guard: 'isBarred', target: '#restSession.open.banned' },
                  { guard: 'isLimited', target: 'told', reenter: true },
                  { target: '#restSession.open.idle', actions: 'tellFree' },
                ],
              },
            },
          },
        },
        banned: {
          description: 'Banned (418), or refused by a firewall (403) or by country (451).',
          tags: 'alarm',
          entry: ['tellBanned', 'turnAway'],
          on: {
            REQUEST: {
              guard: 'isLong',
              actions: {
                type: 'refuse',
                params: ({ event }) => ({ request: event.request, code: 'REST_PAUSED' as const }),
              },
            },
            // What was under way is refused as well: the end moves, the state is the same.
            'xstate.error.actor.*': {
              actions: [
                {
                  type: 'takeBack',
                  params: ({ event }) => ({ slot: event.actorId, error: event.error }),
                },
                'turnAway',
              ],
            },
          },
          after: {
            holdDelay: [
              { guard: 'isBarred', target: 'banned', reenter: true },
              { guard: 'isLimited', target: 'rateLimited.told' },
              { target: 'idle', actions: 'tellFree' },
            ],
          },
        },
      },
    },
    closing: {
      entry: 'abandon',
      on: {
        REQUEST: {
          actions: {
            type: 'refuse',
            params: ({ event }) => ({ request: event.request, code: 'REST_CLOSED' as const }),
          },
        },
      },
      invoke: {
        src: 'release',
        id: 'release',
        onDone: 'closed',
        onError: {
          target: 'closed',
          actions: { type: 'noteFailed', params: ({ event }) => ({ error: event.error }) },
        },
      },
      after: { closeDeadline: { target: 'closed', actions: 'noteForced' } },
    },
    closed: { type: 'final' },
  },
});
