import { EXCHANGE_LACKS } from '../../machines/model/gap-reasons.ts';
import { isAligned, openTimeAt, previousOpenTime } from '../../machines/model/interval.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import type { KlineFrame } from '../binance/frame.ts';
import type { KlineReader } from '../binance/kline-bytes.ts';
import { seriesOfStream } from '../binance/streams.ts';
import { LIMITS } from '../binance/venue.ts';
import { isPlaced, whyNoClose } from './close-check.ts';
import { CLOSED_BY, noCounts } from './counters.ts';
import type { Cursor } from './cursor.ts';
import { Cursors } from './cursors.ts';
import type { Audience } from './listeners.ts';
import type { PipelineOptions } from './pipeline-options.ts';

/** A series without a first frame is given up waiting for after this, wall ms. */
const START_SILENT_MS = 30_000;
/** Closes in a row of one series that can't be read, until that is said. */
const BAD_CLOSES_MAX = 3;

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
  readonly #cursors: Cursors;
  /** What the frame in hand says. */
  readonly #frame: KlineReader<Cursor>;
  /** Who hears of forming bars. */
  readonly #updates: Readonly<Audience>;

  constructor(series: readonly Series[], options: PipelineOptions) {
    this.#options = options;
    this.#cursors = new Cursors(options.graceMs);
    this.#frame = this.#cursors.reader;
    this.#updates = options.delivery.listeners.of('update');
    for (const one of series) this.add(one);
  }

  /** The cursor of a series, made where there is none. One that had ended goes on: the symbol is listed again. */
  add(series: Series): Cursor {
    return this.#cursors.add(series);
  }

  cursor(series: Series): Cursor | undefined {
    return this.#cursors.of(series);
  }

  /** The series has been collected up to the bar that opened at `openTime`. */
  resume(series: Series, openTime: number): void {
    this.#cursors.resume(series, openTime);
  }

  /** A series that nothing is held of starts here: `openTime` is the first bar that is owed. */
  startAt(series: Series, openTime: number): void {
    const cursor = this.cursor(series);
    if (cursor !== undefined) cursor.due ??= openTime;
  }

  /** History from before what is held is wanted: all from `openTime` on is owed, also by the next run if this is cut off. */
  goBackTo(series: Series, openTime: number): void {
    const cursor = this.cursor(series);
    if (cursor === undefined || (cursor.due ?? openTime) < openTime) return;
    const rewind = { ...series, openTime: previousOpenTime(series.interval, openTime) };
    // What can't be written down is not begun: it would be a silent hole when it is cut off.
    if (this.#options.rows.offer({ rewind })) cursor.due = openTime;
  }

  cursors(): Iterable<Cursor> {
    return this.#cursors.all();
  }

  /**
   * The symbol of a series ends: bars that open at or after `endTime` (exchange ms) are neither owed nor taken. When
   * all before is whole, the stream's chart hears so.
   */
  retire(series: Series, endTime: number): void {
    this.cursor(series)?.retire(endTime);
  }

  /** Only connections behind that number bring a first frame from now on. Unless it `isLive`, the next of any is news. */
  succeed(series: Series, epoch: number, isLive: boolean): void {
    const cursor = this.cursor(series);
    if (cursor === undefined) return;
    cursor.epoch = Math.max(epoch, cursor.epoch);
    if (!isLive) cursor.pulse.isInDoubt = true;
  }

  /**
   * A message from the connection numbered `epoch`, which came at `now`, monotonic ms: the bytes from `from` to before `to`.
   * Returns what {@link take} does when it is a frame of one of our series and written as usual; undefined for any other: it
   * is to be parsed.
   */
  takeBytes(bytes: Uint8Array, epoch: number, now: number, from = 0, to = bytes.length): boolean | undefined {
    const cursor = this.#frame.read(bytes, from, to);
    return cursor === undefined ? undefined : this.#take(cursor, epoch, now);
  }

  /**
   * A kline frame from the connection numbered `epoch`. Returns whether it proves that data flows: false when
   * nobody asked for its series, or when it can't be true.
   */
  take(frame: KlineFrame, epoch: number, now = this.#options.now()): boolean {
    const cursor = this.#cursors.of(frame);
    if (cursor === undefined) {
      this.counters.foreign += 1;
      return false;
    }
    this.#frame.set(frame);
    return this.#take(cursor, epoch, now);
  }

  #take(cursor: Cursor, epoch: number, now: number): boolean {
    const frame = this.#frame;
    this.counters.klines += 1;
    if (frame.openTime >= cursor.endTime) {
      this.counters.ended += 1;
      return true;
    }
    if (cursor.due === undefined && !this.#mayStart(cursor)) {
      this.counters.insane += 1;
      return false;
    }
    this.#options.onStamp?.(frame.eventTime, now);
    cursor.pulse.note(frame);
    // A frame of an older connection than the newest that spoke: late, and no proof of anything.
    if (epoch > cursor.epoch || cursor.pulse.isInDoubt) this.#goLive(cursor, epoch);
    if (frame.closed) this.#takeClosed(cursor);
    else if (frame.openTime < (cursor.due ?? 0)) this.counters.late += 1;
    else if (this.#updates.entries.length > 0) this.#takeForming(cursor);
    return true;
  }

  /** A frame that could not be understood, of the stream of that name if it said one. */
  takeMalformed(stream: string | undefined): void {
    this.counters.malformed += 1;
    const series = stream === undefined ? undefined : seriesOfStream(stream);
    const cursor = series === undefined ? undefined : this.cursor(series);
    if (cursor === undefined || !cursor.pulse.reject()) return;
    this.startNow(cursor.series);
    this.#options.onOddity('the frames of a series cannot be understood; its bars come from REST', {
      series: cursor.key,
    });
    cursor.onEdge?.({ type: 'CURSOR.GARBLED' });
  }

  /** Bars of a series that nothing is held of are owed from the current one on. */
  startNow(series: Series): void {
    const cursor = this.cursor(series);
    const exchangeNow = this.#options.exchangeNow();
    if (cursor === undefined || Number.isNaN(exchangeNow)) return;
    cursor.due ??= openTimeAt(series.interval, exchangeNow);
  }

  /** REST showed that this series does not trade: its bars are owed from the current one on. */
  goQuiet(series: Series): void {
    const cursor = this.cursor(series);
    if (cursor === undefined || Number.isNaN(this.#options.exchangeNow())) return;
    this.startNow(series);
    cursor.onEdge?.({ type: 'CURSOR.QUIET' });
  }

  /**
   * Final bars that REST returned for a question that started at the bar due, ascending; `until` is the open
   * time before which every bar had certainly ended when REST was asked. Returns how many were new.
   */
  fill(cursor: Cursor, candles: readonly Candle[], until: number, exchangeNow: number): number {
    const end = Math.min(until, cursor.endOpen);
    // A bar of REST that can't be where it claims counts as one that it has not.
    const sound = candles.filter((one) => isPlaced(cursor, one, exchangeNow, this.#options, this.counters));
    const isComplete = candles.length < LIMITS.klinesRowsMax - 1;
    cursor.absences.note(cursor.missing(sound, end, isComplete), this.#options.now());
    let taken = 0;
    for (const candle of sound) {
      // What came live and waits is stored as it came.
      if (cursor.peekDue()?.openTime === candle.openTime) {
        this.#drain(cursor);
        taken += 1;
        continue;
      }
      // What REST has not may be held, or be a gap: it can't be waited for for ever.
      if (candle.openTime !== cursor.due) this.#bridge(cursor, candle.openTime);
      if (cursor.due === undefined || candle.openTime < cursor.due) continue;
      if (candle.openTime > cursor.due || !this.#pass(cursor, candle)) return taken;
      taken += 1;
      if (cursor.pulse.isBetrayedBy(candle)) cursor.onEdge?.({ type: 'CURSOR.SILENT' });
    }
    if (cursor.endTime < Number.POSITIVE_INFINITY) this.#endAt(cursor, end);
    else this.#bridge(cursor, end);
    return taken;
  }

  /**
   * Tells every chart what is true of its series: a bar owed, silence, the end. Runs four times a second over ten
   * thousand of them, so nothing is computed here that can be known before.
   */
  scan(): void {
    const exchangeNow = this.#options.exchangeNow();
    const now = this.#options.now();
    const silentSince = now - START_SILENT_MS;
    for (const cursor of this.#cursors.all()) {
      const { onEdge } = cursor;
      if (onEdge === undefined) continue;
      if (cursor.isEnded) {
        onEdge({ type: 'CURSOR.ENDED' });
        continue;
      }
      if (cursor.due === undefined && cursor.heardSince <= silentSince)
        this.#startSilent(cursor, exchangeNow);
      const isOwed = cursor.isOwed(exchangeNow, now);
      cursor.owing.note(isOwed ? cursor.due : undefined, now);
      if (isOwed && cursor.isNews(now)) onEdge({ type: 'CURSOR.HOLE' });
      if (cursor.pulse.isSilent(now, this.#options.silenceMs)) onEdge({ type: 'CURSOR.SILENT' });
    }
  }

  /** Silence without end must not be a silent hole: from now on its bars are owed, and REST has them. */
  #startSilent(cursor: Cursor, exchangeNow: number): void {
    if (Number.isNaN(exchangeNow)) return;
    cursor.due = openTimeAt(cursor.series.interval, exchangeNow);
    this.#options.onSilent(cursor.series);
  }

  /** Whether a series that nothing is held of may start at this frame's bar: it is about the current one. */
  #mayStart({ series: { interval } }: Cursor): boolean {
    const { openTime, eventTime } = this.#frame;
    const exchangeNow = this.#options.exchangeNow();
    const now = Number.isNaN(exchangeNow) ? eventTime : exchangeNow;
    const { aheadMs } = this.#options;
    const earliest = previousOpenTime(interval, openTimeAt(interval, now - aheadMs - START_BEHIND_MS));
    return isAligned(interval, openTime) && openTime >= earliest && openTime <= now + aheadMs;
  }

  #goLive(cursor: Cursor, epoch: number): void {
    const isFirst = epoch > cursor.epoch;
    cursor.epoch = Math.max(epoch, cursor.epoch);
    cursor.pulse.isInDoubt = false;
    cursor.due ??= this.#frame.openTime;
    cursor.onEdge?.({ type: isFirst ? 'CURSOR.FIRST_FRAME' : 'CURSOR.FRAME_AGAIN' });
  }

  #takeForming({ series }: Cursor): void {
    const candle = this.#frame.candle(series);
    if (candle === undefined) this.counters.malformed += 1;
    else this.#options.delivery.listeners.emit('update', candle);
  }

  #takeClosed(cursor: Cursor): void {
    const candle = this.#frame.candle(cursor.series);
    if (candle === undefined) {
      this.counters.malformed += 1;
      cursor.badCloses += 1;
      if (cursor.badCloses === BAD_CLOSES_MAX)
        this.#options.onOddity('the closes of a series cannot be read; its bars come from REST', {
          series: cursor.key,
        });
      return;
    }
    cursor.badCloses = 0;
    const exchangeNow = this.#options.exchangeNow();
    const reason = whyNoClose(candle, this.#frame.eventTime, exchangeNow, this.#options.aheadMs);
    if (reason !== undefined) {
      this.counters.insane += 1;
      const { openTime } = candle;
      this.#options.onOddity('a closed bar cannot be what it claims', {
        series: cursor.key,
        openTime,
        reason,
      });
      return;
    }
    switch (cursor.judge(candle.openTime)) {
      case 'duplicate':
        this.#takeAgain(candle);
        return;
      case 'ahead':
        if (cursor.hold(candle)) this.#options.onClose?.(candle, exchangeNow);
        else this.#takeAgain(candle);
        cursor.onEdge?.({ type: 'CURSOR.HOLE' });
        return;
      default:
        if (!this.#pass(cursor, candle)) return;
        this.#options.onClose?.(candle, exchangeNow);
        this.#drain(cursor);
    }
  }

  #takeAgain(candle: Candle): void {
    this.counters.duplicates += 1;
    this.#options.onSecondClose?.(candle);
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
    this.counters[CLOSED_BY[candle.source]] += 1;
    cursor.advance(candle);
    return true;
  }

  /** Goes on, as far as `until`, over what is held and what is established to be missing. */
  #bridge(cursor: Cursor, until: number): void {
    this.#drain(cursor);
    while (cursor.due !== undefined && cursor.due < until && this.#options.rows.hasRoom()) {
      const end = cursor.absences.establishedFrom(cursor.due, this.#options.now());
      if (end === undefined) return;
      this.passOver(cursor, end, EXCHANGE_LACKS);
    }
  }

  /** Names the bars from the one due up to, not including, `until` as missing, and goes on behind them. */
  passOver(cursor: Cursor, until: number, reason: string): void {
    // A gap that can't be written down must not be passed: it would be a silent hole.
    if (!this.#options.rows.hasRoom()) return;
    const detectedAt = Math.round(this.#options.exchangeNow());
    const gap = { ...cursor.series, ...cursor.skipTo(until), reason, detectedAt };
    this.#options.rows.offer({ gap });
    this.counters.gaps += 1;
    this.#drain(cursor);
  }

  /**
   * The end of a retired series, every bar of which before `until` has ended: what REST lacks behind its last bar is
   * no gap, for the symbol has ended. It is asked for as often as for a gap before that is believed.
   */
  #endAt(cursor: Cursor, until: number): void {
    this.#bridge(cursor, cursor.firstHeld ?? cursor.due ?? 0);
    if (cursor.due === undefined || until < cursor.endOpen) return;
    const end = cursor.absences.establishedFrom(cursor.due, this.#options.now());
    if (end !== undefined && end >= until) cursor.due = until;
  }
}
