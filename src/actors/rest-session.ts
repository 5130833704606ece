import { fromPromise } from 'xstate';
import type { RestCall } from '../../machines/rest-session.machine.ts';
import { readDate, readImposed, readUsedWeight, readWeightLimit } from '../binance/patience.ts';
import { readAnswer, readArrayBytes, requestUrl } from '../binance/rest.ts';
import { LIMITS, REST_PATHS } from '../binance/venue.ts';
import type { Clock, HttpClient } from '../ports.ts';
import type { Quota } from './quota.ts';

/** Over connection, headers and body of one request, ms. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface CallPorts {
  readonly clock: Clock;
  readonly http: () => HttpClient;
  readonly restUrl: () => string;
  readonly quota: () => Quota;
  /** Over connection, headers and body of one request, ms; default 10,000. */
  readonly timeoutMs?: number;
}

/** Sends one request, and tells the quota what the answer says of limits. */
export const callActor = (ports: CallPorts) =>
  fromPromise<unknown, RestCall>(async ({ input: call, signal: stopped }) => {
    const { request } = call;
    const { clock } = ports;
    const quota = ports.quota();
    const ask = async () => {
      request.signal?.throwIfAborted();
      return ports.http().get({
        url: requestUrl(ports.restUrl(), request),
        timeoutMs: ports.timeoutMs ?? REQUEST_TIMEOUT_MS,
        maxBytes: LIMITS.bodyBytesMax,
        signals: request.signal === undefined ? [stopped] : [stopped, request.signal],
      });
    };
    const answer = await ask().catch((error: unknown) => {
      quota.end(call);
      throw error;
    });
    const localNow = clock.wallNow();
    const used = readUsedWeight(answer);
    // A server that does not say what time it is: then it is ours, as good as any.
    const date = readDate(answer) ?? Math.floor(localNow / 1_000) * 1_000;
    quota.end(call, { date, ...(used === undefined ? {} : { used }) });
    const imposed = readImposed(answer, request.path, localNow);
    if (imposed !== undefined) quota.impose(imposed);
    else if (answer.status < 500) quota.served();
    if (request.wants === 'bytes') return readArrayBytes(answer, request.path, localNow);
    const body = readAnswer(answer, request.path, localNow);
    if (request.path === REST_PATHS.exchangeInfo) quota.limit = readWeightLimit(body) ?? quota.limit;
    return body;
  });

/** Closes every connection of the session. */
export const releaseActor = (close: () => Promise<void>) => fromPromise<void>(close);
