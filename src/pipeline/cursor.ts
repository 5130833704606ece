import type { CursorEvent } from '../../machines/kline-stream.types.ts';
import {
  DAY_MS,
  type Interval,
  isAligned,
  nextOpenTime,
  previousOpenTime,
} from '../../machines/model/interval.ts';
import { type Candle, type Series, seriesKey } from '../../machines/model/kline.ts';
import { firstOpenFrom, judge, owedBefore, type Verdict } from '../../machines/model/ledger.ts';
import { Absences, type MissingRange } from './absences.ts';
import { Owing } from './owing.ts';
import { Pulse } from './pulse.ts';

/** Closed bars that may wait behind a hole; the rest is fetched again with the hole. */
const WAITING_MAX = 1_500;
/**
 * A frame of a later bar says that the one due has ended: its close is owed so much later, wall ms. Sockets that
 * overlap deliver out of step, so the close may be just behind.
 */
const SETTLE_MS = 500;
/** What is owed is told again after this, wall ms: charts are many, and mostly know. */
const RETELL_MS = 5_000;

/**
 * Where one series stands: what is due next, and what waits behind a hole. State only; its rules are in
 * `machines/model/ledger.ts`.
 */
export class Cursor {
  readonly series: Series;
  readonly key: string;
  /** How long after its end the close of a bar is owed, exchange ms. */
  readonly graceMs: number;
  readonly pulse: Pulse;
  /** Of the connection that brought the newest frame: a new one makes the next frame a first frame. */
  epoch = -1;
  /** Hears the edges; set while the stream's chart is alive. */
  onEdge: ((event: CursorEvent) => void) | undefined;
  /** Whose that is. */
  heardBy: object | undefined;
  /** Monotonic ms since when it hears them. */
  heardSince = Number.POSITIVE_INFINITY;
  /** What REST was asked for and lacks. */
  readonly absences = new Absences();
  /** For how long the bar due has been owed. */
  readonly owing = new Owing();
  /** Closed bars delivered in this process, and the last of them. */
  closed = 0;
  last: Candle | undefined;
  /** Closes in a row whose fields were not sound. */
  badCloses = 0;
  #due: number | undefined;
  /** Exchange ms from when the bar due is owed. */
  #owedAt = Number.POSITIVE_INFINITY;
  #endTime = Number.POSITIVE_INFINITY;
  /** Closed bars behind a hole, by open time. */
  #waiting: Candle[] = [];
  #overtaken = { due: Number.NaN, since: Number.NaN };
  #told = { due: Number.NaN, at: Number.NaN };

  constructor(series: Series, graceMs: number) {
    this.series = series;
    this.key = seriesKey(series);
    this.graceMs = graceMs;
    this.pulse = new Pulse(series);
  }

  /** Nobody hears its edges any more. */
  detach(): void {
    this.onEdge = undefined;
    this.heardBy = undefined;
  }

  /** Open time of the next bar to deliver; undefined until the stream went live or the store told. */
  get due(): number | undefined {
    return this.#due;
  }

  set due(openTime: number | undefined) {
    this.#due = openTime;
    this.#owedAt =
      openTime === undefined || openTime >= this.#endTime
        ? Number.POSITIVE_INFINITY
        : nextOpenTime(this.series.interval, openTime) + this.graceMs;
  }

  /** A row of REST tells from which day the exchange counts its three: until one has, the bar due is a guess. */
  alignTo(openTime: number): void {
    if (this.series.interval !== '3d' || this.due === undefined || openTime < this.due) return;
    this.due += (openTime - this.due) % THREE_DAYS_MS;
  }

  /** What a closed bar is to this series. */
  judge(openTime: number): Verdict {
    return judge(this.due, openTime);
  }

  /** The bar that was due is on its way to the store. */
  advance(candle: Candle): void {
    this.due = candle.closeTime + 1;
    this.last = candle;
    this.closed += 1;
  }

  /** Keeps a bar that came before its time. False when it was known already. */
  hold(candle: Candle): boolean {
    const at = this.#waiting.findIndex((other) => other.openTime >= candle.openTime);
    if (at >= 0 && this.#waiting[at]?.openTime === candle.openTime) return false;
    // Beyond the bound the newest go: REST has them when the hole is filled.
    if (at < 0 && this.#waiting.length >= WAITING_MAX) return true;
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, candle);
    if (this.#waiting.length > WAITING_MAX) this.#waiting.pop();
    return true;
  }

  /** The next held bar if it is due now. What is overtaken is forgotten. */
  peekDue(): Candle | undefined {
    while (this.#waiting[0] !== undefined && this.#waiting[0].openTime < (this.due ?? Number.NaN))
      this.#waiting.shift();
    const first = this.#waiting[0];
    return first !== undefined && first.openTime === this.due ? first : undefined;
  }

  /** Takes the bar that {@link peekDue} showed. */
  takeDue(): void {
    this.#waiting.shift();
  }

  /** The bar of the newest frame, when it has not closed. */
  get forming(): Candle | undefined {
    return this.pulse.openTime < (this.#due ?? 0) ? undefined : this.pulse.forming;
  }

  /** First open time held behind the hole, if any is. */
  get firstHeld(): number | undefined {
    return this.#waiting[0]?.openTime;
  }

  /** The open time before which every bar of this series has ended for `graceMs`; NaN at a time unknown. */
  endedBefore(time: number, graceMs: number): number {
    const { interval } = this.series;
    if (interval !== '3d' || this.due === undefined) return owedBefore(interval, time, graceMs);
    // From which day the exchange counts its three is not established: the series itself says.
    return this.due + Math.floor((time - graceMs - this.due) / THREE_DAYS_MS) * THREE_DAYS_MS;
  }

  /**
   * Whether the bar due is owed by now: it ended the grace ago, a later one is held behind it, or the exchange
   * has gone on to a later one. The last two are evidence enough, whatever the clock says.
   */
  isOwed(exchangeNow: number, now: number): boolean {
    const { due } = this;
    if (due === undefined || due >= this.#endTime) return false;
    return (
      exchangeNow >= this.#owedAt || this.#waiting.length > 0 || this.#isOvertaken(due, exchangeNow, now)
    );
  }

  /** The open time before which every bar is owed by now; undefined while nothing is. */
  owedUntil(exchangeNow: number, now: number): number | undefined {
    if (this.due === undefined || !this.isOwed(exchangeNow, now)) return undefined;
    const byClock = this.endedBefore(exchangeNow, this.graceMs);
    const evidence = this.#isOvertaken(this.due, exchangeNow, now) ? this.pulse.openTime : 0;
    const until = Math.max(Number.isNaN(byClock) ? 0 : byClock, this.firstHeld ?? 0, evidence);
    return Math.min(until, this.endOpen);
  }

  /**
   * How long one and the same bar has been due and owed, ms; 0 when nothing is. A repair that brings bars, one after the
   * other, starts anew with each. What was owed while nobody heard of it does not count, nor does the time in a queue
   * of history that moves.
   */
  owedMs(now: number): number {
    return this.owing.forMs(this.#due, this.heardSince, now);
  }

  /** How long no frame that could be understood has come, ms, since somebody hears of them. */
  silentMs(now: number): number {
    return now - Math.max(this.pulse.seenAt, this.heardSince);
  }

  /** Whether the chart is to hear that a bar is owed: not again for the same one within a few seconds. */
  isNews(now: number): boolean {
    const { due } = this;
    if (due === this.#told.due && now - this.#told.at < RETELL_MS) return false;
    this.#told = { due: due ?? Number.NaN, at: now };
    return true;
  }

  /** The chart has done what it could: what is owed now is told at once. */
  retell(): void {
    this.#told = { due: Number.NaN, at: Number.NaN };
  }

  #isOvertaken(due: number, exchangeNow: number, now: number): boolean {
    const { openTime } = this.pulse;
    // NaN before any frame.
    if (!(openTime > due)) return false;
    // A frame that can't be true is evidence of nothing.
    if (openTime > exchangeNow || !isAligned(this.series.interval, openTime)) return false;
    if (this.#overtaken.due !== due) this.#overtaken = { due, since: now };
    return now - this.#overtaken.since >= SETTLE_MS;
  }

  /**
   * What is missing from the bar due up to `until`, given what REST has of it, ascending. What is held is not
   * missing. An answer that is not complete says nothing of what is behind its last bar.
   */
  missing(candles: readonly Candle[], until: number, isComplete: boolean): MissingRange[] {
    const ranges: MissingRange[] = [];
    let at = this.due ?? until;
    const told = isComplete ? until : Math.min(until, (candles.at(-1)?.closeTime ?? at - 1) + 1);
    const have = [...candles, ...this.#waiting].sort((one, other) => one.openTime - other.openTime);
    for (const candle of have) {
      const end = Math.min(candle.openTime, told);
      if (at < end) ranges.push({ from: at, until: end });
      at = Math.max(at, candle.closeTime + 1);
    }
    if (at < told) ranges.push({ from: at, until: told });
    return ranges;
  }

  /** The bars from the due one up to, not including, `until` are missing on the exchange too. */
  skipTo(until: number): { fromOpenTime: number; toOpenTime: number } {
    const fromOpenTime = this.due ?? until;
    this.due = until;
    return { fromOpenTime, toOpenTime: lastBefore(this.series.interval, until) };
  }

  /** The symbol ends: no bar that opens at or after `endTime` (exchange ms) is owed or taken. */
  retire(endTime: number): void {
    this.#endTime = endTime;
    this.#waiting = this.#waiting.filter((candle) => candle.openTime < endTime);
    this.due = this.#due;
  }

  /** It is listed again: what follows is owed as before. */
  reopen(): void {
    this.retire(Number.POSITIVE_INFINITY);
  }

  /** Bars that open at or after this are not there, exchange ms; Infinity while the series lives. */
  get endTime(): number {
    return this.#endTime;
  }

  /** The first open time that is not there any more; Infinity while the series lives. */
  get endOpen(): number {
    const end = this.#endTime;
    const { interval } = this.series;
    if (end === Number.POSITIVE_INFINITY) return end;
    if (interval !== '3d' || this.due === undefined) return firstOpenFrom(interval, end);
    return this.due + Math.ceil((end - this.due) / THREE_DAYS_MS) * THREE_DAYS_MS;
  }

  /** A retired series of which nothing more is owed. */
  get isEnded(): boolean {
    return this.#endTime < Number.POSITIVE_INFINITY && !((this.#due ?? this.#endTime) < this.#endTime);
  }
}

const THREE_DAYS_MS = 3 * DAY_MS;

/** Open time of the bar before the one that opens at `openTime`. */
const lastBefore = (interval: Interval, openTime: number): number =>
  interval === '3d' ? openTime - THREE_DAYS_MS : previousOpenTime(interval, openTime);
