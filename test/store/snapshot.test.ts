import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { candlesIn } from '../../machines/model/block.ts';
import type { Candle } from '../../machines/model/kline.ts';
import { Snapshot } from '../../src/store/snapshot.ts';
import { at, BTC, bar, ETH } from '../pipeline/candles.ts';
import { execute, rows, useFolder } from './stores.ts';

const { here, writer } = useFolder();
const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER };

async function store(candles: readonly Candle[]): Promise<void> {
  const one = writer();
  await one.open();
  await one.commit(
    candles.map((candle) => ({ candle })),
    Number.NaN,
  );
  await one.close(Number.NaN);
}

function read(range = ALL): Candle[] {
  const snapshot = new Snapshot(here.path, BTC);
  try {
    // Each block is copied as it comes.
    return [...snapshot.blocks(range)].flatMap((block) => [...candlesIn(block)]);
  } finally {
    snapshot.close();
  }
}

describe('a snapshot of a series', () => {
  test('has its bars with where each came from, however often that changes', async () => {
    const sources = ['stream', 'rest', 'vision', 'vision', 'rest'] as const;
    const candles = Array.from({ length: 20_050 }, (_, index) =>
      bar(at(index), index < 9_990 ? 'vision' : sources[index % 5]),
    );
    await store([...candles, bar(at(3), 'rest', ETH)]);
    expect(JSON.stringify(read()) === JSON.stringify(candles)).toBe(true);
  });

  test('has those from the first time on and before the second, and knows the gaps there', async () => {
    await store(Array.from({ length: 9 }, (_, index) => bar(at(index))));
    expect(read({ from: at(3), to: at(6) }).map(({ openTime }) => openTime)).toEqual([at(3), at(4), at(5)]);
    expect(read({ from: at(3) + 1, to: at(4) })).toEqual([]);
    const gap = (symbol: string, from: number, to: number, filledAt: number | null): string =>
      `('${symbol}', '1m', ${at(from)}, ${at(to)}, 'none', 1, ${filledAt})`;
    execute(
      here.path,
      `INSERT INTO gaps VALUES ${gap('BTCUSDT', 20, 22, null)}, ${gap('BTCUSDT', 24, 24, 5)}, ${gap('ETHUSDT', 20, 22, null)}`,
    );
    const snapshot = new Snapshot(here.path, BTC);
    const gapsIn = (from: number, to: number): number => snapshot.gaps({ from, to }).length;
    expect([
      gapsIn(at(22), at(30)),
      gapsIn(at(23), at(30)),
      gapsIn(0, at(20)),
      gapsIn(0, at(20) + 1),
    ]).toEqual([1, 0, 0, 1]);
    snapshot.close();
  });

  test('is of the moment when it was taken, of a store that nobody wrote then', async () => {
    await store(Array.from({ length: 12_000 }, (_, index) => bar(at(index))));
    const snapshot = new Snapshot(here.path, BTC);
    const other = writer();
    await other.open();
    await other.commit(rows(12_000, 13_000), Number.NaN);
    const blocks = snapshot.blocks(ALL);
    const begin = blocks.next().value?.rows ?? 0;
    const gap = { ...BTC, fromOpenTime: at(14_000), toOpenTime: at(14_000), reason: 'none', detectedAt: 1 };
    await other.commit([...rows(13_000, 14_000), { gap }], Number.NaN);
    execute(here.path, 'DELETE FROM candles WHERE open_time % 120000 = 0');
    await other.close(Number.NaN);
    expect(snapshot.gaps(ALL)).toEqual([]);
    expect([...blocks].reduce((sum, block) => sum + block.rows, begin)).toBe(12_000);
    snapshot.close();
    expect(read()).toHaveLength(7_000);
  });

  test('leaves nothing beside the store', async () => {
    await store([bar(at(0))]);
    const before = readdirSync(here.folder);
    expect(read()).toHaveLength(1);
    expect(readdirSync(here.folder)).toEqual(before);
  });
});
