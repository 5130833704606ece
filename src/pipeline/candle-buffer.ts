import type { Candle, Series } from '../../machines/model/kline.ts';

const SOURCES: readonly Candle['source'][] = ['stream', 'rest', 'vision'];
/** Numbers of a candle: ten of its own, the time of its close, and where it is from. */
const FIELDS = 12;
/** Candles for which room is made at first; most intervals of most runs close less often. */
const ROOM_MIN = 2;
/** Of a series that has closed no bar yet. */
const NOTHING = new Float64Array(0);

/**
 * The newest closed candles of one series, bounded; the oldest leaves for the newest. They are kept as numbers, 96 bytes
 * each where an object takes three times that: of ten thousand series with some hundred candles each this is what a collector's
 * memory is. Objects are made for who asks.
 */
export class CandleBuffer {
  readonly #series: Series;
  readonly #capacity: number;
  /** A ring of `#room` candles, the oldest at `#first`. */
  #numbers = NOTHING;
  #room = 0;
  #first = 0;
  #size = 0;

  constructor(series: Series, capacity: number) {
    this.#series = series;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#size;
  }

  push(candle: Candle): void {
    if (this.#size === this.#capacity) {
      this.#first = (this.#first + 1) % this.#room;
      this.#size -= 1;
    } else if (this.#size === this.#room) this.#grow();
    this.#size += 1;
    this.#write(this.#size - 1, candle);
  }

  /** The bar that opens then, if it is still held. */
  find(openTime: number): Candle | undefined {
    const index = this.#indexFrom(openTime);
    return this.#openTimeAt(index) === openTime ? this.#read(index) : undefined;
  }

  /** Puts a corrected bar where the old one is. Without that one nothing happens. */
  correct(candle: Candle): void {
    const index = this.#indexFrom(candle.openTime);
    if (this.#openTimeAt(index) === candle.openTime) this.#write(index, candle);
  }

  /** Puts a bar that came late where it belongs; one older than all that is held is left out. */
  insert(candle: Candle): void {
    const index = this.#indexFrom(candle.openTime);
    if (index === 0 || this.#openTimeAt(index) === candle.openTime) return;
    const later = this.toArray().slice(index);
    // A full ring loses its oldest by the last of these, as if all had come in time.
    this.#size = index;
    for (const one of [candle, ...later]) this.push(one);
  }

  /** Oldest first: candles of the caller's own. */
  toArray(): readonly Candle[] {
    return Array.from({ length: this.#size }, (_, index) => this.#read(index));
  }

  /** Up to the capacity, and none has left before that: the oldest is still the first. */
  #grow(): void {
    this.#room = Math.min(this.#capacity, Math.max(ROOM_MIN, 2 * this.#room));
    const numbers = new Float64Array(this.#room * FIELDS);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
  }

  #at(index: number): number {
    return ((this.#first + index) % this.#room) * FIELDS;
  }

  #openTimeAt(index: number): number | undefined {
    return index < this.#size ? this.#numbers[this.#at(index)] : undefined;
  }

  /** Index of the first bar that opens at or after a time. What is asked for is mostly new. */
  #indexFrom(openTime: number): number {
    let index = this.#size;
    while (index > 0 && this.#openTimeAt(index - 1)! >= openTime) index -= 1;
    return index;
  }

  #write(index: number, candle: Candle): void {
    const numbers = this.#numbers;
    let at = this.#at(index);
    numbers[at++] = candle.openTime;
    numbers[at++] = candle.open;
    numbers[at++] = candle.high;
    numbers[at++] = candle.low;
    numbers[at++] = candle.close;
    numbers[at++] = candle.volume;
    numbers[at++] = candle.closeTime;
    numbers[at++] = candle.quoteVolume;
    numbers[at++] = candle.count;
    numbers[at++] = candle.takerBuyVolume;
    numbers[at++] = candle.takerBuyQuoteVolume;
    numbers[at] = SOURCES.indexOf(candle.source);
  }

  #read(index: number): Candle {
    const numbers = this.#numbers;
    const at = this.#at(index);
    return Object.freeze({
      symbol: this.#series.symbol,
      interval: this.#series.interval,
      openTime: numbers[at]!,
      open: numbers[at + 1]!,
      high: numbers[at + 2]!,
      low: numbers[at + 3]!,
      close: numbers[at + 4]!,
      volume: numbers[at + 5]!,
      closeTime: numbers[at + 6]!,
      quoteVolume: numbers[at + 7]!,
      count: numbers[at + 8]!,
      takerBuyVolume: numbers[at + 9]!,
      takerBuyQuoteVolume: numbers[at + 10]!,
      source: SOURCES[numbers[at + 11]!]!,
    });
  }
}
