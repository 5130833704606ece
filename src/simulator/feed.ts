import { openTimeAt } from '../../machines/model/interval.ts';
import type { Clock, Timer } from '../ports.ts';
import type { FaultOf } from './fault-shapes.ts';
import { type FaultBoard, meansStream } from './faults.ts';
import { Closer } from './feed-closes.ts';
import { enterBar, reenter, type Sink, type Stream, startStream } from './feed-stream.ts';
import { type KnownStream, klineEvent } from './frames.ts';
import type { Market } from './market.ts';
import type { Mutes } from './mutes.ts';
import type { BarSource } from './source.ts';
import { append, emptyUnits, reset, setFlat, toWire, type Units } from './units.ts';

export interface FeedOptions {
  readonly market: Market;
  readonly clock: Clock;
  readonly now: () => number;
  readonly timeScale: number;
  readonly faults: FaultBoard;
  readonly mutes: Mutes;
  /** Exchange ms after the end of a bar at which it closes by itself. */
  readonly closeLatenessMs: number;
  /** Exchange ms between two frames of a stream, at least. */
  readonly updateMs: number;
}

interface Group {
  readonly source: BarSource;
  readonly streams: Map<string, Stream>;
  wakeAt: number;
}

/** Shortest time between two ticks, wall ms. */
const TICK_MS = 20;
/** Wall ms of one tick that may go into first sums of large bars; the rest waits for the next tick. */
const PRIMING_MS = 15;
/** How far the next trade is looked for, exchange ms. */
const LOOK_AHEAD_MS = 3_600_000;

/**
 * The publisher: turns the market into frames as exchange time passes. Works by symbol, so the forming base
 * bar is made once for all intervals. However late its timer comes, each bar gets its close, in order.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #groups = new Map<string, Group>();
  readonly #corked = new Set<Sink>();
  readonly #base = emptyUnits();
  readonly #total = emptyUnits();
  readonly #closer: Closer;
  #timer: Timer | undefined;
  #timerDue = Infinity;
  #lastTick = -Infinity;
  #primingMs = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#closer = new Closer(options.market, options.faults, (stream, event) => this.#send(stream, event));
  }

  subscribe(known: KnownStream, sink: Sink): void {
    const symbol = known.source.info.symbol;
    let group = this.#groups.get(symbol);
    if (!group) {
      group = { source: known.source, streams: new Map(), wakeAt: 0 };
      this.#groups.set(symbol, group);
    }
    let stream = group.streams.get(known.name);
    if (!stream) {
      stream = startStream(known, this.#options.now(), this.#options.closeLatenessMs);
      group.streams.set(known.name, stream);
      group.wakeAt = 0;
    }
    stream.sinks.add(sink);
    this.#schedule();
  }

  unsubscribe(known: KnownStream, sink: Sink): void {
    const group = this.#groups.get(known.source.info.symbol);
    const stream = group?.streams.get(known.name);
    if (!group || !stream) return;
    stream.sinks.delete(sink);
    if (stream.sinks.size > 0) return;
    group.streams.delete(known.name);
    if (group.streams.size === 0) this.#groups.delete(known.source.info.symbol);
  }

  /** Names of all streams that somebody gets. */
  streams(): string[] {
    return Array.from(this.#groups.values(), (group) => [...group.streams.keys()])
      .flat()
      .sort();
  }

  /** Looks at everything again: a fault of closes came. */
  stir(): void {
    for (const group of this.#groups.values()) group.wakeAt = 0;
    this.#schedule();
  }

  /** Looks at the bars of a symbol again, or of all. */
  refresh(symbol?: string): void {
    const now = this.#options.now();
    for (const [name, group] of this.#groups) {
      if (symbol !== undefined && name !== symbol) continue;
      for (const stream of group.streams.values()) reenter(stream, now, this.#options.closeLatenessMs);
    }
    this.stir();
  }

  /** Sends the last closed frames of the streams again. */
  replay(fault: FaultOf<'replay'>): void {
    const now = this.#options.now();
    for (const group of this.#groups.values()) {
      for (const stream of group.streams.values()) {
        if (meansStream(fault, stream.name)) this.#closer.replay(stream, fault.bars, now);
      }
    }
    this.#uncork();
  }

  close(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#groups.clear();
  }

  #schedule(): void {
    const { clock, now, timeScale } = this.#options;
    let wake = Infinity;
    for (const group of this.#groups.values()) if (group.wakeAt < wake) wake = group.wakeAt;
    if (wake === Infinity && this.#groups.size === 0) return;
    const spacing = this.#lastTick + TICK_MS - clock.now();
    const delay = Math.ceil(Math.max(spacing, (wake - now()) / timeScale, 0));
    const due = clock.now() + delay;
    if (this.#timer !== undefined) {
      if (due >= this.#timerDue) return;
      clock.clearTimeout(this.#timer);
    }
    this.#timerDue = due;
    this.#timer = clock.setTimeout(() => this.#tick(), delay);
  }

  #tick(): void {
    this.#timer = undefined;
    this.#timerDue = Infinity;
    const { clock } = this.#options;
    this.#lastTick = clock.now();
    this.#primingMs = 0;
    const now = this.#options.now();
    for (const group of this.#groups.values()) {
      if (group.wakeAt <= now) this.#publish(group, now);
    }
    this.#uncork();
    if (this.#groups.size > 0) this.#schedule();
  }

  #uncork(): void {
    for (const sink of this.#corked) sink.uncork();
    this.#corked.clear();
  }

  /** Everything that is due for one symbol. */
  #publish(group: Group, now: number): void {
    const { source } = group;
    const baseOpen = openTimeAt(source.baseInterval, now);
    if (!source.readForming(baseOpen, now, this.#base)) reset(this.#base);
    let wake = source.tradeBetween(now + 1, now + LOOK_AHEAD_MS);
    if (wake === Infinity) wake = now + LOOK_AHEAD_MS;
    for (const stream of group.streams.values()) {
      wake = Math.min(wake, this.#advance(stream, baseOpen, now));
    }
    group.wakeAt = wake;
  }

  /** Sends what is due on one stream; returns when it must be looked at again, trades apart. */
  #advance(stream: Stream, baseOpen: number, now: number): number {
    const { clock } = this.#options;
    this.#closer.release(stream, now);
    if (!stream.primed) {
      // The first sum of a month is 44,640 minutes: hundreds of them at once would stall the closes of others.
      if (this.#primingMs > PRIMING_MS) return now;
      const began = clock.now();
      stream.primed = true;
      const total = this.#sum(stream, Math.min(baseOpen, stream.endTime));
      if (now < stream.endTime) append(total, this.#base);
      stream.sentCount = total.count;
      stream.sentVolume = total.volume;
      this.#primingMs += clock.now() - began;
    }
    while (now >= stream.closeDue) {
      const final = this.#sum(stream, stream.endTime);
      const { echo } = stream.source;
      if (final.bars === 0 && echo !== undefined) setFlat(final, echo);
      if (final.bars > 0 && !stream.isOver) this.#closer.close(stream, final, now);
      enterBar(stream, stream.endTime, this.#options.closeLatenessMs);
    }
    const heldUntil = stream.held[0]?.dueAt ?? Infinity;
    const due = Math.min(stream.closeDue, heldUntil);
    if (stream.isOver || now < stream.openTime || now >= stream.endTime) return due;
    const total = this.#sum(stream, baseOpen);
    append(total, this.#base);
    const wake = Math.min(due, this.#closer.early(stream, total, now));
    if (stream.isOver) return due;
    if (total.bars === 0 || (total.count === stream.sentCount && total.volume === stream.sentVolume))
      return wake;
    const allowedAt = stream.lastFrameAt + this.#options.updateMs;
    if (now < allowedAt) return Math.min(wake, allowedAt);
    stream.sentCount = total.count;
    stream.sentVolume = total.volume;
    stream.lastFrameAt = now;
    const bar = toWire(total, stream.source.scale, stream.interval, stream.openTime);
    this.#send(stream, klineEvent(stream.source.info.symbol, stream.interval, bar, false, now));
    return wake;
  }

  /** Sum of the stream's bar over base bars before `to`; the result is shared and may be changed. */
  #sum(stream: Stream, to: number): Units {
    if (to > stream.summedTo) {
      this.#options.market.add(stream.source, stream.summedTo, to, stream.sum);
      stream.summedTo = to;
    }
    return Object.assign(this.#total, stream.sum);
  }

  #send(stream: Stream, event: string): void {
    const isMuted = this.#options.mutes.of(stream.name);
    const combined = `{"stream":"${stream.name}","data":${event}}`;
    for (const sink of stream.sinks) {
      if (isMuted?.(sink.number)) continue;
      if (!this.#corked.has(sink)) {
        sink.cork();
        this.#corked.add(sink);
      }
      sink.frame(event, combined);
    }
  }
}
