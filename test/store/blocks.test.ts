/** A store read from front to back by somebody who does not write it. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { candlesIn } from '../../machines/model/block.ts';
import { namesOfSeries, readBlocks } from '../../src/store/blocks.ts';
import { at, BTC, bar, ETH } from '../pipeline/candles.ts';
import { batchOf, blockAt, collected, numbersOf, withStore } from './histories.ts';
import { execute, useFolder } from './stores.ts';

const { here, writer } = useFolder();
const read = (options?: Parameters<typeof readBlocks>[2]) => [...readBlocks(here.path, BTC, options)];

describe('the bars of a series', () => {
  test('come in blocks of one source each, no longer than asked for, all of them once, in order', () => {
    withStore(here.path, (store) => {
      store.load(batchOf([[0, 25]]), 1);
      store.commit(collected([25, 28]), 1);
      store.load(
        {
          series: BTC,
          blocks: [blockAt([28], 'rest'), blockAt(numbersOf([29, 40]))],
          gaps: [],
          collected: [],
        },
        1,
      );
      store.load({ series: ETH, blocks: [blockAt([3], 'rest', ETH)], gaps: [], collected: [] }, 1);
    });
    const blocks = read({ rowsPerBlock: 10 });
    expect(blocks.map(({ source, rows }) => [source, rows])).toEqual([
      ['vision', 10],
      ['vision', 10],
      ['vision', 5],
      ['stream', 3],
      ['rest', 1],
      ['vision', 1],
      ['vision', 10],
    ]);
    expect(blocks.flatMap((block) => [...candlesIn(block)])).toEqual(
      numbersOf([0, 40]).map((n) => bar(at(n), n < 25 || n > 28 ? 'vision' : n < 28 ? 'stream' : 'rest')),
    );
    expect(read()).toHaveLength(4);
  });

  test('come as far as they open in a range', () => {
    withStore(here.path, (store) => store.load(batchOf([[0, 40]]), 1));
    const times = (from?: number, to?: number) =>
      read({ from, to, rowsPerBlock: 7 }).flatMap((block) => [...block.columns.openTime]);
    expect(times(at(5), at(20))).toEqual(numbersOf([5, 20]).map(at));
    expect(times(at(5) + 1, at(20) + 1)).toEqual(numbersOf([6, 21]).map(at));
    expect(times(at(33))).toEqual(numbersOf([33, 40]).map(at));
    expect(times(undefined, at(7))).toEqual(numbersOf([0, 7]).map(at));
    expect(times(at(50))).toEqual([]);
  });

  test('are read while they are written; nobody waits, and what comes meanwhile is read as well', async () => {
    const one = writer();
    await one.open();
    await one.load(batchOf([[0, 100]]), 1);
    const blocks = readBlocks(here.path, BTC, { rowsPerBlock: 50 });
    expect(blocks.next().value?.rows).toBe(50);
    await one.load(batchOf([[100, 175]]), 1);
    await one.close(1);
    expect([...blocks].map(({ rows }) => rows)).toEqual([50, 50, 25]);
  });

  test('of a store that nobody writes are read without a file being made', () => {
    withStore(here.path, (store) => store.load(batchOf([[0, 100]]), 1));
    const files = readdirSync(here.folder);
    expect(read({ rowsPerBlock: 30 })).toHaveLength(4);
    expect(namesOfSeries(here.path)).toEqual([BTC]);
    expect(readdirSync(here.folder)).toEqual(files);
  });
});

test('every series of a store is told', () => {
  withStore(here.path, () => {});
  expect(namesOfSeries(here.path)).toEqual([]);
  const all = ['AAAUSDT', 'BTCUSDT', '币安人生USDT'].flatMap((symbol) =>
    (['1M', '1m', '5m'] as const).map((interval) => ({ symbol, interval })),
  );
  withStore(here.path, (store) => {
    for (const [index, series] of all.entries())
      store.commit(
        numbersOf([0, index + 1]).map((n) => ({ candle: bar(at(3 * n), 'rest', series) })),
        1,
      );
  });
  execute(here.path, `DELETE FROM candles WHERE symbol = 'AAAUSDT' AND interval = '1m'`);
  expect(namesOfSeries(here.path)).toEqual(
    all.filter(({ symbol, interval }) => symbol !== 'AAAUSDT' || interval !== '1m'),
  );
});
