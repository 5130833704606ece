import { nextOpenTime, openTimeAt, previousOpenTime } from '../../machines/model/interval.ts';
import type { KnownStream } from './frames.ts';
import { emptyUnits, reset, type Units } from './units.ts';

/** Who gets frames. `cork` and `uncork` frame the frames of one tick, so that they leave in one write. */
export interface Sink {
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
  /** Closes that a fault holds back. */
  held: { readonly dueAt: number; readonly event: string }[];
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
    held: [],
  };
  const current = openTimeAt(known.interval, now);
  enterBar(stream, previousOpenTime(known.interval, current), closeLatenessMs);
  if (stream.closeDue <= now) enterBar(stream, current, closeLatenessMs);
  return stream;
}

/** Moves the stream to the bar at `openTime`, or to the next one that exists; then its end is known. */
export function enterBar(stream: Stream, openTime: number, closeLatenessMs: number): void {
  const { source, interval } = stream;
  const first = source.nextOpen(openTime);
  stream.openTime = stream.endTime = stream.closeDue = Infinity;
  if (first !== Infinity) {
    stream.openTime = openTimeAt(interval, first);
    stream.endTime = nextOpenTime(interval, stream.openTime);
    const late = stream.endTime + closeLatenessMs;
    stream.closeDue = Math.min(late, source.tradeBetween(stream.endTime, late));
  }
  reset(stream.sum);
  stream.summedTo = stream.openTime;
  stream.sentCount = stream.sentVolume = 0;
}
