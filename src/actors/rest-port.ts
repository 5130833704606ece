import type { ActorRefFrom, AnyActorRef } from 'xstate';
import { RestRefused, type restSessionMachine } from '../../machines/rest-session.machine.ts';
import type { VenueRequest } from '../binance/rest.ts';

/** Asks the exchange through the REST session, which owns the queue and the limits. */
export interface RestPort {
  /**
   * The JSON body. The session has tried again what may pass: rejects with an `ExchangeError`, a `RestRefused`
   * (closed, full, or the exchange wants to be left alone for longer than anybody waits), or the signal's reason.
   * Both errors say in `retryAfterMs` how long it is in vain to ask again.
   */
  ask(request: VenueRequest, signal?: AbortSignal): Promise<unknown>;
}

/** The REST session of a running system, found by its name. */
export function restPort(root: () => AnyActorRef): RestPort {
  return {
    ask(request, signal) {
      const session = root().system.get('rest') as ActorRefFrom<typeof restSessionMachine> | undefined;
      // An event to an actor that has ended vanishes, and nobody would ever answer.
      if (session === undefined || session.getSnapshot().status !== 'active')
        return Promise.reject(new RestRefused('REST_CLOSED'));
      const answer = Promise.withResolvers<unknown>();
      if (signal?.aborted) return Promise.reject(signal.reason);
      const giveUp = (): void => answer.reject(signal?.reason);
      signal?.addEventListener('abort', giveUp, { once: true });
      const { resolve, reject } = answer;
      session.send({
        type: 'REQUEST',
        request: { ...request, resolve, reject, ...(signal === undefined ? {} : { signal }) },
      });
      // A signal may live as long as the collector: nothing is to pile up at it.
      return answer.promise.finally(() => signal?.removeEventListener('abort', giveUp));
    },
  };
}
