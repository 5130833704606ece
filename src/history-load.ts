import type { CandleBlock } from '../machines/model/block.ts';
import { CandlestateError } from './errors.ts';
import type { HistoryProgress } from './history/progress.ts';
import { type HistoryReport, historyReportOf } from './history/report.ts';
import { MemorySink } from './history/sinks/memory-sink.ts';
import type { HistoryPlan } from './history/types.ts';
import {
  type HistoryOptions,
  type ResolvedHistoryOptions,
  resolveHistoryOptions,
} from './options.history.ts';
import { type HistoryActor, type WiredHistory, wireHistory } from './wire.history.ts';
import type { MakeHistoryParts } from './wire.history-parts.ts';

export type { HistoryOptions } from './options.history.ts';

/** How a load is to stop. */
export interface HistoryStopOptions {
  /** Deadline of the whole stop, ms; default: the option `stopTimeoutMs`. */
  readonly timeoutMs?: number;
  /** For the report and the log; default `asked`. */
  readonly reason?: string;
}

/** Of what the chart has left of a stop's time; the rest is for who waits to hear of it. */
const RELEASE_SHARE = 0.9;

/**
 * Fetches the closed bars of a time range from archive and REST: into a store, a file, or memory. What a store holds
 * already is not asked for again.
 *
 * A face over the actor system: everything that can be asked of it is read from the statechart.
 *
 * @throws {ConfigurationError} from the constructor, listing every option that can't work.
 */
export class HistoryLoad implements AsyncDisposable {
  readonly #options: ResolvedHistoryOptions;
  readonly #wired: WiredHistory;
  readonly #done = Promise.withResolvers<HistoryReport>();
  readonly #onAbort = (): void => void this.stop({ reason: 'aborted' });
  #startedAt: number | undefined;
  #error: unknown;

  constructor(options: HistoryOptions, makeParts?: MakeHistoryParts) {
    this.#options = resolveHistoryOptions(options);
    this.#wired = wireHistory(this.#options, makeParts);
    const { actor, logger } = this.#wired;
    actor.on('NOTICE', ({ level, message, fields }) => logger[level](message, { ...fields }));
    actor.subscribe({
      complete: () => void this.#end(),
      // A fault of ours that no chart could contain: said, and everything let go.
      error: (error) => {
        logger.error('the load failed', { error });
        this.#error = error;
        void this.#end();
      },
    });
    this.#options.signal?.addEventListener('abort', this.#onAbort);
    actor.start();
    if (this.#options.signal?.aborted) this.#onAbort();
  }

  /** The XState actor: snapshots, subscriptions, inspection. */
  get actor(): HistoryActor {
    return this.#wired.actor;
  }

  /** Resolves when it has ended, however it ended. Never rejects. */
  get done(): Promise<HistoryReport> {
    return this.#done.promise;
  }

  /** Begins. Called again it changes nothing. */
  start(): this {
    const { actor, clock } = this.#wired;
    if (!this.#isActive || this.#startedAt !== undefined) return this;
    this.#startedAt = clock.now();
    actor.send({ type: 'START' });
    return this;
  }

  /** How far it has come: a picture, not kept up to date. */
  get progress(): HistoryProgress {
    const { actor, loader, cache } = this.#wired;
    const { value } = actor.getSnapshot();
    const { barsPlanned, barsDone, bySource, piece } = loader.counters;
    const counts = { ...cache() };
    return {
      state: typeof value === 'string' ? value : value.working,
      barsPlanned,
      barsDone,
      bySource: { ...bySource },
      bytes: counts.bytesFetched + counts.bytesRead,
      piece,
      startedAt: this.#startedAt,
      cache: counts,
    };
  }

  /**
   * What will be done, as soon as it is known. Rejects with what ended the load before.
   *
   * @throws {ConfigurationError} when nobody knows the symbol.
   * @throws {StoreError} when the store can't be opened.
   * @throws {ExchangeError} when the exchange can't be asked what must be known.
   */
  plan(): Promise<HistoryPlan> {
    const { actor, loader } = this.#wired;
    return new Promise((resolve, reject) => {
      const look = (): boolean => {
        if (loader.plan !== undefined) resolve(loader.plan);
        return loader.plan !== undefined;
      };
      const unplanned = (): void => {
        const { output } = actor.getSnapshot();
        const stopped = new CandlestateError(`stopped before it was planned: ${output?.reason ?? ''}`, {
          code: 'STOPPED',
          retryable: true,
        });
        if (!look()) reject(this.#error ?? output?.error ?? stopped);
      };
      if (look()) return;
      if (!this.#isActive) return unplanned();
      const subscription = actor.subscribe({
        next: () => {
          if (look()) subscription.unsubscribe();
        },
        error: unplanned,
        complete: unplanned,
      });
    });
  }

  /** What was loaded into memory, ascending; nothing where it went into a store or a file. */
  get blocks(): readonly CandleBlock[] {
    const { sink } = this.#wired;
    return sink instanceof MemorySink ? sink.blocks : [];
  }

  /**
   * Stops: what has been fetched is kept, everything is let go, never later than the deadline. Never rejects.
   * Idempotent: whoever calls it, whenever, gets the one report.
   */
  stop(options: HistoryStopOptions = {}): Promise<HistoryReport> {
    // Never rejects: from JavaScript it may be called with anything.
    const { reason = 'asked', timeoutMs } = options ?? {};
    const isDeadline = typeof timeoutMs === 'number' && timeoutMs >= 0 && timeoutMs < 2 ** 31;
    // An actor that has ended complains of events on the console.
    if (this.#isActive) this.actor.send({ type: 'STOP', reason, ...(isDeadline ? { timeoutMs } : {}) });
    return this.done;
  }

  /** Stops. An error that is leaving the block is not masked: this never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ reason: 'disposed' });
  }

  get #isActive(): boolean {
    return this.actor.getSnapshot().status === 'active';
  }

  async #end(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    const { actor, loader, clock, query, sink, cache, requests, release } = this.#wired;
    const { output, context } = actor.getSnapshot();
    const { stopBy, stopTimeoutMs } = context;
    const left = stopBy === undefined ? stopTimeoutMs : Math.max(0, stopBy - clock.now());
    const released = await release(left * RELEASE_SHARE);
    const lines = [
      ...(output ?? context).lines,
      // Of what was left only what went wrong has lines of its own.
      ...released.tasks.filter(({ outcome }) => outcome !== 'closed'),
    ];
    this.#done.resolve(
      historyReportOf(loader, {
        outcome: output?.outcome ?? 'failed',
        error: this.#error ?? output?.error,
        reason: output?.reason ?? '',
        lines,
        query,
        sink: sink.counts,
        cache: cache(),
        requests: requests(),
        durationMs: this.#startedAt === undefined ? 0 : clock.now() - this.#startedAt,
      }),
    );
  }
}

/** Makes a load and begins it. @throws {ConfigurationError} listing every option that can't work. */
export const loadHistory = (options: HistoryOptions): HistoryLoad => new HistoryLoad(options).start();
