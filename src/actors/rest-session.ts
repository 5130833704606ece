import { fromPromise } from 'xstate';
import type { RestRequest } from '../../machines/rest-session.machine.ts';
import { readAnswer, requestUrl } from '../binance/rest.ts';
import { LIMITS } from '../binance/venue.ts';
import type { HttpClient } from '../ports.ts';

/** Over connection, headers and body of one request, ms. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Sends the request at the head of the queue. */
export const callActor = (http: () => HttpClient, restUrl: () => string) =>
  fromPromise<unknown, RestRequest>(async ({ input, signal }) => {
    input.signal?.throwIfAborted();
    const answer = await http().get({
      url: requestUrl(restUrl(), input),
      timeoutMs: REQUEST_TIMEOUT_MS,
      maxBytes: LIMITS.bodyBytesMax,
      signal: input.signal === undefined ? signal : AbortSignal.any([signal, input.signal]),
    });
    return readAnswer(answer, input.path);
  });

/** Closes every connection of the session. */
export const releaseActor = (close: () => Promise<void>) => fromPromise<void>(close);
