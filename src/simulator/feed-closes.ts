import { openTimeAt } from '../../machines/model/interval.ts';
import { altered, insane } from './alteration.ts';
import { type FaultBoard, meansStream } from './faults.ts';
import type { Stream } from './feed-stream.ts';
import { klineEvent } from './frames.ts';
import type { Market } from './market.ts';
import { toWire, type Units } from './units.ts';

/** How late, or how early, a close is unless a fault says so; exchange ms. */
const DELAY_MS = 30_000;

/** Sends the x:true frames, as the faults of closes have them. */
export class Closer {
  readonly #market: Market;
  readonly #faults: FaultBoard;
  readonly #send: (stream: Stream, event: string) => void;

  constructor(market: Market, faults: FaultBoard, send: (stream: Stream, event: string) => void) {
    this.#market = market;
    this.#faults = faults;
    this.#send = send;
  }

  /** The bar of the stream is over. */
  close(stream: Stream, final: Units, now: number): void {
    const { source, interval, openTime } = stream;
    const bar = this.#market.wire(source, interval, openTime, final);
    const event = klineEvent(source.info.symbol, interval, bar, true, now);
    const swapped = stream.swapped;
    if (swapped !== undefined) {
      stream.swapped = undefined;
      this.#send(stream, event);
      this.#send(stream, sentAt(swapped, now));
      stream.lastFrameAt = now;
      return;
    }
    const fault = this.#faults.take('closes', (it) => it.mode !== 'early' && meansStream(it, stream.name));
    for (const sent of this.#spoilt(stream, final, event, now, fault)) {
      this.#send(stream, sent);
      stream.lastFrameAt = now;
    }
  }

  /** Closes a bar before its end if a fault has it so; when to ask again, exchange ms. */
  early(stream: Stream, total: Units, now: number): number {
    const fault = this.#faults.find('closes', (it) => it.mode === 'early' && meansStream(it, stream.name));
    if (fault === undefined) return Infinity;
    const earlyMs = fault.delayMs ?? DELAY_MS;
    const dueAt = stream.endTime - earlyMs;
    if (now < dueAt || total.bars === 0) return dueAt > now ? dueAt : Infinity;
    // The machine was busy: hardly early any more, it would be a close like any other. The next bar's is.
    if (now > stream.endTime - earlyMs / 2) return Infinity;
    this.#faults.take('closes', (it) => it === fault);
    stream.isOver = true;
    stream.lastFrameAt = now;
    this.#send(stream, this.#eventOf(stream, total, now));
    return Infinity;
  }

  /** Sends the closes that were held back until now. */
  release(stream: Stream, now: number): void {
    while (stream.held[0] !== undefined && stream.held[0].dueAt <= now) {
      const held = stream.held.shift();
      if (held) this.#send(stream, sentAt(held.event, now));
    }
  }

  /** Sends the last closed bars before the stream's present one again, oldest first. */
  replay(stream: Stream, bars: number, now: number): void {
    const { source, interval } = stream;
    const events: string[] = [];
    let before = Math.min(stream.openTime, openTimeAt(interval, now));
    while (events.length < bars) {
      const last = source.previousOpen(before - 1);
      if (last === -Infinity) break;
      before = openTimeAt(interval, last);
      const bar = this.#market.barAsStreamed(source, interval, before);
      if (bar) events.push(klineEvent(source.info.symbol, interval, bar, true, now));
    }
    for (const event of events.reverse()) this.#send(stream, event);
  }

  /** The frames that go out now for a close; held back ones wait in the stream. */
  #spoilt(
    stream: Stream,
    final: Units,
    event: string,
    now: number,
    fault: { readonly mode: string; readonly delayMs?: number | undefined } | undefined,
  ): string[] {
    switch (fault?.mode) {
      case 'omit':
        return [];
      case 'delay':
        stream.held.push({ dueAt: now + (fault.delayMs ?? DELAY_MS), event });
        stream.held.sort((a, b) => a.dueAt - b.dueAt);
        return [];
      case 'swap':
        stream.swapped = event;
        return [];
      case 'duplicate':
        return [event, event];
      case 'alter':
        return [this.#eventOf(stream, altered(final), now)];
      case 'conflict':
        return [this.#eventOf(stream, altered(final), now), event];
      case 'insane':
        return [this.#eventOf(stream, insane(final), now)];
      default:
        return [event];
    }
  }

  #eventOf({ source, interval, openTime }: Stream, units: Units, now: number): string {
    const bar = toWire(units, source.scale, interval, openTime);
    return klineEvent(source.info.symbol, interval, bar, true, now);
  }
}

/** The event, sent later: `E` is the time of sending, everything else stays as it was at the close. */
const sentAt = (event: string, now: number): string => event.replace(/"E":\d+/u, `"E":${now}`);
