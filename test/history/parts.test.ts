import { describe, expect, test } from 'vitest';
import { copied, interleaved, portionsOf, rowsIn } from '../../src/history/sinks/parts.ts';
import { bars, nthsOf } from './scripted-source.ts';

describe('blocks', () => {
  test('that come late stand where they belong', () => {
    const found = [bars(0, 10, 'vision', 2, 3, 7), bars(10, 12)];
    const late = [bars(2, 4, 'rest'), bars(7, 8, 'rest'), bars(12, 14, 'rest')];
    const all = interleaved(found, late);
    expect(nthsOf(all)).toEqual(Array.from({ length: 14 }, (_, nth) => nth));
    expect(all.map(({ source, rows }) => `${source} ${rows}`).join(' ')).toBe(
      'vision 2 rest 2 vision 3 rest 1 vision 2 vision 2 rest 2',
    );
  });

  test('are the same in portions, none of which is too large', () => {
    const blocks = [bars(0, 7), bars(7, 8), bars(8, 20)];
    const portions = portionsOf(blocks, 5);
    expect(portions.map(rowsIn)).toEqual([5, 5, 5, 5]);
    expect(nthsOf(portions.flat())).toEqual(nthsOf(blocks));
    expect(portionsOf([], 5)).toEqual([[]]);
  });

  test('are copied into memory of their own, one for each source', () => {
    const blocks = [bars(0, 3), bars(3, 5), bars(5, 6, 'rest')];
    const copies = copied(blocks);
    expect(copies.map(({ source, rows }) => `${source} ${rows}`)).toEqual(['vision 5', 'rest 1']);
    expect(nthsOf(copies)).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...(copies[0]?.columns.takerBuyQuoteVolume ?? [])]).toEqual([40, 40, 40, 40, 40]);
    const memory = new Set(blocks.map(({ columns }) => columns.openTime.buffer));
    expect(copies.some(({ columns }) => memory.has(columns.openTime.buffer))).toBe(false);
  });
});
