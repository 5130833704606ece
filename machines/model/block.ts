/** Bars by the thousand: one column of numbers for each field, all of them in one buffer that threads can hand over. */
import type { Candle, CandleSource, Series } from './kline.ts';

/** The numbers of a bar, in the order of the archive's columns. */
export const BLOCK_FIELDS = [
  'openTime',
  'open',
  'high',
  'low',
  'close',
  'volume',
  'closeTime',
  'quoteVolume',
  'count',
  'takerBuyVolume',
  'takerBuyQuoteVolume',
] as const;

export type BlockField = (typeof BLOCK_FIELDS)[number];
export type Columns = { readonly [Field in BlockField]: Float64Array };

/** Bars of one series from one source. What is said of their order is said by who makes the block. */
export interface CandleBlock extends Series {
  readonly source: CandleSource;
  /** How many there are; columns may be longer. */
  readonly rows: number;
  /** Views of one buffer: `columns.openTime.buffer` is all there is to hand over. */
  readonly columns: Columns;
}

/** Columns for so many bars, all zero. */
export function newColumns(rows: number): Columns {
  const all = new Float64Array(rows * BLOCK_FIELDS.length);
  const columns: Partial<Record<BlockField, Float64Array>> = {};
  for (const [index, field] of BLOCK_FIELDS.entries())
    columns[field] = all.subarray(index * rows, (index + 1) * rows);
  return columns as Columns;
}

/** The bar at `index`. */
export function candleAt({ symbol, interval, source, columns }: CandleBlock, index: number): Candle {
  return {
    symbol,
    interval,
    openTime: columns.openTime[index] as number,
    open: columns.open[index] as number,
    high: columns.high[index] as number,
    low: columns.low[index] as number,
    close: columns.close[index] as number,
    volume: columns.volume[index] as number,
    closeTime: columns.closeTime[index] as number,
    quoteVolume: columns.quoteVolume[index] as number,
    count: columns.count[index] as number,
    takerBuyVolume: columns.takerBuyVolume[index] as number,
    takerBuyQuoteVolume: columns.takerBuyQuoteVolume[index] as number,
    source,
  };
}

/** All bars of a block, one after the other. */
export function* candlesIn(block: CandleBlock): Generator<Candle, void, undefined> {
  for (let index = 0; index < block.rows; index++) yield candleAt(block, index);
}

/** The bars as a block; they are of one series and one source. */
export function blockOf(series: Series, source: CandleSource, candles: readonly Candle[]): CandleBlock {
  const columns = newColumns(candles.length);
  for (const [index, candle] of candles.entries())
    for (const field of BLOCK_FIELDS) columns[field][index] = candle[field];
  const { symbol, interval } = series;
  return { symbol, interval, source, rows: candles.length, columns };
}

/** The bars from `from` (inclusive) to `to` (exclusive), by index; the same memory. */
export function partOf(block: CandleBlock, from: number, to: number): CandleBlock {
  const columns: Partial<Record<BlockField, Float64Array>> = {};
  for (const field of BLOCK_FIELDS) columns[field] = block.columns[field].subarray(from, to);
  return { ...block, rows: Math.max(0, to - from), columns: columns as Columns };
}

/** Index of the first bar that opens at or after `openTime`, in a block that ascends. */
export function indexAt({ rows, columns: { openTime: times } }: CandleBlock, openTime: number): number {
  let [low, high] = [0, rows];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < openTime) low = middle + 1;
    else high = middle;
  }
  return low;
}
