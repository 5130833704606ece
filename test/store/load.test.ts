/** History goes into a store: whole batches, what is there stays as it is, gaps are filled and named. */
import { describe, expect, test } from 'vitest';
import { blockOf, candlesIn, partOf } from '../../machines/model/block.ts';
import { EXCHANGE_LACKS, EXCHANGE_UNREACHED, FOLDER_LACKS } from '../../machines/model/gap-reasons.ts';
import type { Candle } from '../../machines/model/kline.ts';
import { readCandles } from '../../src/store/reader.ts';
import { MemoryWriter } from '../../src/store/writer.ts';
import { at, BTC, bar } from '../pipeline/candles.ts';
import { batchOf, blockAt, collected, gapAt, numberOf, numbersOf, withStore } from './histories.ts';
import { said, useProcesses } from './processes.ts';
import { query, useFolder } from './stores.ts';

const { here, writer, workers } = useFolder();
const start = useProcesses();

const stored = (): number[] => readCandles(here.path, BTC, 0, 1_000).map((one) => numberOf(one.openTime));
/** Gaps as they are in the file: `from–to`, when they were found, and when filled. */
const gaps = (): string[] =>
  query(here.path, 'SELECT * FROM gaps ORDER BY from_open_time').map(
    (row) =>
      `${numberOf(row['from_open_time'])}–${numberOf(row['to_open_time'])} of ${row['detected_at']} ${row['filled_at'] ?? 'open'}`,
  );
const everything = () =>
  ['candles', 'gaps', 'watermarks', 'revisions'].map((table) => query(here.path, `SELECT * FROM ${table}`));

describe('history', () => {
  test('is stored by the thread as it came, and the blocks are handed over', async () => {
    const one = writer();
    await one.open();
    const batch = batchOf([[0, 100]]);
    const bars = [...candlesIn(batch.blocks[0]!)];
    expect(await one.load(batch, at(500))).toEqual({ inserted: 100, filled: 0 });
    expect(readCandles(here.path, BTC, 0, 1_000)).toEqual(bars);
    expect(batch.blocks[0]!.columns.openTime).toHaveLength(0);
    await one.close(at(500));
    expect((await one.open()).watermarks).toEqual([{ ...BTC, openTime: at(99), wholeFrom: at(0) }]);
    expect(await one.missing(BTC, { from: at(-1), to: at(101) }, { exchangeTime: at(500) })).toEqual([
      { from: at(-1), to: at(0) },
      { from: at(100), to: at(101) },
    ]);
  });

  test('of any number of rows, from several sources and of blocks that share their memory, is all there', async () => {
    const one = writer();
    await one.open();
    for (const [from, rows] of [0, 1, 31, 32, 33, 64, 100].map((rows, index) => [200 * index, rows] as const))
      expect(await one.load(batchOf([[from, from + rows]]), 1)).toEqual({ inserted: rows, filled: 0 });
    const whole = blockAt(numbersOf([2_000, 2_050]), 'rest');
    const blocks = [partOf(whole, 0, 20), partOf(whole, 20, 50), blockAt([1_999, 2_050], 'vision')];
    const batch = { series: BTC, blocks, gaps: [], collected: [] };
    expect(await one.load(batch, 1)).toEqual({ inserted: 52, filled: 0 });
    const bars = readCandles(here.path, BTC, at(1_998), 100);
    expect(bars.map((candle) => candle.source)).toEqual(['vision', ...Array(50).fill('rest'), 'vision']);
    expect(bars).toEqual(numbersOf([1_999, 2_051]).map((n, i) => bar(at(n), bars[i]!.source)));
  });

  test('never changes what is stored, and the same again changes nothing', () => {
    withStore(here.path, (store) => {
      store.commit(collected([10, 20]), at(30));
      const batch = () =>
        batchOf([[0, 15]], { gaps: [gapAt([15, 16]), gapAt([22, 25])], collected: [[0, 25]] });
      const altered = batch();
      altered.blocks[0]!.columns.close[12] = 1;
      expect(store.load(altered, at(30))).toEqual({ inserted: 10, filled: 0 });
      expect(readCandles(here.path, BTC, at(9), 10)).toEqual(numbersOf([10, 20]).map((n) => bar(at(n))));
      // Of a bar that is there no gap is made.
      expect(gaps()).toEqual(['22–24 of 7 open']);
      const before = everything();
      expect(store.load(batch(), at(30))).toEqual({ inserted: 0, filled: 0 });
      expect(everything()).toEqual(before);
    });
  });

  test('in any order fills what it closes of a gap, at the time that it is told when the exchange’s is not known', () => {
    withStore(here.path, (store) => {
      store.load(batchOf([[0, 3]], { gaps: [gapAt([3, 9])], collected: [[0, 9]] }), at(30));
      const blocks = [blockAt([8, 5, 4, 3])];
      const batch = { series: BTC, blocks, gaps: [], collected: [], foundAt: 77.4 };
      expect(store.load(batch, Number.NaN)).toEqual({ inserted: 4, filled: 4 });
      expect(gaps()).toEqual(['3–5 of 7 77', '6–7 of 7 open', '8–8 of 7 77']);
    });
  });

  const broken: [string, Partial<Candle>][] = [
    ['NaN', { close: Number.NaN }],
    ['Infinity', { volume: Number.POSITIVE_INFINITY }],
    ['half a trade', { count: 0.5 }],
    ['another series', { symbol: 'ETHUSDT' }],
  ];
  test.each(broken)('with %s in it is refused as a whole, and the next is taken', async (_, change) => {
    const one = writer();
    await one.open();
    await one.commit([{ candle: bar(at(0)) }, { gap: gapAt([1, 3]) }], 1);
    const before = everything();
    const spoilt = bar(at(60), 'vision', BTC, change);
    const block = blockOf({ ...BTC, symbol: spoilt.symbol }, 'vision', [spoilt]);
    const good = batchOf([[1, 40]], { gaps: [gapAt([40, 50])] });
    const batch = { ...good, blocks: [...good.blocks, block] };
    await expect(one.load(batch, at(99))).rejects.toMatchObject({ code: 'STORE_WRITE', retryable: true });
    expect(everything()).toEqual(before);
    expect(await one.load(batchOf([[1, 3]]), at(99))).toEqual({ inserted: 2, filled: 2 });
  });

  test('at a time that is not known is refused, and the blocks are kept', async () => {
    const one = writer();
    await one.open();
    const batch = batchOf([[0, 5]]);
    await expect(one.load(batch, Number.NaN)).rejects.toThrow(RangeError);
    expect(await one.load(batch, 1)).toEqual({ inserted: 5, filled: 0 });
  });

  test('that a thread which ends takes with it is said so, and nothing of it is there', async () => {
    const one = writer();
    await one.open();
    const load = one.load(batchOf([[0, 200_000]]), at(200_000));
    load.catch(() => {});
    await workers[0]!.terminate();
    const gone = { code: 'STORE_WRITER_GONE', retryable: true };
    await expect(load).rejects.toMatchObject(gone);
    await expect(one.missing(BTC, { from: 0, to: 1 }, { exchangeTime: 0 })).rejects.toMatchObject(gone);
    await one.open();
    expect(query(here.path, 'SELECT * FROM candles')).toEqual([]);
    expect(await one.load(batchOf([[0, 5]]), at(9))).toEqual({ inserted: 5, filled: 0 });
  });

  test('without a store is taken, and all of it is missing', async () => {
    const one = new MemoryWriter();
    expect(
      await one.load(
        batchOf([
          [0, 5],
          [7, 9],
        ]),
      ),
    ).toEqual({ inserted: 7, filled: 0 });
    expect(await one.missing(BTC, { from: 1, to: 2 })).toEqual([{ from: 1, to: 2 }]);
    expect(await one.missing(BTC, { from: 2, to: 2 })).toEqual([]);
  });
});

describe('gaps', () => {
  test('whose bars turn up are filled, in part where only some did', () => {
    withStore(here.path, (store) => {
      store.commit([...collected([0, 10]), { gap: gapAt([10, 20]) }, ...collected([20, 30])], at(30));
      expect(
        store.load(
          batchOf([
            [8, 12],
            [15, 16],
          ]),
          at(40),
        ),
      ).toEqual({ inserted: 3, filled: 3 });
      expect(gaps()).toEqual([
        `10–11 of 7 ${at(40)}`,
        '12–14 of 7 open',
        `15–15 of 7 ${at(40)}`,
        '16–19 of 7 open',
      ]);
      expect(store.load(batchOf([[12, 15]]), at(50))).toEqual({ inserted: 3, filled: 3 });
      expect(gaps()).toEqual([`10–14 of 7 ${at(50)}`, `15–15 of 7 ${at(40)}`, '16–19 of 7 open']);
      expect(store.load(batchOf([[10, 20]]), at(60))).toEqual({ inserted: 4, filled: 4 });
      expect(gaps()).toEqual([`10–14 of 7 ${at(50)}`, `15–19 of 7 ${at(60)}`]);
      expect(stored()).toEqual(numbersOf([0, 30]));
    });
  });

  test('of bars that came by another way are filled when history brings the bars again', () => {
    withStore(here.path, (store) => {
      store.commit([{ gap: gapAt([0, 5]) }, ...collected([2, 4])], at(30));
      expect(store.load(batchOf([[0, 5]]), at(40))).toEqual({ inserted: 3, filled: 5 });
      expect(gaps()).toEqual([`0–4 of 7 ${at(40)}`]);
    });
  });

  test('are named where bars lack that nobody has named', () => {
    withStore(here.path, (store) => {
      store.load(
        batchOf([[5, 8]], { gaps: [gapAt([0, 10]), gapAt([12, 14])], collected: [[0, 14]] }),
        at(30),
      );
      expect(gaps()).toEqual(['0–4 of 7 open', '8–9 of 7 open', '12–13 of 7 open']);
      // Right behind one that was found at the same time: one outage, one gap.
      store.load(batchOf([], { gaps: [gapAt([10, 13])] }), at(30));
      expect(gaps()).toEqual(['0–4 of 7 open', '8–11 of 7 open', '12–13 of 7 open']);
    });
  });

  test('found again by asking the exchange say when it said so last; what lies beside keeps its date', () => {
    withStore(here.path, (store) => {
      store.load(batchOf([], { gaps: [gapAt([0, 10])] }), at(30));
      store.load(batchOf([], { gaps: [gapAt([3, 6], EXCHANGE_LACKS, 9)] }), at(30));
      expect(gaps()).toEqual(['0–2 of 7 open', '3–5 of 9 open', '6–9 of 7 open']);
      store.load(batchOf([], { gaps: [gapAt([0, 10], EXCHANGE_LACKS, 8)] }), at(30));
      expect(gaps()).toEqual(['0–2 of 8 open', '3–5 of 9 open', '6–9 of 8 open']);
      store.load(batchOf([], { gaps: [gapAt([0, 10], EXCHANGE_LACKS, 11)] }), at(30));
      expect(gaps()).toEqual(['0–9 of 11 open']);
    });
  });

  test('named without asking the exchange give way to its word, and never take its place', () => {
    const reasons = () => query(here.path, 'SELECT reason FROM gaps').map((row) => row['reason']);
    withStore(here.path, (store) => {
      store.load(batchOf([], { gaps: [gapAt([0, 4], FOLDER_LACKS, 90)] }), at(30));
      store.commit([{ gap: gapAt([4, 6], EXCHANGE_UNREACHED, 90) }], at(30));
      expect(reasons()).toEqual([FOLDER_LACKS, EXCHANGE_UNREACHED]);
      store.load(batchOf([], { gaps: [gapAt([0, 6], EXCHANGE_LACKS, 50)] }), at(30));
      expect([reasons(), gaps()]).toEqual([[EXCHANGE_LACKS], ['0–5 of 50 open']]);
      store.load(batchOf([], { gaps: [gapAt([0, 8], FOLDER_LACKS, 95)] }), at(30));
      expect(gaps()).toEqual(['0–5 of 50 open', '6–7 of 95 open']);
    });
  });
});

test('H12 killed at any moment while history is loaded: every batch is there wholly or not at all, and the next run goes on', async () => {
  for (let round = 0; round < 5; round++) {
    const child = start('load', here.path);
    await said(child, 2 + Math.floor(Math.random() * 60));
    await child.kill();
    const acknowledged = Number(child.lines().at(-1));
    expect(query(here.path, 'PRAGMA integrity_check', false)).toEqual([{ integrity_check: 'ok' }]);
    const [mark] = query(here.path, 'SELECT open_time AS at FROM watermarks');
    const batches = (numberOf(mark?.['at']) + 1) / 100;
    expect(batches).toBeGreaterThanOrEqual(acknowledged);
    // Each batch has filled the gap that the one before it had named.
    expect(query(here.path, 'SELECT count(*) AS n, max(open_time) AS last FROM candles')).toEqual([
      { n: 100 * batches - 10, last: at(100 * batches - 11) },
    ]);
    expect(gaps()).toEqual(
      Array.from({ length: batches }, (_, batch) => {
        const range = `${100 * batch + 90}–${100 * batch + 99} of ${batch}`;
        return `${range} ${batch === batches - 1 ? 'open' : batch + 1}`;
      }),
    );
  }
});
