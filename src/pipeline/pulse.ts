import type { Candle, Series } from '../../machines/model/kline.ts';
import type { KlineFrame } from '../binance/frame.ts';

/** Up to which trade a series was known at some moment: the `count`-th of the bar of `series` that opens then. */
export interface Witness {
  readonly series: Series;
  readonly openTime: number;
  /** Infinity when it is not known how many there were: then only later bars tell of new ones. */
  readonly count: number;
  /** Exchange ms of that moment. */
  readonly asOf: number;
}

/** So many bars with trades in a row that only REST told of, and the stream is doubted. */
const UNSEEN_MAX = 2;

/** So many frames in a row that can't be understood, and the series is given up waiting for. */
const REJECTED_MAX = 20;

/**
 * The signs of life of one stream. A frame costs one store: what it means is found out by the look through all
 * streams, four times a second.
 */
export class Pulse {
  readonly #series: Series;
  /** The newest frame. */
  frame: KlineFrame | undefined;
  /** Silence or garbage was told: the next frame that can be understood is news. */
  isInDoubt = false;
  #seen: KlineFrame | undefined;
  #seenAt = Number.NaN;
  #reading: Witness | undefined;
  #readingAfter: KlineFrame | undefined;
  #unseen = 0;
  #rejected = 0;
  #rejectedAfter: KlineFrame | undefined;

  constructor(series: Series) {
    this.#series = series;
  }

  /** Which look saw the newest frame first, monotonic ms; -Infinity before any did. */
  get seenAt(): number {
    return Number.isNaN(this.#seenAt) ? Number.NEGATIVE_INFINITY : this.#seenAt;
  }

  /** Whether no frame has come for `silenceMs` after there were some; true once for each silence. */
  isSilent(now: number, silenceMs: number): boolean {
    if (this.frame !== this.#seen) {
      this.#seen = this.frame;
      this.#seenAt = now;
      return false;
    }
    if (this.isInDoubt || !(now - this.#seenAt >= silenceMs)) return false;
    this.isInDoubt = true;
    return true;
  }

  /** REST had a closed bar. True when it and the one before had trades of which no frame told: the stream is mute. */
  isBetrayedBy(candle: Candle): boolean {
    const isUnseen = candle.count > 0 && this.frame !== undefined && this.frame.openTime < candle.openTime;
    this.#unseen = isUnseen ? this.#unseen + 1 : 0;
    if (this.isInDoubt || this.#unseen < UNSEEN_MAX) return false;
    this.isInDoubt = true;
    return true;
  }

  /** A frame of this stream could not be understood. True when that makes it garbled, once in a row of them. */
  reject(): boolean {
    if (this.frame !== this.#rejectedAfter) this.#rejected = 0;
    this.#rejectedAfter = this.frame;
    this.#rejected += 1;
    if (this.#rejected !== REJECTED_MAX) return false;
    this.isInDoubt = true;
    return true;
  }

  /** The last that is known of its trades: by a frame, or by a later reading of REST. */
  get witness(): Witness | undefined {
    const { frame } = this;
    if (this.#reading !== undefined && this.#readingAfter === frame) return this.#reading;
    if (frame === undefined) return undefined;
    const count = frame.fields['n'];
    return {
      series: this.#series,
      openTime: frame.openTime,
      count: typeof count === 'number' ? count : Number.POSITIVE_INFINITY,
      asOf: frame.eventTime,
    };
  }

  /** REST has been asked how far its trades are. */
  noteReading(reading: Witness): void {
    this.#reading = reading;
    this.#readingAfter = this.frame;
  }
}

/** Whether there were trades after what is known, by bars of the same series. */
export const hasTraded = (since: Witness | undefined, bars: readonly Candle[]): boolean =>
  bars.some((bar) => {
    if (since !== undefined && bar.openTime < since.openTime) return false;
    return bar.count > (bar.openTime === since?.openTime ? since.count : 0);
  });
