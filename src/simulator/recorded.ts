import { type Interval, nextOpenTime } from '../../machines/model/interval.ts';
import type { BarSource } from './source.ts';
import { describeSymbol } from './symbols.ts';
import { type Scale, setFlat, type Units, type WireBar } from './units.ts';

/** Archive columns, see `docs/simulator.md`. */
const OPEN = 1;
const HIGH = 2;
const LOW = 3;
const CLOSE = 4;
const VOLUME = 5;
const QUOTE = 7;
const COUNT = 8;
const TAKER_VOLUME = 9;
const TAKER_QUOTE = 10;
const NUMBERS = [OPEN, HIGH, LOW, CLOSE, VOLUME, QUOTE, COUNT, TAKER_VOLUME, TAKER_QUOTE] as const;

/** Steps in which a recorded bar is grown while it forms. */
const STEPS = 12;
const FIRST_ID = 1_000_000_000;

const decimalsOf = (text: string): number => {
  const dot = text.indexOf('.');
  return dot === -1 ? 0 : text.length - dot - 1;
};

/** Bars of one symbol from recorded rows: `times` ascending, `rows` the CSV line of each. */
export function recordedSource(
  symbol: string,
  interval: Interval,
  times: Float64Array,
  rows: ReadonlyMap<number, string>,
): BarSource {
  const baseMs = nextOpenTime(interval, 0);
  const lines = Array.from(times, (time) => rows.get(time) as string);
  const { scale, columns } = parseColumns(symbol, lines);
  const col = (column: number, row: number): number => (columns[column] as Float64Array)[row] as number;
  const ids = new Float64Array(lines.length + 1);
  ids[0] = FIRST_ID;
  for (let i = 0; i < lines.length; i++) ids[i + 1] = (ids[i] as number) + col(COUNT, i);

  /** Index of the first row at or after `time`. */
  const lowerBound = (time: number): number => {
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((times[middle] as number) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const rowAt = (time: number): number => {
    const row = lowerBound(time);
    return times[row] === time ? row : -1;
  };
  const stepsIn = (row: number): number => Math.min(STEPS, col(COUNT, row));
  const stepTime = (row: number, step: number): number =>
    (times[row] as number) + Math.floor(((step + 0.4) * baseMs) / stepsIn(row));

  const readRow = (row: number, out: Units): void => {
    setFlat(out, col(CLOSE, row));
    out.open = col(OPEN, row);
    out.high = col(HIGH, row);
    out.low = col(LOW, row);
    out.volume = col(VOLUME, row);
    out.quote = col(QUOTE, row);
    out.takerVolume = col(TAKER_VOLUME, row);
    out.takerQuote = col(TAKER_QUOTE, row);
    out.count = col(COUNT, row);
    if (out.count === 0) return;
    out.firstId = ids[row] as number;
    out.lastId = (ids[row + 1] as number) - 1;
  };

  return {
    info: describeSymbol(symbol, scale, times[0] as number),
    scale,
    baseInterval: interval,
    baseMs,
    read(openTime, out) {
      const row = rowAt(openTime);
      if (row === -1) return false;
      readRow(row, out);
      return true;
    },
    readForming(openTime, at, out) {
      const row = rowAt(openTime);
      if (row === -1) return false;
      const steps = stepsIn(row);
      let done = 0;
      while (done < steps && stepTime(row, done) <= at) done++;
      if (done === steps) readRow(row, out);
      else if (done === 0) setFlat(out, row > 0 ? col(CLOSE, row - 1) : col(OPEN, row));
      else grow(done / steps, done, ids[row] as number, (column) => col(column, row), out);
      return true;
    },
    tradeBetween(from, until) {
      const first = lowerBound(from - baseMs + 1);
      for (let row = first; row < times.length && (times[row] as number) < until; row++) {
        const steps = stepsIn(row);
        for (let step = 0; step < steps; step++) {
          const time = stepTime(row, step);
          if (time >= until) return Infinity;
          if (time >= from) return time;
        }
      }
      return Infinity;
    },
    nextOpen: (time) => times[lowerBound(time)] ?? Infinity,
    previousOpen: (time) => times[lowerBound(time + 1) - 1] ?? -Infinity,
    verbatim(openTime) {
      const row = rowAt(openTime);
      if (row === -1) return undefined;
      return wireOf((lines[row] as string).split(','), ids[row] as number, openTime + baseMs - 1);
    },
  };
}

/**
 * A recorded bar when `share` of it is done: the price goes from the open over both extremes to the
 * close (a rising bar falls first), amounts grow evenly.
 */
function grow(
  share: number,
  done: number,
  firstId: number,
  col: (column: number) => number,
  out: Units,
): void {
  const open = col(OPEN);
  const close = col(CLOSE);
  const [first, second] = close >= open ? [col(LOW), col(HIGH)] : [col(HIGH), col(LOW)];
  setFlat(out, open);
  const path = (from: number, to: number, part: number): number => Math.round(from + (to - from) * part);
  const touch = (price: number): void => {
    out.high = Math.max(out.high, price);
    out.low = Math.min(out.low, price);
    out.close = price;
  };
  if (done > 1) {
    if (share >= 1 / 3) touch(first);
    if (share >= 2 / 3) touch(second);
    if (share < 1 / 3) touch(path(open, first, share * 3));
    else if (share < 2 / 3) touch(path(first, second, share * 3 - 1));
    else touch(path(second, close, share * 3 - 2));
  }
  const part = (column: number): number => Math.floor(col(column) * share);
  out.volume = part(VOLUME);
  out.quote = part(QUOTE);
  out.takerVolume = part(TAKER_VOLUME);
  out.takerQuote = part(TAKER_QUOTE);
  out.count = Math.max(1, part(COUNT));
  out.firstId = firstId;
  out.lastId = firstId + out.count - 1;
}

/** All numbers as integers of one scale per kind, the finest that the recording has. */
function parseColumns(symbol: string, lines: readonly string[]): { scale: Scale; columns: Float64Array[] } {
  const fields = lines.map((line) => line.split(','));
  let price = 0;
  let volume = 0;
  let quote = 0;
  for (const row of fields) {
    if (row.length < 11) throw new Error(`replay: ${symbol}: a row has ${row.length} fields, not 12: ${row}`);
    for (let i = OPEN; i <= CLOSE; i++) price = Math.max(price, decimalsOf(row[i] as string));
    volume = Math.max(volume, decimalsOf(row[VOLUME] as string), decimalsOf(row[TAKER_VOLUME] as string));
    quote = Math.max(quote, decimalsOf(row[QUOTE] as string), decimalsOf(row[TAKER_QUOTE] as string));
  }
  const factorOf = (column: number): number => {
    if (column <= CLOSE) return 10 ** price;
    if (column === COUNT) return 1;
    return 10 ** (column === VOLUME || column === TAKER_VOLUME ? volume : quote);
  };
  const columns: Float64Array[] = [];
  for (const column of NUMBERS) {
    const factor = factorOf(column);
    columns[column] = Float64Array.from(fields, (row) => Math.round(Number(row[column]) * factor));
    const bad = columns[column].findIndex((value) => !Number.isSafeInteger(value));
    if (bad !== -1) throw new Error(`replay: ${symbol}: not a number in column ${column}: ${lines[bad]}`);
  }
  const scale: Scale = {
    priceDecimals: price,
    pricePad: '',
    volumeDecimals: volume,
    quoteDecimals: quote,
    quotePad: '',
  };
  return { scale, columns };
}

function wireOf(fields: readonly string[], firstId: number, closeTime: number): WireBar {
  const text = (column: number): string => fields[column] as string;
  const count = Number(text(COUNT));
  return {
    openTime: Number(fields[0]),
    closeTime,
    open: text(OPEN),
    high: text(HIGH),
    low: text(LOW),
    close: text(CLOSE),
    volume: text(VOLUME),
    quoteVolume: text(QUOTE),
    takerBuyVolume: text(TAKER_VOLUME),
    takerBuyQuoteVolume: text(TAKER_QUOTE),
    count,
    firstTradeId: count === 0 ? -1 : firstId,
    lastTradeId: count === 0 ? -1 : firstId + count - 1,
  };
}
