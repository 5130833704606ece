import ky from 'ky';
import { Agent } from 'undici';
import { prepareDelay } from '../../machines/model/backoff.ts';
import { readTold } from '../binance/patience.ts';
import { ExchangeError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { sleep } from './clock.ts';
import { type DownloadPart, Progress, tooLarge } from './download-part.ts';
import { Ending } from './http-ending.ts';
import { asExchangeError, isBreak } from './http-errors.ts';
import { TLS } from './tls.ts';

export type { DownloadPart };

export interface DownloadRequest {
  readonly url: string;
  /** More is an error, `HTTP_TOO_LARGE`. */
  readonly maxBytes: number;
  /** Each ends it when it is aborted. */
  readonly signals?: readonly AbortSignal[];
}

export interface DownloadOptions {
  readonly clock: Clock;
  /** For all of a file, pauses between tries included, ms. Default 5 minutes. */
  readonly timeoutMs?: number;
  /** Longest time for which nothing comes, ms. Default 15 s. */
  readonly idleTimeoutMs?: number;
  /** How often a file is asked for, and asked on, in all. Default 5. */
  readonly triesMax?: number;
  /** First pause between two tries, ms, doubled each time. Default 500. */
  readonly baseDelayMs?: number;
  /** Connections at a time. Default 8. */
  readonly connections?: number;
}

/** What passes: over a limit, or the server's own trouble. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524]);
/** A refusal by firewall may pass as well, but not by being asked at once again. */
const FORBIDDEN = 403;
/** So much of an answer that is not wanted is read, so that its connection can be kept, bytes. */
const DRAIN_BYTES = 16_384;

/**
 * Files by HTTP, as they come. What breaks off is asked on from where it ended, as long as it is the same file; what
 * a server asks to be left alone is left alone, by all downloads. Connections are its own, and gone after `close`.
 */
export class Downloads {
  /** Requests that were sent. */
  requests = 0;
  readonly #options: Required<DownloadOptions>;
  readonly #clock: Clock;
  readonly #agent: Agent;
  readonly #closing = new AbortController();
  #held: { readonly until: number; readonly by: ExchangeError } | undefined;

  constructor(options: DownloadOptions) {
    this.#options = {
      timeoutMs: 300_000,
      idleTimeoutMs: 15_000,
      triesMax: 5,
      baseDelayMs: 500,
      connections: 8,
      ...options,
    };
    this.#clock = options.clock;
    this.#agent = new Agent({
      connections: this.#options.connections,
      keepAliveTimeout: 10_000,
      connect: { timeout: 10_000, ...TLS },
      // Ours tell by the clock.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /**
   * The file, part by part; leaving the loop ends the connection. Throws an {@link ExchangeError}, after it was tried
   * again where that may help, or the reason of the signal.
   */
  async *get(request: DownloadRequest): AsyncGenerator<DownloadPart, void, undefined> {
    const { timeoutMs, triesMax, baseDelayMs } = this.#options;
    const { signals = [] } = request;
    const whole = new Ending(this.#clock, timeoutMs, [this.#closing.signal, ...signals]);
    const deadline = this.#clock.now() + timeoutMs;
    const progress = new Progress();
    try {
      for (let tries = 1; ; tries++) {
        try {
          await this.#whenAllowed(deadline, whole.signal);
          yield* this.#try(request, progress, whole.signal);
          return;
        } catch (error) {
          const failure = this.#failureOf(error, request, whole.isLate);
          if (!isWorthATry(failure) || tries >= triesMax) throw failure;
          const delayMs = prepareDelay(baseDelayMs, tries - 1, failure);
          // What can't come in time is said now.
          if (this.#clock.now() + delayMs >= deadline) throw failure;
          await sleep(this.#clock, delayMs, whole.signal).catch((aborted: unknown) => {
            throw this.#failureOf(aborted, request, whole.isLate);
          });
        }
      }
    } finally {
      whole.release();
    }
  }

  /** Ends what is under way, and every connection. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#agent.destroy();
  }

  async #whenAllowed(deadline: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const held = this.#held;
      const now = this.#clock.now();
      if (held === undefined || held.until <= now) return;
      if (held.until >= deadline) throw held.by;
      await sleep(this.#clock, held.until - now, signal);
    }
  }

  async *#try(
    { url, maxBytes }: DownloadRequest,
    progress: Progress,
    signal: AbortSignal,
  ): AsyncGenerator<DownloadPart, void, undefined> {
    const { idleTimeoutMs } = this.#options;
    const end = new Ending(this.#clock, idleTimeoutMs, [signal]);
    let response: Response | undefined;
    try {
      this.requests += 1;
      const asking = ky.get(url, {
        retry: 0,
        timeout: false,
        throwHttpErrors: false,
        redirect: 'error',
        signal: end.signal,
        // Parts of a file are counted in its own bytes.
        headers: { ...progress.headers, 'accept-encoding': 'identity' },
        hooks: { beforeRequest: [({ request: made }) => end.keep(made)] },
        // @ts-expect-error: an option of Node's fetch that the web's types don't know
        dispatcher: this.#agent,
      });
      // Whoever is late with its answer, or with its failure, is heard by nobody.
      asking.catch(() => {});
      response = await Promise.race([asking, end.over]);
      if (response.status === 404) {
        await drain(response, end);
        yield { kind: 'absent' };
        return;
      }
      if (response.status === 200) {
        const sizeBytes = progress.begin(response);
        if (sizeBytes !== undefined && sizeBytes > maxBytes) throw tooLarge(nameOf(url), maxBytes);
        end.expectNothing();
        yield { kind: 'begin', sizeBytes, etag: response.headers.get('etag') ?? undefined };
      } else if (response.status !== 206 || !progress.isContinuedBy(response)) {
        throw await this.#refusalOf(response, url, progress, end);
      }
      for await (const bytes of chunksOf(response, end, idleTimeoutMs)) {
        progress.add(bytes);
        if (progress.received > maxBytes) throw tooLarge(nameOf(url), maxBytes);
        yield { kind: 'bytes', bytes };
      }
      if (progress.isShort) throw new Error('less came than was announced');
    } catch (error) {
      const isBroken = response !== undefined || isBreak(error);
      throw asExchangeError(error, { url, timeoutMs: idleTimeoutMs }, end.isLate, isBroken);
    } finally {
      end.abort();
      end.release();
    }
  }

  /** What an answer means that is neither the file nor the rest of it. */
  async #refusalOf(response: Response, url: string, progress: Progress, end: Ending): Promise<ExchangeError> {
    const { status, headers } = response;
    // Not the part that was asked for: it is asked for from its first byte on.
    const isNotTheRest = status === 206 || status === 416;
    if (isNotTheRest) progress.forget();
    await drain(response, end);
    const isPassing = PASSING.has(status) || isNotTheRest;
    const retryAfterMs = isPassing ? readTold({ status, headers, text: '' }, this.#clock.wallNow()) : 0;
    const refusal = new ExchangeError(`${nameOf(url)} was answered HTTP ${status}`, {
      code: `HTTP_${status}`,
      status,
      retryable: isPassing || status === FORBIDDEN,
      retryAfterMs,
    });
    const until = this.#clock.now() + retryAfterMs;
    if (retryAfterMs > 0 && until > (this.#held?.until ?? Number.NEGATIVE_INFINITY))
      this.#held = { until, by: refusal };
    return refusal;
  }

  /** What is thrown to who asked. */
  #failureOf(error: unknown, { url, signals = [] }: DownloadRequest, isLate: boolean): unknown {
    const asked = signals.find((signal) => signal.aborted);
    if (asked !== undefined) return asked.reason;
    if (isLate)
      return asExchangeError(new Error('late'), { url, timeoutMs: this.#options.timeoutMs }, true, true);
    if (!this.#closing.signal.aborted) return error;
    return new ExchangeError(`${nameOf(url)} is not fetched: the connections were closed`, {
      code: 'HTTP_CLOSED',
      status: 0,
      retryable: false,
      cause: error,
    });
  }
}

const isWorthATry = (failure: unknown): boolean =>
  failure instanceof ExchangeError && failure.retryable && failure.status !== FORBIDDEN;

function nameOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

/** The body as it comes. While somebody does something with a chunk, nothing is late. */
async function* chunksOf(
  { body }: Response,
  end: Ending,
  idleTimeoutMs: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return;
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  for (;;) {
    end.expectWithin(idleTimeoutMs);
    const { done, value } = await Promise.race([reader.read(), end.over]);
    end.expectNothing();
    if (done) return;
    yield value;
  }
}

/** Reads a short body to its end, so that its connection can be used again. */
async function drain(response: Response, end: Ending): Promise<void> {
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  if (!(length <= DRAIN_BYTES)) return;
  await Promise.race([response.arrayBuffer(), end.over]).catch(() => {});
}
