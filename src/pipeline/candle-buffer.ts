import type { Candle } from '../../machines/model/kline.ts';

/** The newest closed candles of one series, bounded; the oldest leaves for the newest. */
export class CandleBuffer {
  readonly #capacity: number;
  #candles: Candle[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return Math.min(this.#candles.length, this.#capacity);
  }

  push(candle: Candle): void {
    this.#candles.push(candle);
    this.#trim();
  }

  /** The bar that opens then, if it is still held. */
  find(openTime: number): Candle | undefined {
    const at = this.#indexFrom(openTime);
    return this.#candles[at]?.openTime === openTime ? this.#candles[at] : undefined;
  }

  /** Puts a corrected bar where the old one is. Without that one nothing happens. */
  correct(candle: Candle): void {
    const at = this.#indexFrom(candle.openTime);
    if (this.#candles[at]?.openTime === candle.openTime) this.#candles[at] = candle;
  }

  /** Puts a bar that came late where it belongs; one older than all that is held is left out. */
  insert(candle: Candle): void {
    const at = this.#indexFrom(candle.openTime);
    if (at === 0 || this.#candles[at]?.openTime === candle.openTime) return;
    this.#candles.splice(at, 0, candle);
    this.#trim();
  }

  /** A copy, oldest first. */
  toArray(): readonly Candle[] {
    return this.#candles.slice(-this.#capacity);
  }

  /** Trimmed in bulk: shifting a full array at every bar would move it every time. */
  #trim(): void {
    if (this.#candles.length >= 2 * this.#capacity) this.#candles = this.#candles.slice(-this.#capacity);
  }

  /** Index of the first bar that opens at or after a time. What is asked for is mostly new. */
  #indexFrom(openTime: number): number {
    let at = this.#candles.length;
    while (at > 0 && this.#candles[at - 1]!.openTime >= openTime) at -= 1;
    return at;
  }
}
