/** What the inspector knows of a series: the bars in memory, and what is new of them. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { SeriesBook } from '../../src/inspector/detail/series.ts';
import type { Watched as Inspected } from '../../src/inspector/options.ts';
import type { Bar, SeriesNews } from '../../src/inspector/protocol.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { collectFrom, newStore, ofSeries, startExchange, type Watched } from '../support/collector.ts';
import { fastClock } from '../support/fast-clock.ts';
import { until } from '../support/wait.ts';

const BTC = 'BTCUSDT';
const KEY = 'BTCUSDT@1m';
const KLINES = '/fapi/v1/klines';

/** Time-outs that do not fire, though they pass many times as fast. */
const PATIENT = {
  openTimeoutMs: 400_000,
  ackTimeoutMs: 400_000,
  pongTimeoutMs: 400_000,
  silenceMs: 400_000,
};

interface Scene extends Watched {
  readonly exchange: SimulatedExchange;
  readonly book: SeriesBook;
}

async function scene(timeScale = 600): Promise<Scene> {
  const exchange = await startExchange({ timeScale });
  const watched = collectFrom(exchange, { symbols: [BTC] });
  return { ...watched, exchange, book: opened(watched) };
}

function opened({ collector }: Watched): SeriesBook {
  const book = new SeriesBook(collector);
  onTestFinished(() => book.close());
  return book;
}

/** Somebody who keeps bars by what is told alone, as the page does. */
class Reader {
  readonly bars = new Map<number, Bar>();
  readonly told: SeriesNews[] = [];
  gaps: SeriesNews['gaps'] = [];
  #since: number | undefined;
  readonly #book: SeriesBook;

  constructor(book: SeriesBook) {
    this.#book = book;
  }

  read(): SeriesNews | undefined {
    const answer = this.#book.newsOf(KEY, this.#since);
    if (answer === undefined) return undefined;
    this.#since = answer.until;
    for (const bar of answer.news.bars) this.bars.set(bar.openTime, bar);
    this.gaps = answer.news.gaps ?? this.gaps;
    this.told.push(answer.news);
    return answer.news;
  }

  held(): Bar[] {
    return [...this.bars.values()].sort((one, other) => one.openTime - other.openTime);
  }
}

describe('a picture of a series', () => {
  test('has the bars in memory with their sources, and the one that forms', async () => {
    const { collector, candles, book } = await scene();
    await collector.startStreaming();
    await until('bars', () => candles.length > 3);
    await until('a forming bar', () => collector.getFormingCandle(BTC, '1m') !== undefined);
    const picture = book.picture(BTC, '1m');
    expect(picture).toMatchObject({ symbol: BTC, interval: '1m', gaps: [] });
    const held = ofSeries(collector.getCandleBuffer(BTC, '1m'), BTC);
    const { openTime, open, high, low, close, volume, source } = held[0]!;
    expect(picture?.bars[0]).toEqual({ openTime, open, high, low, close, volume, source });
    expect(picture?.bars).toHaveLength(held.length);
    expect(picture?.forming?.openTime).toBeGreaterThan(held.at(-1)!.openTime);
    expect(picture?.forming).not.toHaveProperty('source');
  });

  test('of a series that is not collected there is none, and no news', async () => {
    const { collector, book } = await scene();
    await collector.startStreaming();
    expect(book.picture('DOGEUSDT', '1m')).toBeUndefined();
    expect(book.picture(BTC, '5m')).toBeUndefined();
    expect(book.picture(BTC, '1minute')).toBeUndefined();
    expect(book.newsOf('DOGEUSDT@1m')).toBeUndefined();
    expect(book.newsOf('nonsense')).toBeUndefined();
  });
});

describe('news of a series', () => {
  test('begin with the newest bars, and go on with each bar that closes, once', async () => {
    const { collector, candles, book } = await scene();
    await collector.startStreaming();
    await until('bars', () => candles.length > 1);
    const reader = new Reader(book);
    await until('more bars', () => {
      reader.read();
      return candles.length > 6;
    });
    await collector.stop();
    reader.read();
    expect(reader.held().map((bar) => bar.openTime)).toEqual(candles.map((candle) => candle.openTime));
    const told = reader.told.flatMap(({ bars }) => bars.map((bar) => bar.openTime));
    expect(told).toEqual([...new Set(told)]);
    expect(reader.told.some(({ forming }) => forming !== undefined)).toBe(true);
  });

  test('are none when nothing has changed, and then nothing is copied', async () => {
    const { collector, candles, book } = await scene();
    await collector.startStreaming();
    await until('bars', () => candles.length > 1);
    await collector.stop();
    const reader = new Reader(book);
    reader.read();
    const copy = collector.getCandleBuffer;
    collector.getCandleBuffer = () => {
      throw new Error('copied');
    };
    expect(reader.read()).toBeUndefined();
    collector.getCandleBuffer = copy;
  });

  test('go to several who began at different times, to each what it lacks', async () => {
    const { collector, candles, book } = await scene();
    await collector.startStreaming();
    const [early, late] = [new Reader(book), new Reader(book)];
    await until('bars', () => early.read() !== undefined && candles.length > 2);
    late.read();
    await until('more', () => early.read() !== undefined && candles.length > 4);
    await collector.stop();
    early.read();
    late.read();
    expect(late.held()).toEqual(early.held());
    expect(late.held()).toHaveLength(candles.length);
  });

  test('of a thousand changes that nobody asked for are the newest bars', () => {
    const bars = Array.from({ length: 1_500 }, (_, index) => ({
      symbol: BTC,
      interval: '1m',
      openTime: index,
    }));
    let tell: (bar: object) => void = () => {};
    const collected = {
      getCandleBuffer: () => bars,
      getFormingCandle: () => undefined,
      getOpenGaps: () => [],
      on: (event: string, listener: (bar: object) => void) => {
        if (event === 'candle') tell = listener;
        return () => {};
      },
    };
    const book = new SeriesBook(collected as unknown as Inspected);
    const first = book.newsOf(KEY);
    for (const bar of bars) tell(bar);
    const next = book.newsOf(KEY, first?.until);
    expect(next?.news.bars.map((bar) => bar.openTime)).toEqual(bars.slice(-100).map((bar) => bar.openTime));
    expect(book.newsOf(KEY, next?.until)).toBeUndefined();
  });

  test('tell of a bar that the exchange has corrected, and mark it as revised', async () => {
    const { collector, candles, revisions, exchange, book } = await scene();
    await collector.startStreaming();
    await until('bars', () => candles.length > 2);
    const reader = new Reader(book);
    reader.read();
    exchange.inject({ kind: 'revise', symbol: BTC, interval: '1m', openTime: candles[0]!.openTime });
    await until('the revision', () => revisions.length > 0);
    const { openTime, close } = revisions[0]!.after;
    const news = reader.read();
    expect(news?.bars.find((bar) => bar.openTime === openTime)).toMatchObject({ close, revised: true });
    expect(book.picture(BTC, '1m')?.bars.filter((bar) => bar.revised)).toHaveLength(revisions.length);
  });

  test('tell of a gap, and of its bars when they turn up late', async () => {
    const clock = fastClock(40);
    const exchange = await startExchange({ timeScale: 20, clock });
    const watched = collectFrom(exchange, {
      store: newStore(),
      clock,
      symbols: [BTC],
      connectTimeoutMs: 'never',
      timing: PATIENT,
    });
    const { collector, candles, gaps } = watched;
    const book = opened(watched);
    await collector.startStreaming();
    await until('a bar', () => candles.length > 0);
    const reader = new Reader(book);
    reader.read();
    exchange.inject({ kind: 'closes', mode: 'omit', times: 2 });
    exchange.inject({ kind: 'rest', path: KLINES, body: [] });
    await until('the gap', () => gaps.length > 0);
    exchange.clearFaults();
    const { fromOpenTime, toOpenTime, reason } = gaps[0]!;
    expect(reader.read()?.gaps).toContainEqual({ fromOpenTime, toOpenTime, reason, status: 'open' });
    expect(reader.bars.has(fromOpenTime)).toBe(false);
    await until('it is filled', () => {
      reader.read();
      return gaps.some((gap) => gap.status === 'filled');
    });
    await collector.stop();
    reader.read();
    expect(reader.gaps?.map((gap) => gap.status)).not.toContain('open');
    expect(reader.gaps?.[0]).toMatchObject({ fromOpenTime, reason, status: 'filled' });
    expect(reader.bars.get(fromOpenTime)).toMatchObject({ source: 'rest' });
    expect(reader.held()).toEqual(book.picture(BTC, '1m')?.bars);
  });
});
