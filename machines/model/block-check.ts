/** What is wrong with the rows of an archive file, day by day, and which of them can be used all the same. */
import { type CandleBlock, partOf } from './block.ts';
import { type FlawCounts, hasZeroTrade, isPossible, type Scan, sift } from './block-sift.ts';
import { calendarSpan, hasDayFiles } from './history-plan.ts';
import { type Interval, nextOpenTime } from './interval.ts';
import type { Span } from './spans.ts';

/** Bars of one day, or of the whole file where its bars are longer, that are not as they should be. */
export interface FlawedDay extends Span {
  readonly flaws: FlawCounts;
  /** Nothing is wrong but bars without trades where there should be some: the exchange may have others. */
  readonly isDoubtful: boolean;
}

export interface BlockCheck {
  /** Ascending; empty for a perfect file. */
  readonly flawed: readonly FlawedDay[];
  /** Rows of the wanted span that can be used: ascending, unique. The same memory when nothing is wrong. */
  readonly sound: CandleBlock;
}

/** A file is busy when more than half of its bars have so many trades. */
const BUSY_TRADES = 50;

/**
 * Checks rows in the order of the file. `file`: the open times that it may hold; `wanted`: those that are looked at,
 * each of which there should be.
 */
export function checkBlock(block: CandleBlock, file: Span, wanted: Span = file): BlockCheck {
  const scan = scanInOrder(block, file, wanted);
  if (scan === undefined) {
    const { sound, flaws } = sift(block, file, wanted, isBusy(block));
    return { flawed: flawedDays(flaws, block.interval, wanted), sound };
  }
  const sound = scan.from === 0 && scan.to === block.rows ? block : partOf(block, scan.from, scan.to);
  if (scan.silent === 0 || !isBusy(block)) return { flawed: [], sound };
  return { flawed: flawedDays(silentDays(sound), block.interval, wanted), sound };
}

/** One pass over the columns: where the wanted rows are when nothing is wrong, else undefined. */
function scanInOrder(block: CandleBlock, file: Span, wanted: Span): Scan | undefined {
  const { rows, interval, columns } = block;
  const { openTime, closeTime } = columns;
  const step = interval === '1M' ? Number.NaN : nextOpenTime(interval, 0);
  let row = 0;
  let before = file.from - 1;
  for (; row < rows && (openTime[row] as number) < wanted.from; row++) {
    if (!((openTime[row] as number) > before)) return undefined;
    before = openTime[row] as number;
  }
  const from = row;
  let silent = 0;
  let due = wanted.from;
  for (; due < wanted.to; row++) {
    const next = interval === '1M' ? nextOpenTime(interval, due) : due + step;
    if (row >= rows || openTime[row] !== due || closeTime[row] !== next - 1 || !isPossible(columns, row))
      return undefined;
    if (hasZeroTrade(columns, row)) silent++;
    due = next;
  }
  const to = row;
  before = wanted.to - 1;
  for (; row < rows; row++) {
    if (!((openTime[row] as number) > before && (openTime[row] as number) < file.to)) return undefined;
    before = openTime[row] as number;
  }
  return { from, to, silent };
}

function isBusy({ rows, columns }: CandleBlock): boolean {
  let busy = 0;
  for (let row = 0; row < rows; row++) if ((columns.count[row] as number) >= BUSY_TRADES) busy++;
  return 2 * busy > rows;
}

function silentDays({ rows, columns, interval }: CandleBlock): Map<number, FlawCounts> {
  const days = new Map<number, FlawCounts>();
  for (let row = 0; row < rows; row++) {
    if (!hasZeroTrade(columns, row)) continue;
    const day = dayOf(interval, columns.openTime[row] as number);
    days.set(day, { silent: (days.get(day)?.silent ?? 0) + 1 });
  }
  return days;
}

/** Where flaws of a bar are counted: its day; of bars that are longer than one, its month. */
const dayOf = (interval: Interval, openTime: number): number =>
  calendarSpan(hasDayFiles(interval) ? 'day' : 'month', openTime).from;

function flawedDays(days: ReadonlyMap<number, FlawCounts>, interval: Interval, wanted: Span): FlawedDay[] {
  return [...days]
    .sort(([one], [other]) => one - other)
    .map(([day, flaws]) => {
      const { to } = calendarSpan(hasDayFiles(interval) ? 'day' : 'month', day);
      const isDoubtful = Object.keys(flaws).every((flaw) => flaw === 'silent');
      return { from: Math.max(day, wanted.from), to: Math.min(to, wanted.to), flaws, isDoubtful };
    })
    .filter(({ from, to }) => from < to);
}
