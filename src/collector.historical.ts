/** Questions about the past: each on its own, and all of them over when the collector stops. */
import { closeTimeOf } from '../machines/model/interval.ts';
import { type Candle, seriesKey } from '../machines/model/kline.ts';
import { ConnectionError } from './errors.ts';
import { barsIn, type Gathered, gather, readRange } from './history/gather.ts';
import { noCache } from './history/progress.ts';
import type { CacheCounts, HistorySource } from './history/types.ts';
import { type ResolvedQuery, resolveQuery } from './options.query.ts';
import type { Logger } from './ports.ts';
import type { OpenedHistory, WiredPast } from './wire.past.ts';

export interface HistoricalPorts extends Pick<WiredPast, 'open' | 'stored'> {
  readonly logger: Logger;
  /** Of the collector. */
  readonly signal: AbortSignal | undefined;
}

/** Closed candles of the past, and what there is to know of them. */
export interface History extends Gathered {
  /** What the archive's cache has done for it; while others ask the same collector, for them too. */
  readonly cache: Readonly<CacheCounts>;
}

/** Runs and notes that the log lists; more are counted. */
const LISTED_MAX = 10;

export class HistoricalCalls {
  readonly #ports: HistoricalPorts;
  /** What is under way, by what ends it. */
  readonly #calls = new Map<AbortController, Promise<unknown>>();

  constructor(ports: HistoricalPorts) {
    this.#ports = ports;
  }

  /** @throws {ConfigurationError} {ConnectionError} {ExchangeError} {StoreError} */
  async get(input: unknown): Promise<History> {
    const query = resolveQuery(input);
    const signals = [query.signal, this.#ports.signal].filter((signal) => signal !== undefined);
    if (signals.some((signal) => signal.aborted)) throw aborted(signals);
    const over = new AbortController();
    const ended = Promise.withResolvers<never>();
    const end = (): void => ended.reject(over.signal.reason);
    over.signal.addEventListener('abort', end, { once: true });
    const abort = (): void => over.abort(aborted(signals));
    for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
    const work = this.#gather(query, over.signal);
    this.#calls.set(over, work);
    // Whoever waits hears of an end at once; what it held is let go of meanwhile.
    const forget = (): void => void this.#calls.delete(over);
    work.then(forget, forget);
    try {
      return await Promise.race([ended.promise, work]);
    } catch (error) {
      throw over.signal.aborted ? over.signal.reason : error;
    } finally {
      for (const signal of signals) signal.removeEventListener('abort', abort);
    }
  }

  /** Ends all that are under way. Resolves when they have let go of everything. Never rejects. */
  async end(reason: string): Promise<void> {
    const calls = [...this.#calls];
    const message = `the collector was stopped before the history was there: ${reason}`;
    for (const [over] of calls) over.abort(new ConnectionError(message, { code: 'STOPPED' }));
    await Promise.allSettled(calls.map(([, work]) => work));
  }

  async #gather(query: ResolvedQuery, signal: AbortSignal): Promise<History> {
    const { symbol, interval, from, to, source } = query;
    let opened: OpenedHistory | undefined;
    const before = noCache();
    const reach = (): HistorySource => {
      opened = this.#ports.open(source);
      Object.assign(before, opened.counts());
      return opened.source;
    };
    try {
      const held = source === 'auto' ? await this.#held(query, signal) : [];
      const gathered = await gather(reach, { symbol, interval, from, to, source }, held, signal);
      this.#say(query, gathered);
      return { ...gathered, cache: since(before, opened?.counts() ?? before) };
    } finally {
      await opened?.close();
    }
  }

  /** Stored values are what the promise is about: they win. */
  async #held({ symbol, interval, from, to }: ResolvedQuery, signal: AbortSignal): Promise<Candle[]> {
    const read = await this.#ports.stored();
    return read === undefined ? [] : readRange(read, { symbol, interval }, { from, to }, signal);
  }

  #say(query: ResolvedQuery, { missing, notes }: Gathered): void {
    const { logger } = this.#ports;
    const series = seriesKey(query);
    for (const { kind, from, found, done } of notes.slice(0, LISTED_MAX))
      logger.info(`history: ${kind}`, { series, from: textOf(from), found, done });
    if (notes.length > LISTED_MAX)
      logger.info('history: more was odd', { series, notes: notes.length - LISTED_MAX });
    if (missing.length === 0) return;
    const runs = missing
      .slice(0, LISTED_MAX)
      .map(
        ({ fromOpenTime, toOpenTime }) =>
          `${textOf(fromOpenTime)}/${textOf(closeTimeOf(query.interval, toOpenTime) + 1)}`,
      );
    logger.warn('history: no source has some bars', {
      series,
      bars: barsIn(query, missing),
      holes: missing.length,
      runs,
    });
  }
}

const since = (before: Readonly<CacheCounts>, now: Readonly<CacheCounts>): CacheCounts => ({
  hits: now.hits - before.hits,
  misses: now.misses - before.misses,
  errors: now.errors - before.errors,
  bytesFetched: now.bytesFetched - before.bytesFetched,
  bytesRead: now.bytesRead - before.bytesRead,
});

const textOf = (time: number): string => new Date(time).toISOString();

const aborted = (signals: readonly AbortSignal[]): ConnectionError =>
  new ConnectionError('the history was aborted by a signal', {
    code: 'ABORTED',
    cause: signals.find((signal) => signal.aborted)?.reason,
  });
