import type { Candle, Series } from '../../machines/model/kline.ts';
import { candleOf, type KlineFrame } from '../binance/frame.ts';
import type { FramePattern } from '../binance/frame-pattern.ts';
import type { KlineReader } from '../binance/kline-bytes.ts';

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
 * The signs of life of one stream. A frame costs a few stores: what it means is found out by the look through all
 * streams, four times a second.
 */
export class Pulse {
  readonly #series: Series;
  /** Frames that have come: which one is the newest. */
  frames = 0;
  /** Of the newest frame, ms; NaN before any. */
  openTime = Number.NaN;
  eventTime = Number.NaN;
  /** Its trades; Infinity when it does not say. */
  count = Number.NaN;
  /** Whether it closed its bar. */
  closed = true;
  /** The newest frame of a forming bar: where it is kept, or what was parsed of it. */
  #kept: FramePattern<unknown> | undefined;
  #parsed: KlineFrame | undefined;
  /** Silence or garbage was told: the next frame that can be understood is news. */
  isInDoubt = false;
  #seen = 0;
  #seenAt = Number.NaN;
  #reading: Witness | undefined;
  #readingAfter = 0;
  #unseen = 0;
  #rejected = 0;
  #rejectedAfter = 0;

  constructor(series: Series) {
    this.#series = series;
  }

  /** A frame has come. What of it is needed later is kept: its bytes are part of a piece that the socket read. */
  note(reader: KlineReader<unknown>): void {
    this.frames += 1;
    this.openTime = reader.openTime;
    this.eventTime = reader.eventTime;
    this.count = reader.count;
    this.closed = reader.closed;
    if (reader.closed) return;
    this.#parsed = reader.parsed;
    if (reader.parsed !== undefined) return;
    this.#kept = reader.keep();
  }

  /** The bar of the newest frame when it has not closed it; undefined also where a field of it is not sound. */
  get forming(): Candle | undefined {
    if (this.closed) return undefined;
    if (this.#parsed !== undefined) return candleOf(this.#parsed);
    const { openTime, eventTime, closed } = this;
    const fields = this.#kept?.fields ?? {};
    return candleOf({ kind: 'kline', ...this.#series, openTime, eventTime, closed, fields });
  }

  /** Which look saw the newest frame first, monotonic ms; -Infinity before any did. */
  get seenAt(): number {
    return Number.isNaN(this.#seenAt) ? Number.NEGATIVE_INFINITY : this.#seenAt;
  }

  /** Whether no frame has come for `silenceMs` after there were some; true once for each silence. */
  isSilent(now: number, silenceMs: number): boolean {
    if (this.frames !== this.#seen) {
      this.#seen = this.frames;
      this.#seenAt = now;
      return false;
    }
    if (this.isInDoubt || !(now - this.#seenAt >= silenceMs)) return false;
    this.isInDoubt = true;
    return true;
  }

  /** REST had a closed bar. True when it and the one before had trades of which no frame told: the stream is mute. */
  isBetrayedBy(candle: Candle): boolean {
    const isUnseen = candle.count > 0 && this.openTime < candle.openTime;
    this.#unseen = isUnseen ? this.#unseen + 1 : 0;
    if (this.isInDoubt || this.#unseen < UNSEEN_MAX) return false;
    this.isInDoubt = true;
    return true;
  }

  /** A frame of this stream could not be understood. True when that makes it garbled, once in a row of them. */
  reject(): boolean {
    if (this.frames !== this.#rejectedAfter) this.#rejected = 0;
    this.#rejectedAfter = this.frames;
    this.#rejected += 1;
    if (this.#rejected !== REJECTED_MAX) return false;
    this.isInDoubt = true;
    return true;
  }

  /** The last that is known of its trades: by a frame, or by a later reading of REST. */
  get witness(): Witness | undefined {
    if (this.#reading !== undefined && this.#readingAfter === this.frames) return this.#reading;
    if (this.frames === 0) return undefined;
    const { openTime, count, eventTime: asOf } = this;
    return { series: this.#series, openTime, count, asOf };
  }

  /** REST has been asked how far its trades are. */
  noteReading(reading: Witness): void {
    this.#reading = reading;
    this.#readingAfter = this.frames;
  }
}

/** Whether there were trades after what is known, by bars of the same series. */
export const hasTraded = (since: Witness | undefined, bars: readonly Candle[]): boolean =>
  bars.some((bar) => {
    if (since !== undefined && bar.openTime < since.openTime) return false;
    return bar.count > (bar.openTime === since?.openTime ? since.count : 0);
  });
