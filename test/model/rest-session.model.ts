import { type RestRequest, restSessionMachine } from '../../machines/rest-session.machine.ts';
import { model, stub } from './walk/index.ts';

/** A request that breaks the machine when it is settled twice. */
export function request(path = '/fapi/v1/klines'): RestRequest & { readonly settled: () => unknown } {
  const answers: unknown[] = [];
  const settle = (answer: unknown): void => {
    answers.push(answer);
    if (answers.length > 1) throw new Error('a request was settled twice');
  };
  return { path, params: {}, weight: 1, resolve: settle, reject: settle, settled: () => answers[0] };
}

/** A session for which two requests are many. */
export const restSessionModel = model(restSessionMachine.provide({ actors: { call: stub, release: stub } }))({
  input: (_, clock) => ({ id: 'rest', queueMax: 2, now: () => clock.now() }),
  events: () => ({
    REQUEST: [{ type: 'REQUEST', request: request() }],
    CLOSE: [{ type: 'CLOSE', withinMs: 3_000 }],
  }),
  abstract: (context) => context.queue.length,
});
