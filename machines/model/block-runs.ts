/** What blocks of one series hold between them, and what they lack. Total functions over plain data. */
import { BLOCK_FIELDS, type CandleBlock, indexAt, newColumns, partOf } from './block.ts';
import { barBefore, type Run } from './gaps.ts';
import { type Interval, nextOpenTime } from './interval.ts';
import type { Span } from './spans.ts';

/** The bars from `from` on and before `to`, both indices, in memory of their own. */
export function copyOf(block: CandleBlock, from = 0, to = block.rows): CandleBlock {
  const rows = Math.max(0, to - from);
  const columns = newColumns(rows);
  for (const field of BLOCK_FIELDS) columns[field].set(block.columns[field].subarray(from, from + rows));
  return { ...block, rows, columns };
}

/** Some rows of a block, in memory of their own. */
export function pickRows(block: CandleBlock, rows: readonly number[]): CandleBlock {
  const columns = newColumns(rows.length);
  for (const field of BLOCK_FIELDS)
    for (const [at, row] of rows.entries()) columns[field][at] = block.columns[field][row] as number;
  return { ...block, rows: rows.length, columns };
}

/** Blocks of one source that follow each other, as one. */
export function joinBlocks(blocks: readonly [CandleBlock, ...CandleBlock[]]): CandleBlock {
  const [first, ...others] = blocks;
  if (others.length === 0) return first;
  const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
  const columns = newColumns(rows);
  let at = 0;
  for (const block of blocks) {
    for (const field of BLOCK_FIELDS) columns[field].set(block.columns[field].subarray(0, block.rows), at);
    at += block.rows;
  }
  return { ...first, rows, columns };
}

/** The bars that open in a span of time, of a block that ascends; the same memory. */
export const within = (block: CandleBlock, { from, to }: Span): CandleBlock =>
  partOf(block, indexAt(block, from), indexAt(block, to));

/** Bars of a span, open times both, that no block holds. Blocks ascend, and so do the bars of each. */
export function lackingRuns(interval: Interval, { from, to }: Span, blocks: readonly CandleBlock[]): Run[] {
  const runs: Run[] = [];
  const hole = (due: number, until: number): void => {
    if (due < until) runs.push({ fromOpenTime: due, toOpenTime: barBefore(interval, until) });
  };
  let due = from;
  for (const { rows, columns } of blocks) {
    for (let row = 0; row < rows; row++) {
      const openTime = columns.openTime[row] as number;
      if (openTime !== due) hole(due, openTime);
      due = nextOpenTime(interval, openTime);
    }
  }
  hole(due, to);
  return runs;
}

/**
 * Bars of both, ascending, as blocks that share no memory with them; of a bar that both have, the first one's. Both
 * ascend.
 */
export function mergeBlocks(first: CandleBlock, second: CandleBlock): CandleBlock[] {
  const merged: CandleBlock[] = [];
  let at = 0;
  let done = Number.NEGATIVE_INFINITY;
  const addSecond = (until: number): void => {
    const from = indexAt(second, done);
    const to = indexAt(second, until);
    if (to > from) merged.push(copyOf(second, from, to));
  };
  const times = first.columns.openTime;
  while (at < first.rows) {
    addSecond(times[at] as number);
    let end = at + 1;
    // Bars of the first follow each other for as long as the second has nothing between two of them.
    while (end < first.rows) {
      const next = indexAt(second, (times[end - 1] as number) + 1);
      if (next < second.rows && (second.columns.openTime[next] as number) < (times[end] as number)) break;
      end++;
    }
    merged.push(copyOf(first, at, end));
    done = (times[end - 1] as number) + 1;
    at = end;
  }
  addSecond(Number.POSITIVE_INFINITY);
  return merged;
}

/** Bars of `runs` that are in none of `others`; each of those lies in one of them. Both ascend. */
export function runsWithout(interval: Interval, runs: readonly Run[], others: readonly Run[]): Run[] {
  return runs.flatMap((run) => {
    const left: Run[] = [];
    let at = run.fromOpenTime;
    for (const { fromOpenTime, toOpenTime } of others) {
      if (fromOpenTime < at || fromOpenTime > run.toOpenTime) continue;
      if (at < fromOpenTime) left.push({ fromOpenTime: at, toOpenTime: barBefore(interval, fromOpenTime) });
      at = nextOpenTime(interval, toOpenTime);
    }
    if (at <= run.toOpenTime) left.push({ fromOpenTime: at, toOpenTime: run.toOpenTime });
    return left;
  });
}

/** Runs that go on in the next one, as one. */
export function joinRuns(interval: Interval, runs: readonly Run[]): Run[] {
  const joined: Run[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    if (last === undefined || nextOpenTime(interval, last.toOpenTime) !== run.fromOpenTime) joined.push(run);
    else joined[joined.length - 1] = { ...last, toOpenTime: run.toOpenTime };
  }
  return joined;
}
