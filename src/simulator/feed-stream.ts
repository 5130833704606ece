import { nextOpenTime, openTimeAt, previousOpenTime } from '../../machines/model/interval.ts';
import type { KnownStream } from './frames.ts';
import { emptyUnits, reset, type Units } from './units.ts';

/** Who gets frames. `cork` and `uncork` frame the frames of one tick, so that they leave in one write. */
export interface Sink {
  /** Number of the socket. */
  readonly number: number;
  cork(): void;
  uncork(): void;
  /** One event; `data` bare, `combined` in its envelope. */
  frame(data: string, combined: string): void;
}

/** A subscribed stream and where it stands. */
export interface Stream extends KnownStream {
  readonly sinks: Set<Sink>;
  openTime: number;
  endTime: number;
  /** When the x:true frame goes out, exchange ms. */
  closeDue: number;
  /** Sum of the bar's base bars before `summedTo`. */
  readonly sum: Units;
  summedTo: number;
  /** Nothing is sent before the first change after the subscription. */
  primed: boolean;
  sentCount: number;
  sentVolume: number;
  lastFrameAt: number;
  /** Its x:true frame went out before its end, as a fault has it. */
  isOver: boolean;
  /** Closes that a fault holds back. */
  held: { readonly dueAt: number; readonly event: string }[];
  /** A close that a fault holds back until the next one is out. */
  swapped: string | undefined;
}

/** A stream at the bar of `now`, or at the one before while its close has not gone out yet. */
export function startStream(known: KnownStream, now: number, closeLatenessMs: number): Stream {
  const stream: Stream = {
    ...known,
    sinks: new Set(),
    openTime: 0,
    endTime: 0,
    closeDue: 0,
    sum: emptyUnits(),
    summedTo: 0,
    primed: false,
    sentCount: 0,
    sentVolume: 0,
    lastFrameAt: -Infinity,
    isOver: false,
    held: [],
    swapped: undefined,
  };
  const current = openTimeAt(known.interval, now);
  enterBar(stream, previousOpenTime(known.interval, current), closeLatenessMs);
  if (stream.closeDue <= now) enterBar(stream, current, closeLatenessMs);
  return stream;
}

/** Moves the stream to the bar at `openTime`, or to the next one that exists; then its end is known. */
export function enterBar(stream: Stream, openTime: number, closeLatenessMs: number): void {
  const { source, interval } = stream;
  const next = source.nextOpen(openTime);
  const first = next === Infinity && source.echo !== undefined ? openTime : next;
  stream.openTime = first === Infinity ? Infinity : openTimeAt(interval, first);
  stream.endTime = first === Infinity ? Infinity : nextOpenTime(interval, stream.openTime);
  stream.closeDue = closeDueOf(stream, closeLatenessMs);
  reset(stream.sum);
  stream.summedTo = stream.openTime;
  stream.sentCount = stream.sentVolume = 0;
  stream.isOver = false;
}

/** Looks again where a stream stands, because bars came or went that have not begun yet. */
export function reenter(stream: Stream, now: number, closeLatenessMs: number): void {
  if (stream.openTime > now) enterBar(stream, openTimeAt(stream.interval, now), closeLatenessMs);
  else stream.closeDue = closeDueOf(stream, closeLatenessMs);
}

function closeDueOf({ source, endTime }: Stream, closeLatenessMs: number): number {
  if (endTime === Infinity) return Infinity;
  const late = endTime + closeLatenessMs;
  return Math.min(late, source.tradeBetween(endTime, late));
}
