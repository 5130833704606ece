/** Takes the rows of a file apart that is not as it should be: what is wrong on which day, and what is sound. */
import { BLOCK_FIELDS, type CandleBlock, type Columns } from './block.ts';
import { pickRows } from './block-runs.ts';
import { calendarSpan, hasDayFiles, openTimeFrom } from './history-plan.ts';
import { closeTimeOf, countBars, type Interval, isAligned, nextOpenTime } from './interval.ts';
import type { Span } from './spans.ts';

/**
 * - `order`: opens before the row above it
 * - `duplicate`, `conflict`: as another row, with the same or with other values
 * - `hole`: no row of that bar that can be used
 * - `misaligned`, `closeTime`, `impossible`: no such bar can be
 * - `outside`: of another time than the file's; counted on the day next to it
 * - `shifted`: all rows are labelled with another time than theirs
 * - `silent`: without trades, in a file where there are many
 */
export type Flaw =
  | 'order'
  | 'duplicate'
  | 'conflict'
  | 'hole'
  | 'misaligned'
  | 'closeTime'
  | 'impossible'
  | 'outside'
  | 'shifted'
  | 'silent';

/** How many rows, or bars, have the flaw. */
export type FlawCounts = Readonly<Partial<Record<Flaw, number>>>;

/** Rows from `from` on and before `to`, and how many of them have no trades. */
export interface Scan extends Span {
  readonly silent: number;
}

/** Whether the values can be those of a bar; NaN can't. */
export function isPossible(columns: Columns, row: number): boolean {
  const low = columns.low[row] as number;
  const high = columns.high[row] as number;
  const open = columns.open[row] as number;
  const close = columns.close[row] as number;
  return (
    low >= 0 &&
    low <= open &&
    open <= high &&
    low <= close &&
    close <= high &&
    high < Number.POSITIVE_INFINITY &&
    isAmount(columns.volume[row] as number) &&
    isAmount(columns.quoteVolume[row] as number) &&
    isAmount(columns.takerBuyVolume[row] as number) &&
    isAmount(columns.takerBuyQuoteVolume[row] as number) &&
    (columns.count[row] as number) >= 0 &&
    Number.isSafeInteger(columns.count[row])
  );
}

const isAmount = (value: number): boolean => value >= 0 && value < Number.POSITIVE_INFINITY;

export const hasZeroTrade = (columns: Columns, row: number): boolean =>
  columns.count[row] === 0 || columns.volume[row] === 0;

/** Flaws of the wanted span by the day (or month, of long bars) that they are of, and the rows that are sound. */
export function sift(
  block: CandleBlock,
  file: Span,
  wanted: Span,
  isBusy: boolean,
): { sound: CandleBlock; flaws: ReadonlyMap<number, FlawCounts> } {
  const tally = new Tally(block.interval, file);
  const usable = usableRows(block, file, tally);
  const isShifted = looksShifted(block, file);
  const rows = isShifted ? [] : uniqueRows(block, usable, tally);
  const times = block.columns.openTime;
  const kept = rows.filter(
    (row) => (times[row] as number) >= wanted.from && (times[row] as number) < wanted.to,
  );
  if (isShifted) for (const day of tally.days(wanted)) tally.add('shifted', day);
  let due = wanted.from;
  for (const row of kept) {
    const openTime = times[row] as number;
    tally.addHole(due, openTime);
    due = nextOpenTime(block.interval, openTime);
    if (isBusy && hasZeroTrade(block.columns, row)) tally.add('silent', openTime);
  }
  tally.addHole(due, wanted.to);
  return { sound: pickRows(block, kept), flaws: tally.flaws };
}

/** Counts flaws by day. */
class Tally {
  readonly flaws = new Map<number, Partial<Record<Flaw, number>>>();
  readonly #interval: Interval;
  readonly #unit: 'day' | 'month';
  readonly #file: Span;

  constructor(interval: Interval, file: Span) {
    this.#interval = interval;
    this.#unit = hasDayFiles(interval) ? 'day' : 'month';
    this.#file = file;
  }

  add(flaw: Flaw, openTime: number, bars = 1): void {
    // What is of no time, or of another file's, is counted where the file begins or ends.
    const within = Math.min(Math.max(openTime, this.#file.from), this.#file.to - 1) || this.#file.from;
    const day = calendarSpan(this.#unit, within).from;
    const counts = this.flaws.get(day) ?? {};
    counts[flaw] = (counts[flaw] ?? 0) + bars;
    this.flaws.set(day, counts);
  }

  /** Bars from `from` on and before `to`, both open times, are not there. */
  addHole(from: number, to: number): void {
    for (let at = from; at < to; ) {
      const end = Math.min(to, Math.max(calendarSpan(this.#unit, at).to, nextOpenTime(this.#interval, at)));
      this.add('hole', at, countBars(this.#interval, at, end));
      at = openTimeFrom(this.#interval, end, at);
    }
  }

  *days({ from, to }: Span): Generator<number> {
    for (let at = from; at < to; at = calendarSpan(this.#unit, at).to) yield at;
  }
}

/** Rows that can be what they claim to be, in the order of the file. */
function usableRows({ rows, interval, columns }: CandleBlock, file: Span, tally: Tally): number[] {
  const usable: number[] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < rows; row++) {
    const openTime = columns.openTime[row] as number;
    if (openTime < before) tally.add('order', openTime);
    before = openTime;
    const isWithin = openTime >= file.from && openTime < file.to;
    const isPlaced = isAligned(interval, openTime);
    const endsRight = isPlaced && columns.closeTime[row] === closeTimeOf(interval, openTime);
    if (!isWithin) tally.add('outside', openTime);
    else if (!isPlaced) tally.add('misaligned', openTime);
    else if (!endsRight) tally.add('closeTime', openTime);
    else if (!isPossible(columns, row)) tally.add('impossible', openTime);
    else usable.push(row);
  }
  return usable;
}

/** Whether the rows begin and end by the same amount of time beside the file's range: each label is wrong then. */
function looksShifted({ rows, interval, columns: { openTime } }: CandleBlock, file: Span): boolean {
  // Of longer bars it is not known where the first one opens.
  if (rows === 0 || !hasDayFiles(interval)) return false;
  const times = openTime.subarray(0, rows);
  const first = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
  const last = times.reduce((most, time) => Math.max(most, time), Number.NEGATIVE_INFINITY);
  const due = openTimeFrom(interval, file.from);
  const shift = first - due;
  return shift !== 0 && last - openTimeFrom(interval, file.to) + nextOpenTime(interval, 0) === shift;
}

/** Ascending by open time, each once; of those that contradict each other none. */
function uniqueRows({ columns }: CandleBlock, usable: readonly number[], tally: Tally): number[] {
  const times = columns.openTime;
  const sorted = usable.toSorted((one, other) => (times[one] as number) - (times[other] as number));
  const unique: number[] = [];
  for (let at = 0; at < sorted.length; ) {
    const row = sorted[at] as number;
    let end = at + 1;
    let isAgreed = true;
    for (; end < sorted.length && times[sorted[end] as number] === times[row]; end++) {
      const isSame = BLOCK_FIELDS.every(
        (field) => columns[field][sorted[end] as number] === columns[field][row],
      );
      tally.add(isSame ? 'duplicate' : 'conflict', times[row] as number);
      isAgreed &&= isSame;
    }
    if (isAgreed) unique.push(row);
    at = end;
  }
  return unique;
}
