import { type CandleBlock, candlesIn } from '../../machines/model/block.ts';
import type { BlockCheck, FlawedDay } from '../../machines/model/block-check.ts';
import { copyOf, joinBlocks, lackingRuns, mergeBlocks, within } from '../../machines/model/block-runs.ts';
import type { Flaw, FlawCounts } from '../../machines/model/block-sift.ts';
import type { Run } from '../../machines/model/gaps.ts';
import { sameValues } from '../../machines/model/kline.ts';
import type { Span } from '../../machines/model/spans.ts';
import type { Asked, RestPages } from './rest/rest-pages.ts';
import type { HistoryNote } from './types.ts';

/** A file's rows, with what REST has where they were not as they should be. */
export interface Mended {
  /** Ascending, none shares memory with another. */
  readonly blocks: readonly CandleBlock[];
  /** Bars that could not be asked for. */
  readonly unreached: readonly Run[];
  readonly notes: readonly HistoryNote[];
}

/** Days that follow each other and are in doubt, or wrong, alike. */
interface FlawedRun extends Span {
  readonly isDoubtful: boolean;
  readonly flaws: FlawCounts;
}

const WORDS: Readonly<Record<Flaw, string>> = {
  hole: 'bars missing',
  duplicate: 'rows doubled',
  conflict: 'rows contradicting another one of the same bar',
  order: 'rows out of order',
  misaligned: 'rows off the grid',
  closeTime: 'rows with a wrong close time',
  impossible: 'rows with values that can not be',
  outside: 'rows of another time',
  shifted: 'days labelled with another time',
  silent: 'bars without trades among busy ones',
};

const textOf = (flaws: FlawCounts): string =>
  Object.entries(flaws)
    .map(([flaw, count]) => `${count} ${WORDS[flaw as Flaw]}`)
    .join(', ');

/**
 * Puts the bars of REST in the place of those of flawed days, and keeps of the file what is sound and REST lacks.
 * `pages` undefined: REST is not asked.
 */
export async function mend(
  { flawed, sound }: BlockCheck,
  wanted: Span,
  pages: RestPages | undefined,
  signal?: AbortSignal,
): Promise<Mended> {
  const { symbol, interval } = sound;
  const blocks: CandleBlock[] = [];
  const unreached: Run[] = [];
  const notes: HistoryNote[] = [];
  const keep = (from: number, to: number): void => {
    const part = within(sound, { from, to });
    if (part.rows > 0) blocks.push(copyOf(part));
  };
  let at = wanted.from;
  for (const run of runsOfDays(flawed)) {
    keep(at, run.from);
    at = run.to;
    // What is only in doubt is no reason to insist.
    const isAsked = pages !== undefined && (pages.isReachable || !run.isDoubtful);
    const asked = isAsked ? await pages.ask(run, signal) : undefined;
    const mine = within(sound, run);
    const merged = mergeRun(asked, mine, run.isDoubtful);
    const since = asked?.failure?.from;
    if (since !== undefined)
      unreached.push(...lackingRuns(interval, { from: since, to: run.to }, after(merged, since)));
    blocks.push(...merged);
    notes.push({
      symbol,
      interval,
      kind: run.isDoubtful ? 'doubtful' : 'defect',
      from: run.from,
      to: run.to,
      found: textOf(run.flaws),
      done: outcomeOf(asked, merged, mine),
    });
  }
  keep(at, wanted.to);
  return { blocks, unreached, notes };
}

function runsOfDays(days: readonly FlawedDay[]): FlawedRun[] {
  const runs: FlawedRun[] = [];
  for (const day of days) {
    const last = runs.at(-1);
    if (last === undefined || last.to !== day.from || last.isDoubtful !== day.isDoubtful) runs.push(day);
    else {
      const flaws: Partial<Record<Flaw, number>> = { ...last.flaws };
      for (const [flaw, count] of Object.entries(day.flaws) as [Flaw, number][])
        flaws[flaw] = (flaws[flaw] ?? 0) + count;
      runs[runs.length - 1] = { ...last, to: day.to, flaws };
    }
  }
  return runs;
}

function mergeRun(asked: Asked | undefined, mine: CandleBlock, isDoubtful: boolean): CandleBlock[] {
  const [first, ...others] = asked?.blocks ?? [];
  if (first === undefined) return mine.rows > 0 ? [copyOf(mine)] : [];
  const theirs = joinBlocks([first, ...others]);
  return isDoubtful && isSame(theirs, mine) ? [copyOf(mine)] : mergeBlocks(theirs, mine);
}

/** Whether REST confirms the file's bars, all of them. */
function isSame(theirs: CandleBlock, mine: CandleBlock): boolean {
  if (theirs.rows !== mine.rows) return false;
  const others = candlesIn(theirs);
  for (const candle of candlesIn(mine)) {
    const other = others.next().value;
    if (!other || other.openTime !== candle.openTime || !sameValues(other, candle)) return false;
  }
  return true;
}

function outcomeOf(asked: Asked | undefined, merged: readonly CandleBlock[], mine: CandleBlock): string {
  const rowsOf = (source: string): number =>
    merged.reduce((rows, block) => rows + (block.source === source ? block.rows : 0), 0);
  if (asked === undefined) return `${mine.rows} sound bars of the file kept, REST was not asked`;
  const [rest, kept] = [rowsOf('rest'), rowsOf('vision')];
  const failed = asked.failure === undefined ? '' : '; REST could not be asked for all of it';
  if (rest === 0) {
    const why =
      asked.failure !== undefined
        ? ''
        : asked.blocks.length === 0
          ? ', REST has none'
          : ', REST has the same';
    return `${kept} bars of the file kept${why}${failed}`;
  }
  return `${rest} bars taken from REST${kept === 0 ? '' : `, ${kept} that it lacks kept from the file`}${failed}`;
}

/** The parts of blocks from a time on. */
const after = (blocks: readonly CandleBlock[], from: number): CandleBlock[] =>
  blocks.map((block) => within(block, { from, to: Number.POSITIVE_INFINITY }));
