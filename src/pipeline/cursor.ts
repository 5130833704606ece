import type { CursorEvent } from '../../machines/kline-stream.machine.ts';
import { DAY_MS, type Interval, previousOpenTime } from '../../machines/model/interval.ts';
import { type Candle, type Series, seriesKey } from '../../machines/model/kline.ts';
import { judge, owedBefore, type Verdict } from '../../machines/model/ledger.ts';
import { Absences, type MissingRange } from './absences.ts';

/** Closed bars that may wait behind a hole; the rest is fetched again with the hole. */
const WAITING_MAX = 1_500;

/**
 * Where one series stands: what is due next, and what waits behind a hole. State only; its rules are in
 * `machines/model/ledger.ts`.
 */
export class Cursor {
  readonly series: Series;
  readonly key: string;
  /** Open time of the next bar to deliver; undefined until the stream went live or the store told. */
  due: number | undefined;
  /** Of the connection that brought the last frame: a new one makes the next frame a first frame. */
  epoch = -1;
  /** Hears the edges; set while the stream's chart is alive. */
  onEdge: ((event: CursorEvent) => void) | undefined;
  /** Monotonic ms since when it hears them. */
  heardSince = Number.POSITIVE_INFINITY;
  /** Closed bars behind a hole, by open time. */
  #waiting: Candle[] = [];
  /** What REST was asked for and lacks. */
  readonly absences = new Absences();
  /** Closed bars delivered in this process, and the last of them. */
  closed = 0;
  last: Candle | undefined;

  constructor(series: Series) {
    this.series = series;
    this.key = seriesKey(series);
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
   * The open time before which every bar is owed by now; undefined while nothing is. A bar held behind a
   * hole is evidence enough, whatever the clock says.
   */
  owedUntil(exchangeNow: number, graceMs: number): number | undefined {
    if (this.due === undefined) return undefined;
    const byClock = this.endedBefore(exchangeNow, graceMs);
    const until = Math.max(Number.isNaN(byClock) ? 0 : byClock, this.firstHeld ?? 0);
    return until > this.due ? until : undefined;
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
}

const THREE_DAYS_MS = 3 * DAY_MS;

/** Open time of the bar before the one that opens at `openTime`. */
const lastBefore = (interval: Interval, openTime: number): number =>
  interval === '3d' ? openTime - THREE_DAYS_MS : previousOpenTime(interval, openTime);
