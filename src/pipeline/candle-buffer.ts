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
    // Trimmed in bulk: shifting a full array at every bar would move it every time.
    if (this.#candles.length >= 2 * this.#capacity) this.#candles = this.#candles.slice(-this.#capacity);
  }

  /** A copy, oldest first. */
  toArray(): readonly Candle[] {
    return this.#candles.slice(-this.#capacity);
  }
}
