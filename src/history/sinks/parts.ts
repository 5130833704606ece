/** Blocks, cut and joined: pure. */
import { type CandleBlock, indexAt, newColumns, partOf } from '../../../machines/model/block.ts';

export const rowsIn = (blocks: readonly CandleBlock[]): number =>
  blocks.reduce((sum, { rows }) => sum + rows, 0);

/** Two rows of blocks, each ascending and without bars of the other, as one that ascends. */
export function interleaved(one: readonly CandleBlock[], other: readonly CandleBlock[]): CandleBlock[] {
  const [left, right] = [one, other].map((blocks) => blocks.filter(({ rows }) => rows > 0).reverse());
  const all: CandleBlock[] = [];
  while (left !== undefined && right !== undefined) {
    const [a, b] = [left.at(-1), right.at(-1)];
    if (a === undefined || b === undefined) return [...all, ...left.reverse(), ...right.reverse()];
    const [first, second, rest] = opensAt(a) <= opensAt(b) ? [a, b, left] : [b, a, right];
    const end = indexAt(first, opensAt(second));
    all.push(partOf(first, 0, end));
    rest.pop();
    if (end < first.rows) rest.push(partOf(first, end, first.rows));
  }
  return all;
}

const opensAt = ({ columns }: CandleBlock): number => columns.openTime[0] as number;

/** The blocks in portions of at most `rowsMax` rows, in order. */
export function portionsOf(blocks: readonly CandleBlock[], rowsMax: number): CandleBlock[][] {
  const portions: CandleBlock[][] = [[]];
  let room = rowsMax;
  for (const block of blocks) {
    for (let from = 0; from < block.rows; ) {
      if (room === 0) {
        portions.push([]);
        room = rowsMax;
      }
      const to = Math.min(block.rows, from + room);
      portions.at(-1)?.push(from === 0 && to === block.rows ? block : partOf(block, from, to));
      room -= to - from;
      from = to;
    }
  }
  return portions;
}

/** The same bars in memory of their own, which may be handed over; neighbours of one source are one block. */
export function copied(blocks: readonly CandleBlock[]): CandleBlock[] {
  const groups: CandleBlock[][] = [];
  for (const block of blocks) {
    const group = groups.at(-1);
    if (group?.[0]?.source === block.source) group.push(block);
    else groups.push([block]);
  }
  return groups.map((group) => {
    const rows = rowsIn(group);
    const columns = newColumns(rows);
    let at = 0;
    for (const block of group) {
      for (const [field, column] of Object.entries(block.columns))
        columns[field as keyof typeof columns].set(column.subarray(0, block.rows), at);
      at += block.rows;
    }
    return { ...(group[0] as CandleBlock), rows, columns };
  });
}
