import { runsOf } from '../../machines/model/gaps.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import { seriesKey } from '../../machines/model/kline.ts';
import type { Fill, Gap, Revision, Row } from '../../machines/model/row.ts';
import { CandleBuffer } from './candle-buffer.ts';
import { CandleIterator, type CandleReader } from './candle-iterator.ts';
import { Listeners } from './listeners.ts';

/** What listeners of a collector may hear. Times are ms since epoch. */
export interface CollectorEvents {
  /** A bar has closed and is committed. Once per bar and run, in order of open time. */
  candle: Candle;
  /** The forming bar as of now. Not final, and never stored. */
  update: Candle;
  state: StateChange;
  gap: GapNotice;
  /** The exchange has corrected a bar that was closed already. */
  revision: { readonly before: Candle; readonly after: Candle };
  error: Problem;
}

/** One step of a collector's life. */
export interface StateChange {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

/** Bars that the exchange lacks, or that turned up: open times in ms, both inclusive. */
export interface GapNotice extends Omit<Gap, 'detectedAt'> {
  readonly status: 'open' | 'filled';
}

/** Something that went wrong and was contained. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly cause?: unknown;
}

/** Hands committed rows to everyone who wants them: candle buffers, listeners, iterators. */
export class Delivery {
  readonly listeners: Listeners<CollectorEvents>;
  readonly #buffers = new Map<string, CandleBuffer>();
  /** Candles handed on, by series. */
  readonly #delivered = new Map<string, number>();
  readonly #iterators = new Set<CandleIterator>();
  readonly #bufferSize: number;
  readonly #queueSize: number;
  readonly #hasStore: boolean;
  #reader: CandleReader | undefined;
  #filled = 0;

  constructor(options: {
    bufferSize: number;
    queueSize: number;
    hasStore: boolean;
    series: readonly Series[];
  }) {
    this.#bufferSize = options.bufferSize;
    this.#queueSize = options.queueSize;
    this.#hasStore = options.hasStore;
    for (const series of options.series) this.add(series);
    this.listeners = new Listeners<CollectorEvents>((event, error) => {
      // A fault in the listener of faults has nowhere to go.
      if (event === 'error') return;
      const message = `a listener of '${event}' threw: ${error instanceof Error ? error.message : String(error)}`;
      this.listeners.emit('error', { code: 'CONSUMER_THREW', message, cause: error });
    });
  }

  /** A series that is collected from now on, also for iterators that were asked for whatever is like it. */
  add(series: Series): void {
    const key = seriesKey(series);
    if (this.#buffers.has(key)) return;
    this.#buffers.set(key, new CandleBuffer(series, this.#bufferSize));
    for (const iterator of this.#iterators) iterator.add(series);
  }

  /** Committed rows, in order. */
  deliver(rows: readonly Row[]): void {
    for (const row of rows) {
      if ('candle' in row) this.#deliverCandle(row.candle);
      else if ('gap' in row) this.#announceGap(row.gap);
      else if ('fill' in row) this.#announceFill(row.fill);
      else if ('revision' in row) this.#announceRevision(row.revision);
    }
  }

  /** A committed bar as it is stored now, if it is still in memory. */
  held(series: Series, openTime: number): Candle | undefined {
    return this.#buffers.get(seriesKey(series))?.find(openTime);
  }

  /** The same, from the store when it is older than that. */
  stored(series: Series, openTime: number): Candle | undefined {
    const held = this.held(series, openTime);
    if (held !== undefined) return held;
    const [read] = this.#reader?.read(series, openTime - 1, 1) ?? [];
    return read?.openTime === openTime ? read : undefined;
  }

  buffer(key: string): readonly Candle[] | undefined {
    return this.#buffers.get(key)?.toArray();
  }

  bufferSizes(): Record<string, number> {
    return Object.fromEntries([...this.#buffers].map(([key, buffer]) => [key, buffer.size]));
  }

  /** Candles of a series that were committed and handed on, in this process. */
  deliveredOf(key: string): number {
    return this.#delivered.get(key) ?? 0;
  }

  /** Candles of these series, and of those that are added later and that `wants` says yes to. */
  iterate(
    series: readonly Series[],
    since: number | undefined,
    wants: (series: Series) => boolean = () => false,
  ): CandleIterator {
    const iterator: CandleIterator = new CandleIterator({
      series,
      wants,
      queueSize: this.#queueSize,
      hasStore: this.#hasStore,
      reader: () => this.#reader,
      onEnd: () => this.#iterators.delete(iterator),
      ...(since === undefined ? {} : { since }),
    });
    this.#iterators.add(iterator);
    return iterator;
  }

  /** Times that bars of a gap turned up: as often as that was announced. */
  get filled(): number {
    return this.#filled;
  }

  /** From when on consumers that are behind can catch up. */
  setReader(reader: CandleReader): void {
    this.#reader = reader;
    for (const iterator of this.#iterators) iterator.poke();
  }

  /** The run is over: iterators give out what waits, and end. */
  endIterators(): void {
    for (const iterator of [...this.#iterators]) iterator.end();
  }

  #deliverCandle(candle: Candle): void {
    const key = seriesKey(candle);
    // One object for all: a consumer that writes to it would write to everybody's.
    Object.freeze(candle);
    this.#buffers.get(key)?.push(candle);
    this.#delivered.set(key, (this.#delivered.get(key) ?? 0) + 1);
    this.listeners.emit('candle', candle);
    for (const iterator of this.#iterators) iterator.push(candle);
  }

  #announceGap(gap: Gap): void {
    const { symbol, interval, fromOpenTime, toOpenTime, reason } = gap;
    this.listeners.emit('gap', { symbol, interval, fromOpenTime, toOpenTime, reason, status: 'open' });
  }

  /** Bars that came late belong into the buffer, but were passed over in the order of candles. */
  #announceFill({ symbol, interval, reason, candles }: Fill): void {
    const buffer = this.#buffers.get(seriesKey({ symbol, interval }));
    for (const candle of candles) buffer?.insert(Object.freeze(candle));
    for (const run of runsOf(candles)) {
      this.#filled += 1;
      this.listeners.emit('gap', { symbol, interval, ...run, reason, status: 'filled' });
    }
  }

  #announceRevision({ before, after }: Revision): void {
    this.#buffers.get(seriesKey(after))?.correct(Object.freeze(after));
    this.listeners.emit('revision', Object.freeze({ before: Object.freeze(before), after }));
  }
}
