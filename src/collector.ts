import type { Interval } from '../machines/model/interval.ts';
import { type Candle, type Series, seriesKey } from '../machines/model/kline.ts';
import type { Gap } from '../machines/model/row.ts';
import { upperAscii } from './binance/streams.ts';
import { HistoricalCalls, type History } from './collector.historical.ts';
import { type CandleQuery, likeness, oneSeries, queryOf, selectSeries, sinceOf } from './collector.query.ts';
import { ConfigurationError, ConnectionError } from './errors.ts';
import { exchangeOf } from './exchange.ts';
import { type CollectorHealth, healthOf } from './health.ts';
import {
  afterRelease,
  describeFailure,
  reaches,
  reportOf,
  type StopReport,
  stopTimeLeft,
} from './lifecycle.ts';
import type { HistoricalQuery } from './options.query.ts';
import { type CollectorOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import type { CollectorEvents } from './pipeline/delivery.ts';
import type { Unsubscribe } from './pipeline/listeners.ts';
import { type CollectorState, type CollectorStatus, isConnected, statusOf, topState } from './status.ts';
import { within } from './supervisor/within.ts';
import { systemClock } from './transport/clock.ts';
import { type CollectorVitals, vitalsOf } from './vitals.ts';
import { type CollectorActor, type Wired, wire } from './wire.ts';
import { realWorld, type World } from './world.ts';

export type { CandleQuery };

/** How a collector is to stop. */
export interface StopOptions {
  /** Deadline of the whole stop, ms; default: the option `stopTimeoutMs`. */
  readonly timeoutMs?: number;
  /** For the report and the log; default `asked`. */
  readonly reason?: string;
}

/** Of what the chart has left of a stop's time; the rest is for who waits to hear of it. */
const RELEASE_SHARE = 0.9;

const EVENTS: ReadonlySet<string> = new Set<keyof CollectorEvents>([
  'candle',
  'update',
  'state',
  'gap',
  'revision',
  'error',
]);

/**
 * Collects closed candles of Binance USDⓈ-M Futures: each exactly once, in order, with the exchange's final
 * values, or a gap that is named.
 *
 * A face over the actor system: everything that can be asked of it is read from the statechart.
 *
 * @throws {ConfigurationError} from the constructor, listing every option that can't work.
 */
export class BinanceDataCollector implements AsyncDisposable {
  readonly #options: ResolvedOptions;
  readonly #wired: Wired;
  readonly #historical: HistoricalCalls;
  #report: Promise<StopReport> | undefined;
  readonly #onAbort = (): void => void this.stop({ reason: 'aborted' });
  #state: CollectorState = 'initialized';

  /** @param world the seams to network and disk, for simulations. */
  constructor(options: CollectorOptions, world: World = realWorld) {
    this.#options = resolveOptions(options);
    const exchange = exchangeOf(this.#options, this.#options.clock ?? systemClock, world.disk);
    this.#wired = wire(this.#options, exchange, world);
    const { past, logger } = this.#wired;
    this.#historical = new HistoricalCalls({ ...past, logger, signal: this.#options.signal });
    this.#observe();
    this.#wired.actor.start();
  }

  /** The XState actor: snapshots, subscriptions, inspection. */
  get actor(): CollectorActor {
    return this.#wired.actor;
  }

  get state(): CollectorState {
    return topState(this.#wired.actor);
  }

  /** True while every socket is proved: open, acknowledged, and data has come or REST shows it quiet. */
  get isConnected(): boolean {
    return isConnected(this.#wired.actor);
  }

  /**
   * Connects and resolves in state `streaming`. Called again while it runs, it changes nothing and waits for
   * the same. Allowed again from `stopped`.
   *
   * @throws {ConnectionError} when nothing proved itself within `connectTimeoutMs`, when it was stopped
   * meanwhile, or while it is stopping. It is `stopped` then, and may be started again.
   * @throws {ConfigurationError} when the exchange does not list a symbol.
   * @throws {StoreError} when the store can't be opened.
   */
  async startStreaming(): Promise<void> {
    if (this.#options.signal?.aborted) {
      throw new ConnectionError('the signal given to the collector is aborted', {
        code: 'ABORTED',
        cause: this.#options.signal.reason,
      });
    }
    if (this.#wired.actor.getSnapshot().status !== 'active')
      throw new ConnectionError('the actor of this collector has ended; make a new collector', {
        code: 'COMPONENT_FAILED',
        cause: this.#wired.actor.getSnapshot().error,
      });
    const { state } = this;
    if (state === 'stopping')
      throw new ConnectionError('the collector is stopping; await stop() before starting again', {
        code: 'STOPPING',
      });
    const streaming = reaches(this.#wired.actor, 'streaming', this.#options.signal);
    if (state === 'initialized' || state === 'stopped') {
      this.#wired.actor.send({ type: 'START' });
    } else {
      this.#wired.logger.debug('already started', { state });
    }
    await streaming;
  }

  /**
   * Stops, in order, everything closed and saved, never later than the deadline. Never rejects. Idempotent:
   * whoever calls it, whenever, gets the one report.
   */
  async stop(options: StopOptions = {}): Promise<StopReport> {
    // Never rejects: from JavaScript it may be called with anything.
    const { reason = 'asked', timeoutMs } = options ?? {};
    const isDeadline = typeof timeoutMs === 'number' && timeoutMs >= 0 && timeoutMs < 2 ** 31;
    const { actor, clock } = this.#wired;
    const due = clock.now() + (isDeadline ? timeoutMs : this.#options.stopTimeoutMs);
    const stopped = reaches(actor, 'stopped', this.#options.signal);
    // An actor that has ended complains of events on the console.
    if (actor.getSnapshot().status === 'active')
      actor.send({ type: 'STOP', reason, ...(isDeadline ? { timeoutMs } : {}) });
    const past = this.#historical.end(reason);
    await stopped.catch(() => {});
    // Those of a collector that runs have ended with it; those of one that does not run end now.
    await within(past, Math.max(0, due - clock.now()), clock);
    // Taken down as it stopped: by now a listener may have started the next run.
    return this.#report ?? this.#describeStop();
  }

  /** Stops. An error that is leaving the block is not masked: this never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ reason: 'disposed' });
  }

  /**
   * Subscribes to an event; returns the function that unsubscribes. A listener that throws hurts only itself
   * and is reported as an `error` event.
   *
   * @throws {ConfigurationError} for an event that is none.
   */
  on<Name extends keyof CollectorEvents>(
    event: Name,
    listener: (payload: CollectorEvents[Name]) => unknown,
  ): Unsubscribe {
    if (!EVENTS.has(event) || typeof listener !== 'function') {
      const given = EVENTS.has(event) ? `${typeof listener} as listener` : `'${String(event)}'`;
      const allowed = `a function for one of ${[...EVENTS].join(' ')}`;
      throw new ConfigurationError([{ option: 'event', given, allowed }]);
    }
    return this.#wired.delivery.listeners.on(event, listener);
  }

  /**
   * The newest closed candles of a series, oldest first, `bufferSize` at most; objects made anew by each call. Still
   * there after `stop`.
   *
   * @throws {ConfigurationError} for a series that is not collected. With `symbols: 'all'` that is known from
   * the first start on.
   */
  getCandleBuffer(symbol: string, interval: Interval): readonly Candle[] {
    const candles =
      typeof symbol === 'string'
        ? this.#wired.delivery.buffer(seriesKey({ symbol: upperAscii(symbol), interval }))
        : undefined;
    if (candles === undefined) this.#select(oneSeries(symbol, interval));
    return candles ?? [];
  }

  /**
   * Closed candles as they are committed, for one consumer. Ends at `stop`. A consumer that lags behind its
   * bounded queue catches up from the store; without a store its next read throws a `ConsumerLaggedError`.
   *
   * @throws {ConfigurationError} for a series that is not collected, or `since` without a store.
   */
  candles(query: CandleQuery = {}): AsyncIterableIterator<Candle> & AsyncDisposable {
    const series = this.#select(query);
    const since = sinceOf(query, this.#options.store !== undefined);
    const iterator = this.#wired.delivery.iterate(series, since, likeness(query));
    // Whoever starts to read when all is over gets the end, not an endless wait.
    if (this.state === 'stopped') iterator.end();
    return iterator;
  }

  /**
   * Closed candles that open in [from, to), ascending, with final values; `source` says where each came from. Of any
   * contract and interval, whether collected or not, in every state: before the start and after the stop it asks by
   * itself, and lets go of everything at the end. A bar that ended in the last 15 s may not be there yet.
   *
   * What no source has is not in the array; the log says so, and {@link getHistory} tells which bars that are.
   *
   * @throws {ConfigurationError} for a query that can't work, or a symbol that the exchange never had.
   * @throws {ConnectionError} `STOPPED` when the collector is stopped meanwhile, `ABORTED` by the signal of the query or
   * of the collector, `STOPPING` while it stops, `NOT_STARTED` for an embedded exchange that does not run.
   * @throws {ExchangeError} when a source could not be asked: never a part of the range for all of it.
   * @throws {StoreError} when the store can't be read.
   */
  async getHistoricalCandles(query: HistoricalQuery): Promise<Candle[]> {
    return (await this.#historical.get(query)).candles;
  }

  /** As {@link getHistoricalCandles}, with what no source has, what was odd about the archive's files, and the cache's statistics. */
  getHistory(query: HistoricalQuery): Promise<History> {
    return this.#historical.get(query);
  }

  /**
   * The forming bar of a series as of its newest frame: not final, and never stored. Absent: no frame of it has come, or
   * it has closed and none of the next has come.
   *
   * @throws {ConfigurationError} as {@link getCandleBuffer}.
   */
  getFormingCandle(symbol: string, interval: Interval): Candle | undefined {
    const { pipeline } = this.#wired;
    const cursor =
      typeof symbol === 'string' ? pipeline.cursor({ symbol: upperAscii(symbol), interval }) : undefined;
    if (cursor === undefined) this.#select(oneSeries(symbol, interval));
    return cursor?.forming;
  }

  /**
   * Gaps that the exchange may fill yet, of this run and earlier ones, of all series or of one; the 10,000 that are kept
   * in mind. The store has them all.
   *
   * @throws {ConfigurationError} for a series that is not collected.
   */
  getOpenGaps(symbol?: string, interval?: Interval): readonly Gap[] {
    const query = queryOf(symbol, interval);
    this.#select(query);
    return this.#wired.openGaps.gaps().filter(likeness(query));
  }

  /** What it measures about itself. Costs the same however many series there are. */
  vitals(): CollectorVitals {
    return vitalsOf(this.#wired);
  }

  /** Whether the promise is being kept now. */
  health(): CollectorHealth {
    return healthOf(this.status(), this.vitals(), this.#wired);
  }

  /** What it does now, for a display: a picture, not kept up to date. */
  status(): CollectorStatus {
    return statusOf(this.#wired);
  }

  /** The series that a query means, in the order of the options or of their listing. */
  #select(query: CandleQuery): Series[] {
    const known = [...this.#wired.pipeline.cursors()].map((cursor) => cursor.series);
    return selectSeries(query, known, this.#options.intervals);
  }

  /** Turns what the chart does into events and log lines. */
  #observe(): void {
    const { actor, delivery, logger } = this.#wired;
    actor.on('NOTICE', ({ level, code, message, fields }) => {
      logger[level](message, { ...fields });
      if (level === 'error') delivery.listeners.emit('error', { code, message, cause: fields });
    });
    actor.subscribe({
      next: () => this.#noteState(),
      error: (error) => {
        // A fault of ours that no chart could contain: said, and everything let go.
        const message = `the collector failed: ${error instanceof Error ? error.message : String(error)}`;
        logger.error(message, { error });
        delivery.listeners.emit('error', { code: 'COLLECTOR_FAILED', message, cause: error });
        this.#noteState();
      },
      complete: () => this.#noteState(),
    });
  }

  #describeStop(): StopReport {
    const { actor, delivery, run } = this.#wired;
    return reportOf(actor, { buffers: delivery.bufferSizes(), ...run.read() });
  }

  #noteState(): void {
    const { state: to } = this;
    const from = this.#state;
    if (from === to) return;
    this.#state = to;
    // While it runs: a signal may outlive many collectors, and would keep each of them.
    if (to === 'stopped') this.#options.signal?.removeEventListener('abort', this.#onAbort);
    else this.#options.signal?.addEventListener('abort', this.#onAbort);
    if (from === 'initialized' || from === 'stopped') this.#wired.run.begin();
    const { actor, pipeline, delivery, logger } = this.#wired;
    const { reason: asked, failure, trouble } = actor.getSnapshot().context;
    // Nobody asked for the loss of the last socket: then what befell it is the reason.
    const reason = to === 'connecting' && from === 'streaming' ? trouble : asked;
    if (to === 'stopped') {
      const report = this.#describeStop();
      delivery.endIterators();
      // Charts are stopped from above: each would be held by its cursor for as long as the candles are.
      for (const cursor of pipeline.cursors()) cursor.detach();
      this.#report = this.#wired
        .release(stopTimeLeft(actor) * RELEASE_SHARE)
        .then((released) => afterRelease(report, released));
    }
    if (to === 'stopping') void this.#historical.end(asked);
    if (to === 'stopping' && failure !== undefined) {
      const message = describeFailure(failure);
      logger.error(message);
      delivery.listeners.emit('error', { code: 'COLLECTOR_FAILED', message, cause: failure.cause });
    }
    logger.info(`${from} → ${to}`, reason === '' ? {} : { reason });
    delivery.listeners.emit('state', { from, to, reason });
  }
}
