/** Bars that an answer of REST lacked: open times from (inclusive) and until (exclusive), ms. */
export interface MissingRange {
  readonly from: number;
  readonly until: number;
}

interface Absence extends MissingRange {
  readonly asks: number;
  /** Monotonic ms of the first asking, and of the last that counted. */
  readonly since: number;
  readonly last: number;
}

/** REST must have lacked a bar this often, over this long, before that is a gap (contract 2), wall ms. */
const ASKS = 3;
const OVER_MS = 10_000;
/** Two askings nearer together than this count as one, wall ms. */
const SPACING_MS = 1_000;
/** Ranges that are kept; those behind are noted when their turn comes. */
const RANGES_MAX = 2_000;

/** What REST has lacked, how often and since when: every hole of an answer at once, not one after the other. */
export class Absences {
  #known: Absence[] = [];

  /** An answer of REST lacked these, ascending. What it had is lacking no more. */
  note(ranges: readonly MissingRange[], now: number): void {
    const before = new Map(this.#known.map((absence) => [absence.from, absence]));
    this.#known = [];
    for (const range of ranges) {
      // A range that has grown: bars that ended since the first asking have not been asked for as often.
      for (let from = range.from; from < range.until && this.#known.length < RANGES_MAX; ) {
        const old = before.get(from);
        const until = Math.min(old?.until ?? range.until, range.until);
        this.#known.push(again(old, { from, until }, now));
        from = until;
      }
    }
  }

  /** The open time up to which it is established that REST lacks every bar from `from` on; undefined: none is. */
  establishedFrom(from: number, now: number): number | undefined {
    let end: number | undefined;
    for (const absence of this.#known) {
      if (absence.from !== (end ?? from)) continue;
      if (absence.asks < ASKS || now - absence.since < OVER_MS) break;
      end = absence.until;
    }
    return end;
  }
}

function again(old: Absence | undefined, range: MissingRange, now: number): Absence {
  if (old === undefined) return { ...range, asks: 1, since: now, last: now };
  const counts = now - old.last >= SPACING_MS;
  return { ...range, since: old.since, asks: old.asks + (counts ? 1 : 0), last: counts ? now : old.last };
}
