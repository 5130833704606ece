import { RestRefused } from '../../../machines/rest-session.machine.ts';
import type { RestPort } from '../../actors/rest-port.ts';
import type { VenueRequest } from '../../binance/rest.ts';
import { ExchangeError } from '../../errors.ts';
import type { Clock, Logger } from '../../ports.ts';
import { sleep } from '../../transport/clock.ts';

/** How long somebody waits. */
export interface Patience {
  /** Pauses that the exchange asks for, all of one request together, ms. */
  readonly pausesMs: number;
  /** Between further tries at an exchange that can't be reached, ms; the session has tried several times before each. */
  readonly outagePausesMs: readonly number[];
}

/** For bars that nobody else has. */
export const PATIENT: Patience = { pausesMs: 30 * 60_000, outagePausesMs: [1_000, 4_000, 15_000] };
/** For what others can tell nearly as well: a pause of the rate limit is over in a minute, a ban is not. */
export const BRIEF: Patience = { pausesMs: 60_000, outagePausesMs: [] };
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
  readonly #patience: Patience;
  /** Many wait for the same pause: it is said once. */
  #saidUntil = Number.NEGATIVE_INFINITY;

  constructor(rest: RestPort, clock: Clock, logger: Logger, patience = PATIENT) {
    this.#rest = rest;
    this.#clock = clock;
    this.#logger = logger;
    this.#patience = patience;
  }

  async ask(request: VenueRequest, signal?: AbortSignal): Promise<unknown> {
    const { pausesMs, outagePausesMs } = this.#patience;
    let waitedMs = 0;
    for (let outages = 0; ; ) {
      try {
        return await this.#rest.ask(request, signal);
      } catch (error) {
        signal?.throwIfAborted();
        const told = toldPauseOf(error);
        const pauseMs = told ?? (isOutage(error) ? outagePausesMs[outages++] : undefined);
        if (pauseMs === undefined || waitedMs + pauseMs > pausesMs) throw error;
        this.#say(pauseMs, error);
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
