import { setImmediate } from 'node:timers/promises';
import type { Candle, Series } from '../../machines/model/kline.ts';
import { seriesKey } from '../../machines/model/kline.ts';
import { ConsumerLaggedError } from '../errors.ts';

/** Reads stored candles of a series behind an open time, oldest first; throws when it cannot have them in that order. */
export interface CandleReader {
  read(series: Series, afterOpenTime: number, rowsMax: number): readonly Candle[];
}

export interface CandleIteratorOptions {
  /** The series that are wanted. */
  readonly series: readonly Series[];
  /** Whether a series that is added later is wanted too. Default: none is. */
  readonly wants?: (series: Series) => boolean;
  /** Candles that may wait for the consumer. */
  readonly queueSize: number;
  /** Replay from the store what opens after this, ms; absent: start at the next closed bar. */
  readonly since?: number;
  /** Whether there is a store to catch up from. */
  readonly hasStore: boolean;
  /** That store, once it can be read. */
  readonly reader: () => CandleReader | undefined;
  /** The iterator is over, whichever way. */
  readonly onEnd: () => void;
}

const PAGE_ROWS = 500;

/**
 * Closed candles as an async iterator, for one consumer. Its queue is bounded: a consumer that falls behind
 * loses the queue and catches up from the store, so it neither misses a bar nor holds memory.
 */
export class CandleIterator implements AsyncIterableIterator<Candle> {
  readonly #options: CandleIteratorOptions;
  readonly #wanted: Map<string, Series>;
  /** Open time of the last candle given out, by series: what catching up starts behind. */
  readonly #position = new Map<string, number>();
  #queue: Candle[] = [];
  #head = 0;
  #dropped = 0;
  /** Series that have to be read from the store before the queue counts again. */
  #behind: Series[];
  #ended = false;
  #finished = false;
  readonly #waiters: { resolve(): void }[] = [];
  /** The reading before: readings that overlap are served in the order they were asked. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: CandleIteratorOptions) {
    this.#options = options;
    this.#wanted = new Map(options.series.map((series) => [seriesKey(series), series]));
    this.#behind = options.since === undefined ? [] : [...options.series];
    if (options.since !== undefined)
      for (const key of this.#wanted.keys()) this.#position.set(key, options.since);
  }

  /** A series is collected from now on. */
  add(series: Series): void {
    const key = seriesKey(series);
    if (this.#ended || this.#wanted.has(key) || this.#options.wants?.(series) !== true) return;
    this.#wanted.set(key, series);
    if (this.#options.since === undefined) return;
    // The store may know it from an earlier run.
    this.#position.set(key, this.#options.since);
    this.#behind.push(series);
    this.#wake();
  }

  /** A committed candle, from the delivery. */
  push(candle: Candle): void {
    const key = seriesKey(candle);
    if (this.#ended || !this.#wanted.has(key)) return;
    if (!this.#position.has(key)) this.#position.set(key, candle.openTime - 1);
    // A page that was read ahead has room of its own, so that catching up can't starve.
    const room = this.#options.queueSize + (this.#options.hasStore ? PAGE_ROWS : 0);
    if (this.#queue.length - this.#head >= room) this.#fallBehind();
    if (this.#behind.length === 0) this.#queue.push(candle);
    else this.#missed(key);
    this.#wake();
  }

  /** Looks again, after the store became readable. */
  poke(): void {
    this.#wake();
  }

  /** No more candles come; what waits is still given out. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Candle>> {
    const reading = this.#turn.then(() => this.#read());
    this.#turn = reading.catch(() => {});
    return reading;
  }

  async #read(): Promise<IteratorResult<Candle>> {
    while (!this.#finished) {
      const candle = this.#shift() ?? (await this.#catchUp());
      if (candle !== undefined) return { done: false, value: candle };
      const isWaitingForStore = this.#behind.length > 0 && this.#options.reader() === undefined;
      if (this.#behind.length > 0 && !isWaitingForStore) continue;
      if (this.#ended) this.#finish();
      else await this.#woken();
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Candle>> {
    this.#finish();
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#finish();
  }

  /** The queue is full: what is in it is in the store as well. */
  #fallBehind(): void {
    this.#dropped += this.#queue.length - this.#head;
    this.#queue = [];
    this.#head = 0;
    this.#behind = [...this.#wanted.values()].filter((series) => this.#position.has(seriesKey(series)));
  }

  /** A candle that came while others are being read: its series has to be read too, if it was done already. */
  #missed(key: string): void {
    this.#dropped += 1;
    const series = this.#wanted.get(key);
    if (series !== undefined && !this.#behind.includes(series)) this.#behind.push(series);
  }

  #shift(): Candle | undefined {
    while (this.#head < this.#queue.length) {
      const candle = this.#queue[this.#head]!;
      this.#head += 1;
      if (this.#head === this.#queue.length || this.#head > 1_000) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
      // Catching up may have given it out already.
      if (this.#advance(candle)) return candle;
    }
    return undefined;
  }

  /** Remembers a candle as given out; false when it was before. */
  #advance(candle: Candle): boolean {
    const key = seriesKey(candle);
    if (candle.openTime <= (this.#position.get(key) ?? Number.NEGATIVE_INFINITY)) return false;
    this.#position.set(key, candle.openTime);
    return true;
  }

  /** Fills the queue with a page of the first series that is behind. What is read to its end is live again. */
  async #catchUp(): Promise<Candle | undefined> {
    if (this.#behind.length === 0) return undefined;
    // Reading is synchronous: without a turn of the loop in between, years of candles would hold up a stop.
    await setImmediate();
    const series = this.#behind[0];
    if (series === undefined || this.#finished) return undefined;
    if (!this.#options.hasStore) {
      this.#finish();
      throw new ConsumerLaggedError(this.#dropped);
    }
    const reader = this.#options.reader();
    if (reader === undefined) return undefined;
    const after = this.#position.get(seriesKey(series)) ?? Number.NEGATIVE_INFINITY;
    let page: readonly Candle[];
    try {
      page = reader.read(series, after, PAGE_ROWS);
    } catch (error) {
      // Whoever gets an error from an iterator does not return it: nothing may be kept for it.
      this.#finish();
      throw error;
    }
    if (page.length < PAGE_ROWS) this.#behind.shift();
    if (this.#behind.length === 0) this.#dropped = 0;
    this.#queue = [...page];
    this.#head = 0;
    return this.#shift();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#ended = true;
    this.#queue = [];
    this.#head = 0;
    this.#options.onEnd();
    this.#wake();
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push({ resolve }));
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }
}
