import { isAligned, nextOpenTime, openTimeAt, previousOpenTime } from '../../machines/model/interval.ts';
import { type Candle, type Series, seriesKey } from '../../machines/model/kline.ts';
import { hasEnded, insanity, misplacement } from '../../machines/model/ledger.ts';
import { candleOf, type KlineFrame } from '../binance/frame.ts';
import { LIMITS } from '../binance/venue.ts';
import { Cursor } from './cursor.ts';
import type { Delivery } from './delivery.ts';
import type { RowBuffer } from './row-buffer.ts';

/** What has come in and what became of it. Monotonic over the life of a collector. */
export interface Counters {
  /** Messages of every kind. */
  frames: number;
  /** Kline frames of our series. */
  klines: number;
  /** Events of another type. */
  ignored: number;
  /** Kline frames of a series that nobody asked for. */
  foreign: number;
  malformed: number;
  /** Closed bars that were held already. */
  duplicates: number;
  /** Closed bars, and first frames of a series, that can't be what they claim. */
  insane: number;
  /** Closed bars turned away because the rows that wait for the store are at their bound; fetched later. */
  refused: number;
  /** Closed bars passed on, by source. */
  closedByStream: number;
  closedByRest: number;
  gaps: number;
}

const noCounts = (): Counters => ({
  frames: 0,
  klines: 0,
  ignored: 0,
  foreign: 0,
  malformed: 0,
  duplicates: 0,
  insane: 0,
  refused: 0,
  closedByStream: 0,
  closedByRest: 0,
  gaps: 0,
});

export interface PipelineOptions {
  readonly rows: RowBuffer;
  readonly delivery: Delivery;
  /** The exchange's time, ms. */
  readonly exchangeNow: () => number;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Bars may be this far ahead of our idea of the exchange's time, exchange ms. */
  readonly aheadMs: number;
  /** How long after its end the close of a bar is owed, exchange ms. */
  readonly graceMs: number;
  /** A series from which no frame ever came starts all the same, by REST. */
  readonly onSilent: (series: Series) => void;
}

/** A series without a first frame is given up waiting for after this, wall ms. */
const START_SILENT_MS = 30_000;

/**
 * A first frame may be this much older than the bar before the current one, exchange ms. A series that starts a
 * little early only has a few more bars to fetch; one that starts years early would fetch years.
 */
const START_BEHIND_MS = 3_600_000;

/**
 * The data path behind the decoder: a cursor per series, then the row buffer. Everything else hears of a bar
 * only when it is committed.
 */
export class Pipeline {
  readonly counters = noCounts();
  readonly #options: PipelineOptions;
  readonly #cursors = new Map<string, Cursor>();
  /** The same cursors by symbol, then interval: no key has to be built for a frame. */
  readonly #bySymbol = new Map<string, Map<string, Cursor>>();
  /** Where the store stands with series that nobody has added yet. */
  readonly #marks = new Map<string, number>();

  constructor(series: readonly Series[], options: PipelineOptions) {
    this.#options = options;
    for (const one of series) this.add(one);
  }

  add(series: Series): Cursor {
    const known = this.#cursors.get(seriesKey(series));
    if (known !== undefined) return known;
    const cursor = new Cursor(series);
    this.#cursors.set(cursor.key, cursor);
    const byInterval = this.#bySymbol.get(series.symbol) ?? new Map<string, Cursor>();
    byInterval.set(series.interval, cursor);
    this.#bySymbol.set(series.symbol, byInterval);
    const mark = this.#marks.get(cursor.key);
    if (mark !== undefined) this.resume(series, mark);
    return cursor;
  }

  cursor(series: Series): Cursor | undefined {
    return this.#bySymbol.get(series.symbol)?.get(series.interval);
  }

  /** How long after its end the close of a bar is owed, exchange ms. */
  get graceMs(): number {
    return this.#options.graceMs;
  }

  /** The series has been collected up to the bar that opened at `openTime`. */
  resume(series: Series, openTime: number): void {
    const cursor = this.cursor(series);
    if (cursor === undefined) {
      this.#marks.set(seriesKey(series), openTime);
      return;
    }
    cursor.due = Math.max(cursor.due ?? 0, nextOpenTime(series.interval, openTime));
  }

  /** A series that nothing is held of starts here: `openTime` is the first bar that is owed. */
  startAt(series: Series, openTime: number): void {
    const cursor = this.cursor(series);
    if (cursor !== undefined) cursor.due ??= openTime;
  }

  cursors(): Iterable<Cursor> {
    return this.#cursors.values();
  }

  /**
   * A kline frame from the connection numbered `epoch`. Returns whether it proves that data flows: false when
   * nobody asked for its series, or when it can't be true.
   */
  take(frame: KlineFrame, epoch: number): boolean {
    const cursor = this.#bySymbol.get(frame.symbol)?.get(frame.interval);
    if (cursor === undefined) {
      this.counters.foreign += 1;
      return false;
    }
    this.counters.klines += 1;
    if (cursor.due === undefined && !this.#mayStart(frame)) {
      this.counters.insane += 1;
      return false;
    }
    // A frame of an older connection than the newest that spoke: late, and no proof of anything.
    if (epoch > cursor.epoch) this.#goLive(cursor, frame, epoch);
    if (frame.closed) this.#takeClosed(cursor, frame);
    else if (this.#options.delivery.listeners.has('update')) this.#takeForming(frame);
    return true;
  }

  /** REST showed that these series do not trade: their bars are owed from the current one on. */
  goQuiet(series: Series): void {
    const cursor = this.cursor(series);
    const exchangeNow = this.#options.exchangeNow();
    if (cursor === undefined || Number.isNaN(exchangeNow)) return;
    cursor.due ??= openTimeAt(series.interval, exchangeNow);
    cursor.onEdge?.({ type: 'CURSOR.QUIET' });
  }

  /**
   * Final bars that REST returned for a question that started at the bar due, ascending; `until` is the open
   * time before which every bar had certainly ended when REST was asked. Returns how many were new.
   */
  fill(cursor: Cursor, candles: readonly Candle[], until: number, exchangeNow: number): number {
    // A bar of REST that can't be where it claims counts as one that it has not.
    const sound = candles.filter((candle) => this.#isPlaced(cursor, candle, exchangeNow));
    const isComplete = candles.length < LIMITS.klinesRowsMax - 1;
    cursor.absences.note(cursor.missing(sound, until, isComplete), this.#options.now());
    let taken = 0;
    for (const candle of sound) {
      // What REST has not may be held, or be a gap: it can't be waited for for ever.
      if (candle.openTime !== cursor.due) this.#bridge(cursor, candle.openTime);
      if (cursor.due === undefined || candle.openTime < cursor.due) continue;
      if (candle.openTime > cursor.due || !this.#pass(cursor, candle)) return taken;
      taken += 1;
    }
    this.#bridge(cursor, until);
    return taken;
  }

  /** Tells every series that is owed a bar. Level-triggered: told again for as long as it is true. */
  scan(): void {
    const exchangeNow = this.#options.exchangeNow();
    const silentSince = this.#options.now() - START_SILENT_MS;
    for (const cursor of this.#cursors.values()) {
      if (cursor.due === undefined && cursor.heardSince <= silentSince)
        this.#startSilent(cursor, exchangeNow);
      if (cursor.owedUntil(exchangeNow, this.#options.graceMs) !== undefined)
        cursor.onEdge?.({ type: 'CURSOR.HOLE' });
    }
  }

  /** Silence without end must not be a silent hole: from now on its bars are owed, and REST has them. */
  #startSilent(cursor: Cursor, exchangeNow: number): void {
    if (Number.isNaN(exchangeNow)) return;
    cursor.due = openTimeAt(cursor.series.interval, exchangeNow);
    this.#options.onSilent(cursor.series);
  }

  /** Whether a series that nothing is held of may start at this frame's bar: it is about the current one. */
  #mayStart(frame: KlineFrame): boolean {
    const { interval, openTime } = frame;
    const exchangeNow = this.#options.exchangeNow();
    const now = Number.isNaN(exchangeNow) ? frame.eventTime : exchangeNow;
    const { aheadMs } = this.#options;
    const earliest = previousOpenTime(interval, openTimeAt(interval, now - aheadMs - START_BEHIND_MS));
    return isAligned(interval, openTime) && openTime >= earliest && openTime <= now + aheadMs;
  }

  #goLive(cursor: Cursor, frame: KlineFrame, epoch: number): void {
    cursor.epoch = epoch;
    cursor.due ??= frame.openTime;
    cursor.onEdge?.({ type: 'CURSOR.FIRST_FRAME' });
  }

  #takeForming(frame: KlineFrame): void {
    const candle = candleOf(frame);
    if (candle === undefined) this.counters.malformed += 1;
    else this.#options.delivery.listeners.emit('update', candle);
  }

  #takeClosed(cursor: Cursor, frame: KlineFrame): void {
    const candle = candleOf(frame);
    if (candle === undefined) {
      this.counters.malformed += 1;
      return;
    }
    // The exchange's own stamp says how late it is there; ours may lag behind it.
    const now = Math.max(this.#options.exchangeNow() || 0, frame.eventTime) + this.#options.aheadMs;
    if (insanity(candle, now) !== undefined || !hasEnded(candle, now)) {
      this.counters.insane += 1;
      return;
    }
    switch (cursor.judge(candle.openTime)) {
      case 'duplicate':
        this.counters.duplicates += 1;
        return;
      case 'ahead':
        if (!cursor.hold(candle)) this.counters.duplicates += 1;
        cursor.onEdge?.({ type: 'CURSOR.HOLE' });
        return;
      default:
        if (this.#pass(cursor, candle)) this.#drain(cursor);
    }
  }

  /** What waited behind a hole and is due now. */
  #drain(cursor: Cursor): void {
    for (let next = cursor.peekDue(); next !== undefined; next = cursor.peekDue()) {
      if (!this.#pass(cursor, next)) return;
      cursor.takeDue();
    }
  }

  /** The bar that is due goes to the store. False when there is no room: it stays due and is asked for again. */
  #pass(cursor: Cursor, candle: Candle): boolean {
    if (!this.#options.rows.offer({ candle })) {
      this.counters.refused += 1;
      return false;
    }
    if (candle.source === 'stream') this.counters.closedByStream += 1;
    else this.counters.closedByRest += 1;
    cursor.advance(candle);
    return true;
  }

  /** Goes on, as far as `until`, over what is held and what is established to be missing. */
  #bridge(cursor: Cursor, until: number): void {
    this.#drain(cursor);
    while (cursor.due !== undefined && cursor.due < until && this.#options.rows.hasRoom()) {
      const end = cursor.absences.establishedFrom(cursor.due, this.#options.now());
      if (end === undefined) return;
      const detectedAt = Math.round(this.#options.exchangeNow());
      const range = cursor.skipTo(end);
      this.counters.gaps += 1;
      this.#options.rows.offer({
        gap: { ...cursor.series, ...range, reason: 'the exchange has no such bar', detectedAt },
      });
      this.#drain(cursor);
    }
  }

  #isPlaced(cursor: Cursor, candle: Candle, exchangeNow: number): boolean {
    if (cursor.due === undefined || candle.openTime < cursor.due) return false;
    if (misplacement(candle, exchangeNow + this.#options.aheadMs) === undefined) return true;
    this.counters.insane += 1;
    return false;
  }
}

/** The bars of a REST answer that were final for certain at an exchange time. */
export const finalOnly = (candles: readonly Candle[], exchangeTime: number): Candle[] =>
  candles.filter((candle) => hasEnded(candle, exchangeTime));
