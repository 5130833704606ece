import { type Interval, isInterval } from '../../../machines/model/interval.ts';
import { type Candle, type Series, sameShape, seriesKey } from '../../../machines/model/kline.ts';
import type { Watched } from '../options.ts';
import type { Bar, GapMark, SeriesNews, SeriesPicture } from '../protocol.ts';
import { GapBook } from './gap-book.ts';

/** Bars in a picture, the newest: more than a screen has columns for. */
const PICTURE_BARS_MAX = 2_000;
/** Bars in the news of somebody who has none yet. */
const FIRST_BARS = 100;
/** Changed bars of a series that are kept in mind until somebody asks. */
const CHANGES_MAX = 1_000;
/** Series of which changes are kept in mind. */
const FOLLOWED_MAX = 64;

/** News, and from where on the next are to be asked for. */
export interface NewsUntil {
  readonly news: SeriesNews;
  readonly until: number;
}

/** Changes of a series that somebody watches. Their numbers ascend over all series. */
interface Followed {
  readonly series: Series;
  /** Changes before this one are forgotten. */
  first: number;
  /** Number of the last change of a bar, by its open time. */
  readonly bars: Map<number, number>;
  forming: { bar: Omit<Bar, 'source'>; change: number } | undefined;
  gaps: number;
}

/** What the page shows of a series: bars in memory, the forming one, gaps; as a whole, or what is new. */
export class SeriesBook {
  readonly #collector: Watched;
  readonly #gaps: GapBook;
  readonly #followed = new Map<string, Followed>();
  readonly #subscriptions: (() => void)[];
  #change = 0;

  /** Listens from now on: of corrections and filled gaps before this, nothing is known. */
  constructor(collector: Watched) {
    this.#collector = collector;
    this.#gaps = new GapBook(collector);
    this.#subscriptions = [
      collector.on('candle', (candle) => this.#noteBar(candle, candle.openTime)),
      collector.on('revision', ({ after }) => {
        this.#gaps.revise(after, after.openTime);
        this.#noteBar(after, after.openTime);
      }),
      collector.on('gap', ({ symbol, interval, fromOpenTime, toOpenTime, reason, status }) => {
        const series = { symbol, interval };
        if (status === 'filled') {
          this.#gaps.fill(series, { fromOpenTime, toOpenTime, reason });
          for (const { openTime } of this.#held(series))
            if (openTime >= fromOpenTime && openTime <= toOpenTime) this.#noteBar(series, openTime);
        }
        const followed = this.#followed.get(seriesKey(series));
        if (followed !== undefined) followed.gaps = ++this.#change;
      }),
      // Gaps of earlier runs are known when the store has been opened.
      collector.on('state', () => {
        for (const followed of this.#followed.values()) followed.gaps = ++this.#change;
      }),
    ];
  }

  /** Undefined: no such series is collected. */
  picture(symbol: string, interval: string): SeriesPicture | undefined {
    if (!isInterval(interval)) return undefined;
    const candles = this.#candles(symbol, interval);
    if (candles === undefined) return undefined;
    const series = { symbol, interval };
    const forming = this.#forming(series);
    return {
      ...series,
      bars: this.#bars(series, candles.slice(-PICTURE_BARS_MAX)),
      ...(forming === undefined ? {} : { forming }),
      gaps: this.#gaps.gaps(series),
    };
  }

  /**
   * What has changed of a series (`BTCUSDT@1m`) since the `until` of the news before; undefined: nothing, or there is no
   * such series. Without `since`, the newest hundred bars, so that none is lost between a picture and the first news.
   * From the first asking on its changes are kept in mind, until {@link forget}.
   */
  newsOf(key: string, since?: number): NewsUntil | undefined {
    const followed = this.#followed.get(key) ?? this.#follow(key);
    if (followed === undefined) return undefined;
    const { series } = followed;
    this.#noteForming(followed);
    const from = since === undefined || since < followed.first ? undefined : since;
    const gaps: readonly GapMark[] | undefined =
      from === undefined || followed.gaps > from ? this.#gaps.gaps(series) : undefined;
    const bars = this.#changedBars(followed, from);
    const { forming } = followed;
    const isForming = forming !== undefined && (from === undefined || forming.change > from);
    if (from !== undefined && gaps === undefined && bars.length === 0 && !isForming) return undefined;
    return {
      news: {
        series: key,
        bars,
        ...(isForming ? { forming: forming.bar } : {}),
        ...(gaps === undefined ? {} : { gaps }),
      },
      until: this.#change,
    };
  }

  /** Nobody watches it any more. */
  forget(key: string): void {
    this.#followed.delete(key);
  }

  close(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#followed.clear();
  }

  #follow(key: string): Followed | undefined {
    const at = key.lastIndexOf('@');
    const [symbol, interval] = [key.slice(0, at), key.slice(at + 1)];
    if (!isInterval(interval) || this.#candles(symbol, interval) === undefined) return undefined;
    const followed: Followed = {
      series: { symbol, interval },
      first: this.#change,
      bars: new Map(),
      forming: undefined,
      gaps: this.#change,
    };
    this.#followed.set(key, followed);
    const [oldest] = this.#followed.keys();
    if (this.#followed.size > FOLLOWED_MAX && oldest !== undefined) this.#followed.delete(oldest);
    return followed;
  }

  #noteBar(series: Series, openTime: number): void {
    if (this.#followed.size === 0) return;
    const followed = this.#followed.get(seriesKey(series));
    if (followed === undefined) return;
    // Nobody has asked for long: whoever does is told of the newest bars.
    if (followed.bars.size >= CHANGES_MAX) {
      followed.bars.clear();
      followed.first = this.#change + 1;
    }
    followed.bars.set(openTime, ++this.#change);
  }

  /** It is read when somebody asks, so that no frame costs more for being watched. */
  #noteForming(followed: Followed): void {
    const bar = this.#forming(followed.series);
    const known = followed.forming?.bar;
    if (bar === undefined || (known !== undefined && isSame(bar, known))) return;
    followed.forming = { bar, change: ++this.#change };
  }

  #changedBars({ series, bars }: Followed, since: number | undefined): Bar[] {
    if (since === undefined) return this.#bars(series, this.#held(series).slice(-FIRST_BARS));
    const changed = [...bars].filter(([, change]) => change > since).map(([openTime]) => openTime);
    if (changed.length === 0) return [];
    const times = new Set(changed);
    return this.#bars(
      series,
      this.#held(series).filter(({ openTime }) => times.has(openTime)),
    );
  }

  #bars(series: Series, candles: readonly Candle[]): Bar[] {
    const revised = this.#gaps.revised(series);
    return candles.map(({ openTime, open, high, low, close, volume, source }) => ({
      openTime,
      open,
      high,
      low,
      close,
      volume,
      source,
      ...(revised.has(openTime) ? { revised: true } : {}),
    }));
  }

  #forming({ symbol, interval }: Series): Omit<Bar, 'source'> | undefined {
    const candle = this.#collector.getFormingCandle(symbol, interval);
    if (candle === undefined) return undefined;
    const { openTime, open, high, low, close, volume } = candle;
    return { openTime, open, high, low, close, volume };
  }

  #held({ symbol, interval }: Series): readonly Candle[] {
    return this.#candles(symbol, interval) ?? [];
  }

  /** Undefined: not collected. */
  #candles(symbol: string, interval: Interval): readonly Candle[] | undefined {
    try {
      return this.#collector.getCandleBuffer(symbol, interval);
    } catch {
      return undefined;
    }
  }
}

const isSame = (one: Omit<Bar, 'source'>, other: Omit<Bar, 'source'>): boolean =>
  one.openTime === other.openTime && sameShape(one, other);
