import { RestRefused } from '../../machines/rest-session.machine.ts';
import type { RestPort } from '../actors/rest-port.ts';
import type { VenueRequest } from '../binance/rest.ts';
import { ExchangeError } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import { sleep } from '../transport/clock.ts';

/** Pauses of the exchange that a load waits for, all of one request together, ms. */
const PATIENCE_MS = 30 * 60_000;
/** Between further tries at an exchange that can't be reached, ms; the session has tried several times before each. */
export const OUTAGE_PAUSES_MS: readonly number[] = [1_000, 4_000, 15_000];
/** The session's queue is full: others have to be served first. */
const QUEUE_PAUSE_MS = 1_000;

/**
 * REST for those who have time: what the exchange does not want to be asked now is asked when it may be, and a short
 * outage is sat out. Rejects as {@link RestPort} does when that is in vain.
 */
export class PatientRest implements RestPort {
  readonly #rest: RestPort;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #outagePausesMs: readonly number[];
  /** Many wait for the same pause: it is said once. */
  #saidUntil = Number.NEGATIVE_INFINITY;

  constructor(rest: RestPort, clock: Clock, logger: Logger, outagePausesMs = OUTAGE_PAUSES_MS) {
    this.#rest = rest;
    this.#clock = clock;
    this.#logger = logger;
    this.#outagePausesMs = outagePausesMs;
  }

  async ask(request: VenueRequest, signal?: AbortSignal): Promise<unknown> {
    let waitedMs = 0;
    for (let outages = 0; ; ) {
      try {
        return await this.#rest.ask(request, signal);
      } catch (error) {
        signal?.throwIfAborted();
        const told = toldPauseOf(error);
        const pauseMs = told ?? (isOutage(error) ? this.#outagePausesMs[outages++] : undefined);
        if (pauseMs === undefined || waitedMs + pauseMs > PATIENCE_MS) throw error;
        if (told !== undefined) this.#say(pauseMs, error);
        await sleep(this.#clock, pauseMs, signal);
        waitedMs += pauseMs;
      }
    }
  }

  #say(pauseMs: number, error: unknown): void {
    const now = this.#clock.now();
    if (now < this.#saidUntil) return;
    this.#saidUntil = now + pauseMs;
    const reason = error instanceof Error ? error.message : String(error);
    this.#logger.warn('the history waits until REST may be asked again', {
      seconds: Math.ceil(pauseMs / 1_000),
      reason,
    });
  }
}

/** How long it is in vain to ask again, ms; undefined: that is not what it is about. */
function toldPauseOf(error: unknown): number | undefined {
  if (error instanceof RestRefused && error.code === 'REST_QUEUE_FULL') return QUEUE_PAUSE_MS;
  const isTold = error instanceof RestRefused || error instanceof ExchangeError;
  return isTold && error.retryAfterMs > 0 ? error.retryAfterMs : undefined;
}

/** Whether there was no answer, or none of the exchange itself. */
const isOutage = (error: unknown): boolean =>
  error instanceof ExchangeError && error.retryable && (error.status < 400 || error.status >= 500);
