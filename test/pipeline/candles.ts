import { closeTimeOf, type Interval, nextOpenTime } from '../../machines/model/interval.ts';
import { type Candle, type Series, seriesKey } from '../../machines/model/kline.ts';
import type { Row } from '../../machines/model/row.ts';
import type { KlineFrame } from '../../src/binance/frame.ts';
import { decodeFrame } from '../../src/binance/frame.ts';
import { Delivery } from '../../src/pipeline/delivery.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { RowBuffer } from '../../src/pipeline/row-buffer.ts';
import { klineText } from '../support/kline-text.ts';

export const BTC: Series = { symbol: 'BTCUSDT', interval: '1m' };
export const ETH: Series = { symbol: 'ETHUSDT', interval: '1m' };
/** A round open time: 2023-11-14T22:13:00Z. */
export const T0 = 1_699_999_980_000;
export const MINUTE = 60_000;
/** Open time of the minute numbered `index`. */
export const at = (index: number): number => T0 + index * MINUTE;

/** The bar of a series that opens at `openTime`; its numbers tell which bar it is. */
export function bar(
  openTime: number,
  source: Candle['source'] = 'stream',
  series: Series = BTC,
  change: Partial<Candle> = {},
): Candle {
  const price = 100 + (Math.round(openTime / MINUTE) % 50);
  return {
    symbol: series.symbol,
    interval: series.interval,
    openTime,
    open: price,
    high: price + 1,
    low: price - 1,
    close: price + 0.5,
    volume: 2,
    closeTime: closeTimeOf(series.interval, openTime),
    quoteVolume: 2 * price,
    count: 3,
    takerBuyVolume: 1,
    takerBuyQuoteVolume: price,
    source,
    ...change,
  };
}

export interface FrameChange {
  readonly closed?: boolean;
  readonly series?: Series;
  readonly eventTime?: number;
  readonly k?: Record<string, unknown>;
}

/** A message with a bar, as it comes over a socket: written as the exchange writes it, unless it is changed. */
export function frameBytes(openTime: number, change: FrameChange = {}): Buffer {
  const { closed = true, series = BTC } = change;
  const candle = bar(openTime, 'stream', series);
  const E = change.eventTime ?? (closed ? candle.closeTime + 100 : openTime + 500);
  return Buffer.from(klineText(candle, { k: change.k, event: { E }, closed }));
}

/** A kline frame as the decoder makes it of a message. */
export function frame(openTime: number, change: FrameChange = {}): KlineFrame {
  const decoded = decodeFrame(frameBytes(openTime, change));
  if (decoded.kind !== 'kline') throw new Error(`not a kline frame: ${JSON.stringify(decoded)}`);
  return decoded;
}

/** `count` open times from `first` on. */
export function openTimes(interval: Interval, first: number, count: number): number[] {
  const times = [first];
  while (times.length < count) times.push(nextOpenTime(interval, times.at(-1)!));
  return times.slice(0, count);
}

/** A pipeline whose time is set by hand; its rows are read from the buffer. */
export function rig(options: { series?: readonly Series[]; rowsMax?: number; exchangeNow?: number } = {}) {
  const series = options.series ?? [BTC];
  const time = { exchange: options.exchangeNow ?? at(0) + 1_000, monotonic: 0 };
  const rows = new RowBuffer(options.rowsMax ?? 50_000);
  const delivery = new Delivery({ bufferSize: 10, queueSize: 10, hasStore: false, series });
  const silent: string[] = [];
  const odd: Record<string, unknown>[] = [];
  const again: Candle[] = [];
  const closes: { readonly openTime: number; readonly at: number }[] = [];
  const pipeline = new Pipeline(series, {
    rows,
    delivery,
    exchangeNow: () => time.exchange,
    now: () => time.monotonic,
    aheadMs: 5_000,
    graceMs: () => 5_000,
    silenceMs: 60_000,
    onSilent: (one) => silent.push(seriesKey(one)),
    onOddity: (message, fields) => odd.push({ message, ...fields }),
    onClose: ({ openTime }, time) => closes.push({ openTime, at: time }),
    onSecondClose: (candle) => again.push(candle),
  });
  const taken: Row[] = [];
  /** Everything that has come out, oldest first. */
  const out = (): readonly Row[] => {
    for (let batch = rows.batch(); batch.length > 0; batch = rows.batch()) {
      taken.push(...batch);
      rows.drop(batch.length);
    }
    return taken;
  };
  /** The same, short: a bar's number, or `from–to` of a gap. */
  const story = (): (number | string)[] =>
    out().map((row) => ('gap' in row ? gapText(row.gap) : indexOf(row)));
  const edges: string[] = [];
  const cursor = pipeline.cursor(series[0]!)!;
  cursor.onEdge = (event) => edges.push(event.type);
  return { time, rows, delivery, pipeline, cursor, edges, out, story, silent, odd, again, closes };
}

const minute = (openTime: number): number => (openTime - T0) / MINUTE;
const indexOf = (row: Row): number => minute(candleOf(row).openTime);

/** The bar of a row that must have one. */
export function candleOf(row: Row): Candle {
  if ('candle' in row) return row.candle;
  throw new Error(`no bar: ${JSON.stringify(row)}`);
}

const gapText = (gap: { fromOpenTime: number; toOpenTime: number }): string =>
  `${minute(gap.fromOpenTime)}–${minute(gap.toOpenTime)}`;
