/** Kline frames of many streams, made beforehand as the bytes that a server writes, and the bars that they tell of. */
import { type Interval, nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import { klineEvent } from '../../src/simulator/frames.ts';
import type { WireBar } from '../../src/simulator/units.ts';
import { textFrame } from '../support/raw-server.ts';

const MINUTE = 60_000;
const PIECE_BYTES = 65_536;

/** Every symbol has every interval, and every stream a frame at each tick. */
export interface Plan {
  readonly symbols: readonly string[];
  readonly intervals: readonly Interval[];
  /** Exchange time at which all begins, ms: the start of a minute. */
  readonly begin: number;
  /** A collector believes stamps that are an hour ahead of its own idea of the time, and no more. */
  readonly minutes: number;
  readonly framesPerMinute: number;
}

export interface Stream {
  /** As it is subscribed. */
  readonly name: string;
  readonly symbol: string;
  readonly interval: Interval;
  /** Of its symbol, from 0. */
  readonly number: number;
}

export const streamsOf = ({ symbols, intervals }: Plan): Stream[] =>
  symbols.flatMap((symbol, number) =>
    intervals.map((interval) => ({
      name: `${symbol.toLowerCase()}@kline_${interval}`,
      ...{ symbol, interval, number },
    })),
  );

/** Frames of `minutes` minutes. */
export const framesOf = (plan: Plan, minutes = plan.minutes): number =>
  plan.symbols.length * plan.intervals.length * minutes * plan.framesPerMinute;

/** Open times of the bars of a stream that close in the first `minutes` minutes. */
export function closesOf(plan: Plan, interval: Interval, minutes = plan.minutes): number[] {
  const end = plan.begin + minutes * MINUTE;
  const openTimes: number[] = [];
  let openTime = openTimeAt(interval, plan.begin);
  for (let next = nextOpenTime(interval, openTime); next <= end; next = nextOpenTime(interval, next)) {
    openTimes.push(openTime);
    openTime = next;
  }
  return openTimes;
}

/** How many bars close. */
export const barsOf = (plan: Plan, minutes = plan.minutes): number =>
  plan.symbols.length *
  plan.intervals.reduce((sum, interval) => sum + closesOf(plan, interval, minutes).length, 0);

/** Prices of contracts differ in size and in how many places they have. */
const SCALES = [
  { factor: 640, places: 2 },
  { factor: 1, places: 4 },
  { factor: 0.004, places: 7 },
] as const;

/** What a bar looks like when so much of it is over, 0 to 1. */
export function barAt({ number, interval }: Stream, openTime: number, part = 1): WireBar {
  const { factor, places } = SCALES[number % SCALES.length] as (typeof SCALES)[number];
  const base = 100 + (number % 50) + ((openTime / MINUTE) % 30) / 10;
  const price = (value: number): string => (value * factor).toFixed(places);
  const share = (value: number, decimals: number): string => (value * part).toFixed(decimals);
  const count = Math.ceil(321 * part);
  return {
    openTime,
    closeTime: nextOpenTime(interval, openTime) - 1,
    open: price(base),
    high: price(base + part),
    low: price(base - part / 2),
    close: price(base + part / 3),
    volume: share(1234.567 + number, 3),
    quoteVolume: share(123456.78901 + number, 5),
    count,
    takerBuyVolume: share(617.283, 3),
    takerBuyQuoteVolume: share(61728.3945, 5),
    firstTradeId: 7_946_184_667,
    lastTradeId: 7_946_184_666 + count,
  };
}

/** The exchange's own frames have a blank after the commas of `k` on one of its networks, and none on the other. */
const withBlanks = (event: string): string => {
  const at = event.indexOf('"k":');
  return event.slice(0, at) + event.slice(at).replaceAll(',"', ', "');
};

/** The frame of a stream that says what is true of it at an exchange time: the end of a bar belongs to the bar. */
export function frameText(stream: Stream, time: number): string {
  const { name, symbol, interval, number } = stream;
  const openTime = openTimeAt(interval, time - 1);
  const end = nextOpenTime(interval, openTime);
  const isClosed = time === end;
  const bar = barAt(stream, openTime, (time - openTime) / (end - openTime));
  const event = klineEvent(symbol, interval, bar, isClosed, isClosed ? time + 7 : time);
  return `{"stream":"${name}","data":${number % 2 === 0 ? event : withBlanks(event)}}`;
}

/** All frames of a plan, tick after tick, as bytes of a WebSocket. */
export class Frames {
  readonly streams: readonly Stream[];
  readonly #plan: Plan;
  readonly #bytes: Buffer;
  /** Where each begins, and the last ends. */
  readonly #at: Uint32Array;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.streams = streamsOf(plan);
    const count = framesOf(plan);
    this.#at = new Uint32Array(count + 1);
    const pieces: Buffer[] = [];
    let [index, end] = [0, 0];
    for (let tick = 1; index < count; tick++)
      for (const stream of this.streams) {
        const frame = textFrame(frameText(stream, this.timeOf(tick)));
        pieces.push(frame);
        end += frame.length;
        this.#at[++index] = end;
      }
    this.#bytes = Buffer.concat(pieces);
  }

  /** Exchange time of a tick, ms; ticks count from 1. */
  timeOf(tick: number): number {
    return this.#plan.begin + Math.round((tick * MINUTE) / this.#plan.framesPerMinute);
  }

  /** Frames of the streams of these numbers, ascending, of all minutes in [from, to), in pieces that end with a frame. */
  *pieces(
    numbers: readonly number[],
    from: number,
    to: number,
  ): Generator<{ readonly bytes: Buffer; readonly time: number }> {
    const runs = runsOf(numbers);
    let piece: Buffer[] = [];
    let size = 0;
    const last = to * this.#plan.framesPerMinute;
    for (let tick = from * this.#plan.framesPerMinute + 1; tick <= last; tick++) {
      const first = (tick - 1) * this.streams.length;
      for (const [start, end] of runs) {
        const part = this.#bytes.subarray(this.#at[first + start], this.#at[first + end]);
        piece.push(part);
        size += part.length;
      }
      if (size < PIECE_BYTES && tick < last) continue;
      yield {
        bytes: piece.length === 1 ? (piece[0] as Buffer) : Buffer.concat(piece),
        time: this.timeOf(tick),
      };
      piece = [];
      size = 0;
    }
  }
}

/** What lies together is sent together: ranges [start, end) of ascending numbers. */
function runsOf(numbers: readonly number[]): (readonly [number, number])[] {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === number) last[1] = number + 1;
    else runs.push([number, number + 1]);
  }
  return runs;
}

/** The rows of `/klines` of a stream from `from` on that have opened by `now`. */
export function klineRows(stream: Stream, from: number, now: number, limit: number): unknown[] {
  const rows: unknown[] = [];
  const { interval } = stream;
  let openTime = openTimeAt(interval, from);
  if (openTime < from) openTime = nextOpenTime(interval, openTime);
  for (; openTime <= now && rows.length < limit; openTime = nextOpenTime(interval, openTime)) {
    const end = nextOpenTime(interval, openTime);
    const bar = barAt(stream, openTime, Math.min(1, (now - openTime) / (end - openTime)));
    rows.push([
      ...[bar.openTime, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.closeTime],
      ...[bar.quoteVolume, bar.count, bar.takerBuyVolume, bar.takerBuyQuoteVolume, '0'],
    ]);
  }
  return rows;
}
