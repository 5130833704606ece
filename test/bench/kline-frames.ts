/** Kline frames of many streams, made beforehand as the bytes that a server writes. */
import { nextOpenTime } from '../../machines/model/interval.ts';
import { klineEvent } from '../../src/simulator/frames.ts';
import type { WireBar } from '../../src/simulator/units.ts';
import { textFrame } from '../support/raw-server.ts';

const INTERVAL = '1m';
/** Exchange time at which all begins, ms: the start of a minute. */
export const FRAMES_BEGIN = Date.UTC(2026, 0, 5, 12);

export interface Plan {
  readonly symbols: readonly string[];
  /** Of each symbol; a collector believes stamps that are an hour ahead of its own idea of the time, and no more. */
  readonly bars: number;
  /** Of each bar; the last one closes it. */
  readonly framesPerBar: number;
}

export const framesOf = ({ symbols, bars, framesPerBar }: Plan): number =>
  symbols.length * bars * framesPerBar;
export const barsOf = ({ symbols, bars }: Plan): number => symbols.length * bars;

/** What a bar looks like when it is over; a forming one has its values too, which is nobody's concern here. */
function barAt(number: number, openTime: number): WireBar {
  const base = 100 + (number % 50) + ((openTime / 60_000) % 30) / 10;
  const [open, close] = [base.toFixed(2), (base + 0.5).toFixed(2)];
  return {
    openTime,
    closeTime: nextOpenTime(INTERVAL, openTime) - 1,
    open,
    high: (base + 1).toFixed(2),
    low: (base - 1).toFixed(2),
    close,
    volume: '1234.567',
    quoteVolume: '123456.78901',
    count: 321,
    takerBuyVolume: '617.283',
    takerBuyQuoteVolume: '61728.39450',
    firstTradeId: 1_000,
    lastTradeId: 1_320,
  };
}

export const streamOf = (symbol: string): string => `${symbol.toLowerCase()}@kline_${INTERVAL}`;

/** A frame of a symbol's bar, as text. */
export function frameText(
  symbols: readonly string[],
  number: number,
  openTime: number,
  part: number,
): string {
  const symbol = symbols[number] as string;
  const bar = barAt(number, openTime);
  const isClosed = part >= 1;
  const stamp = isClosed ? bar.closeTime + 8 : openTime + Math.floor(part * 60_000);
  const event = klineEvent(symbol, INTERVAL, bar, isClosed, stamp);
  return `{"stream":"${streamOf(symbol)}","data":${event}}`;
}

/** All frames in order of time, in pieces of 64 KiB or so. */
export function* pieces({ symbols, bars, framesPerBar }: Plan): Generator<Buffer> {
  let piece: Buffer[] = [];
  let bytes = 0;
  for (let bar = 0; bar < bars; bar++)
    for (let part = 1; part <= framesPerBar; part++)
      for (let number = 0; number < symbols.length; number++) {
        const openTime = FRAMES_BEGIN + bar * 60_000;
        const frame = textFrame(frameText(symbols, number, openTime, part / framesPerBar));
        piece.push(frame);
        bytes += frame.length;
        if (bytes < 65_536) continue;
        yield Buffer.concat(piece);
        piece = [];
        bytes = 0;
      }
  if (piece.length > 0) yield Buffer.concat(piece);
}

/** The rows of `/klines` of a symbol from `from` on that have opened by `now`. */
export function klineRows(number: number, from: number, now: number, limit: number): unknown[] {
  const rows: unknown[] = [];
  for (let openTime = from; openTime <= now && rows.length < limit; openTime += 60_000) {
    const { closeTime, open, high, low, close, volume, quoteVolume, count, ...taker } = barAt(
      number,
      openTime,
    );
    const { takerBuyVolume, takerBuyQuoteVolume } = taker;
    rows.push([
      ...[openTime, open, high, low, close, volume, closeTime, quoteVolume, count],
      ...[takerBuyVolume, takerBuyQuoteVolume, '0'],
    ]);
  }
  return rows;
}
