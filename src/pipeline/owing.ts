/** All series whose history is being fetched; they share what the budget leaves to that. */
export interface HistoryQueue {
  /** When the last bars came, of whichever series, monotonic ms. */
  movedAt: number;
}

/** For how long one and the same bar of a series has been owed, as the looks find out. All times are monotonic ms. */
export class Owing {
  /** Since when REST has failed to answer for what is owed. */
  unansweredSince: number | undefined;
  /** The queue in which what is missing of its history waits its turn; undefined while nothing does. */
  waitsIn: HistoryQueue | undefined;
  #bar: number | undefined;
  #since = Number.NaN;
  /** For which bar the time in the queue was let off. */
  #letOff: number | undefined;

  /** What a look found: the open time of the bar that is owed, if one is. */
  note(bar: number | undefined, now: number): void {
    if (bar === this.#bar) return;
    this.#bar = bar;
    this.#since = now;
  }

  /** How long the bar `due` has been owed, ms, to somebody who hears of it since `heardSince`; 0 when it is not. */
  forMs(due: number | undefined, heardSince: number, now: number): number {
    const isOwed = this.#bar !== undefined && this.#bar === due;
    return isOwed ? now - Math.max(this.#since, heardSince, this.#queueMovedAt) : 0;
  }

  /** It had its turn. Its time in the queue counts for nothing, but only once for one and the same bar. */
  leaveQueue(due: number | undefined): void {
    if (this.waitsIn !== undefined && this.#letOff !== due)
      this.#since = Math.max(this.#since, this.#queueMovedAt);
    this.#letOff = due;
    this.waitsIn = undefined;
  }

  /** Of whom REST did not answer the turn has come, and was in vain. */
  get #queueMovedAt(): number {
    const { waitsIn, unansweredSince } = this;
    return waitsIn === undefined || unansweredSince !== undefined
      ? Number.NEGATIVE_INFINITY
      : waitsIn.movedAt;
  }
}
