import { fromCallback } from 'xstate';
import { readServerTime, timeRequest } from '../binance/rest.ts';
import type { Clock, Logger } from '../ports.ts';
import { sleep } from '../transport/clock.ts';
import type { ExchangeClock } from '../transport/exchange-clock.ts';
import type { RestPort } from './rest-port.ts';

/** Between two readings of the exchange's time, wall ms. */
const REFRESH_MS = 5 * 60_000;
/** After a reading that failed, wall ms. */
const RETRY_MS = 15_000;
/** Readings at the start: the first opens the connection and takes longer than the others. */
const FIRST_READINGS = 3;

export interface TimePorts {
  readonly rest: RestPort;
  readonly clock: Clock;
  readonly exchangeClock: ExchangeClock;
}

async function readTime({ rest, clock, exchangeClock }: TimePorts, signal: AbortSignal): Promise<void> {
  const sentAt = clock.now();
  const body = await rest.ask(timeRequest, signal);
  exchangeClock.set(readServerTime(body), sentAt, clock.now());
}

/** Sets the exchange clock, by the shortest of a few round trips. */
export async function setClock(ports: TimePorts, signal: AbortSignal): Promise<void> {
  for (let reading = 0; reading < FIRST_READINGS; reading++) await readTime(ports, signal);
}

/** Reads the exchange's time again and again, so that the drift of the local clock does not matter. */
export const keepTimeActor = (ports: TimePorts & { readonly logger: Logger }) =>
  fromCallback(() => {
    const over = new AbortController();
    const keep = async (): Promise<void> => {
      let pauseMs = REFRESH_MS;
      while (!over.signal.aborted) {
        await sleep(ports.clock, pauseMs, over.signal);
        try {
          await readTime(ports, over.signal);
          pauseMs = REFRESH_MS;
        } catch (error) {
          if (over.signal.aborted) return;
          pauseMs = RETRY_MS;
          ports.logger.warn("the exchange's time could not be read", {
            reason: error instanceof Error ? error.message : String(error),
            retryMs: RETRY_MS,
          });
        }
      }
    };
    keep().catch(() => {
      // Only the abort of its own sleep ends it: that is the disposer below.
    });
    return () => over.abort();
  });
