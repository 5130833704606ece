/** At which times the bars of one series open. */
import {
  countBars,
  DAY_MS,
  type Interval,
  isAligned,
  nextOpenTime,
  openTimeAt,
} from '../../machines/model/interval.ts';

const THREE_DAYS_MS = 3 * DAY_MS;

/**
 * The open times of an interval. From which day the exchange counts its three is not established by any source: for `3d` a
 * time at which bars of the series do open is given.
 */
export class Grid {
  readonly #interval: Interval;
  readonly #anchor: number | undefined;

  constructor(interval: Interval, anchor?: number) {
    this.#interval = interval;
    if (interval === '3d') this.#anchor = anchor;
  }

  isOn(time: number): boolean {
    return isAligned(this.#interval, time) && this.at(time) === time;
  }

  /** Open time of the bar that contains `time`. */
  at(time: number): number {
    const anchor = this.#anchor;
    if (anchor === undefined) return openTimeAt(this.#interval, time);
    return anchor + Math.floor((time - anchor) / THREE_DAYS_MS) * THREE_DAYS_MS;
  }

  next(openTime: number): number {
    return nextOpenTime(this.#interval, openTime);
  }

  before(openTime: number): number {
    return this.at(openTime - 1);
  }

  /** The first open time at or after `time`. */
  from(time: number): number {
    const at = this.at(time);
    return at === time ? at : this.next(at);
  }

  /** How many bars open in [from, to); both are open times. */
  count(from: number, to: number): number {
    return countBars(this.#interval, from, to);
  }
}
