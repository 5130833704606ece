/** Candles that look like a market's, with everything that a chart has to show: three sources, a gap, a correction. */
import {
  closeTimeOf,
  type Interval,
  nextOpenTime,
  openTimeAt,
  previousOpenTime,
} from '../../machines/model/interval.ts';
import { type Candle, type CandleSource, type Series, seriesKey } from '../../machines/model/kline.ts';
import type { Gap } from '../../machines/model/row.ts';
import { seeded } from '../support/seeded.ts';

const numberOf = (text: string): number =>
  [...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7);
const cents = (value: number): number => Math.round(value * 100) / 100;

/** One series: bars that have closed, one that is forming, a gap among them. */
export class CrowdCandles {
  readonly series: Series;
  readonly bars: Candle[] = [];
  readonly gaps: Gap[] = [];
  forming: Candle;
  readonly #random: () => number;

  /** The first half is of the archive, a little of REST, the others of the stream; three bars are lacking. */
  constructor(series: Series, count: number, endTime: number) {
    this.series = series;
    this.#random = seeded(numberOf(seriesKey(series)));
    let openTime = openTimeAt(series.interval, endTime);
    for (let bar = 0; bar < count; bar++) openTime = previousOpenTime(series.interval, openTime);
    this.forming = this.#next(openTime, cents(20 + 5_000 * this.#random()));
    const hole = Math.floor(count * 0.8);
    for (let bar = 0; bar < count; bar++) {
      const share = bar / count;
      if (bar === hole && count > 10) this.lack(3);
      else if (bar < hole || bar > hole + 2 || count <= 10)
        this.close(share < 0.5 ? 'vision' : share < 0.6 ? 'rest' : 'stream');
    }
  }

  /** Another trade or two. */
  trade(): Candle {
    const { open, high, low, volume, count } = this.forming;
    const close = cents(Math.max(0.01, this.forming.close * (1 + (this.#random() - 0.5) * 0.004)));
    const more = cents(10 * this.#random());
    this.forming = {
      ...this.forming,
      close,
      high: Math.max(high, close, open),
      low: Math.min(low, close, open),
      volume: cents(volume + more),
      quoteVolume: cents((volume + more) * close),
      count: count + 2,
    };
    return this.forming;
  }

  /** The forming bar closes, and the next one begins. */
  close(source: CandleSource): Candle {
    for (let trade = 0; trade < 8; trade++) this.trade();
    const closed = { ...this.forming, source };
    this.bars.push(closed);
    this.forming = this.#next(nextOpenTime(this.series.interval, closed.openTime), closed.close);
    return closed;
  }

  /** The exchange has no bars for a while. */
  lack(count: number, reason = 'the exchange has no such bar'): Gap {
    const fromOpenTime = this.forming.openTime;
    let toOpenTime = fromOpenTime;
    for (let bar = 1; bar < count; bar++) toOpenTime = nextOpenTime(this.series.interval, toOpenTime);
    const gap = { ...this.series, fromOpenTime, toOpenTime, reason, detectedAt: toOpenTime + 30_000 };
    this.gaps.push(gap);
    this.forming = this.#next(nextOpenTime(this.series.interval, toOpenTime), this.forming.close);
    return gap;
  }

  /** Bars of the oldest gap turn up. Undefined: there is none. */
  fill(): Gap | undefined {
    const gap = this.gaps.shift();
    if (gap === undefined) return undefined;
    const at = this.bars.findIndex((bar) => bar.openTime > gap.toOpenTime);
    const found: Candle[] = [];
    let price = this.bars[at - 1]?.close ?? this.forming.open;
    for (
      let openTime = gap.fromOpenTime;
      openTime <= gap.toOpenTime;
      openTime = nextOpenTime(this.series.interval, openTime)
    ) {
      const close = cents(price * (1 + (this.#random() - 0.5) * 0.004));
      const [high, low] = [Math.max(price, close), Math.min(price, close)];
      found.push({ ...this.#next(openTime, price), close, high, low, volume: 5, count: 3, source: 'rest' });
      price = close;
    }
    this.bars.splice(at === -1 ? this.bars.length : at, 0, ...found);
    return gap;
  }

  /** The exchange corrects the last bar. */
  revise(): { before: Candle; after: Candle } {
    const before = this.bars.at(-1)!;
    const after: Candle = { ...before, high: cents(before.high * 1.001), source: 'rest' };
    this.bars[this.bars.length - 1] = after;
    return { before, after };
  }

  #next(openTime: number, price: number): Candle {
    const { symbol, interval }: { symbol: string; interval: Interval } = this.series;
    return {
      symbol,
      interval,
      openTime,
      open: price,
      high: price,
      low: price,
      close: price,
      volume: 0,
      closeTime: closeTimeOf(interval, openTime),
      quoteVolume: 0,
      count: 0,
      takerBuyVolume: 0,
      takerBuyQuoteVolume: 0,
      source: 'stream',
    };
  }
}
