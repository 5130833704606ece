import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Candle, Series } from '../../machines/model/kline.ts';
import { CandleIterator, type CandleReader } from '../../src/pipeline/candle-iterator.ts';
import { StoreDatabase } from '../../src/store/database.ts';
import { readCandles } from '../../src/store/reader.ts';
import { within } from '../support/wait.ts';
import { at, BTC, bar, ETH } from './candles.ts';

let folder: string;
let path: string;
let database: StoreDatabase;
let isOpen: boolean;
const reader: CandleReader = { read: (series, after, rows) => readCandles(path, series, after, rows) };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'candlestate-'));
  path = join(folder, 'store.db');
  const holder = { pid: process.pid, host: 'here', since: 0 };
  ({ database } = StoreDatabase.open({ path, origin: 'simulator', holder }));
  isOpen = true;
});
afterEach(() => {
  if (isOpen) database.close(Number.NaN);
  rmSync(folder, { recursive: true });
});

/** Iterators over a store, fed as the collector does it: committed first, then pushed. */
function feed(change: { series?: Series[]; queueSize?: number; since?: number; reader?: CandleReader } = {}) {
  let current = 'reader' in change ? change.reader : reader;
  const iterator = new CandleIterator({
    series: change.series ?? [BTC],
    queueSize: change.queueSize ?? 5,
    hasStore: true,
    reader: () => current,
    onEnd: () => {},
    ...(change.since === undefined ? {} : { since: change.since }),
  });
  const commit = (candles: readonly Candle[]): void => {
    for (let from = 0; from < candles.length; from += 100)
      database.commit(
        candles.slice(from, from + 100).map((candle) => ({ candle })),
        0,
      );
    for (const candle of candles) iterator.push(candle);
  };
  const read = async (count: number): Promise<Candle[]> => {
    const got: Candle[] = [];
    while (got.length < count) {
      const result = await within(`candle ${got.length} of ${count}`, iterator.next());
      if (result.done) break;
      got.push(result.value);
    }
    return got;
  };
  const openStore = (): void => {
    current = reader;
    iterator.poke();
  };
  return { iterator, commit, read, openStore };
}

const bars = (from: number, to: number, series: Series = BTC): Candle[] =>
  Array.from({ length: to - from }, (_, index) => bar(at(from + index), 'stream', series));
const times = (candles: readonly Candle[], series: Series = BTC): number[] =>
  candles.filter((candle) => candle.symbol === series.symbol).map((candle) => candle.openTime);

describe('a consumer that lags', () => {
  test('B01 gets every candle once and in order, from the store and then live', async () => {
    const { commit, read, iterator } = feed();
    commit(bars(0, 2_345));
    const first = await read(700);
    commit(bars(2_345, 2_400));
    const rest = await read(1_700);
    commit(bars(2_400, 2_402));
    iterator.end();
    const last = await read(100);
    expect(times([...first, ...rest, ...last])).toEqual(times(bars(0, 2_402)));
    expect(first[3]).toEqual(bar(at(3)));
  });

  test('starts at the candle that closed after it was made, not before', async () => {
    const { commit, read, iterator } = feed();
    database.commit(
      bars(0, 50).map((candle) => ({ candle })),
      0,
    );
    commit(bars(50, 1_500));
    iterator.end();
    expect(times(await read(10_000))).toEqual(times(bars(50, 1_500)));
  });

  test('of several series gets each of them once, also those that go on while others are read', async () => {
    const { commit, read, iterator } = feed({ series: [BTC, ETH], queueSize: 3 });
    for (let index = 0; index < 1_200; index += 10)
      commit([...bars(index, index + 10), ...bars(index, index + 10, ETH)]);
    const got: Candle[] = [];
    for (let index = 1_200; index < 1_500; index += 3) {
      got.push(...(await read(7)));
      commit([...bars(index, index + 3, ETH), ...bars(index, index + 3)]);
    }
    iterator.end();
    got.push(...(await read(10_000)));
    expect(times(got)).toEqual(times(bars(0, 1_500)));
    expect(times(got, ETH)).toEqual(times(bars(0, 1_500, ETH), ETH));
  });

  test('B01 keeps none of what it lags behind in memory: all of it is read from the store', async () => {
    let rowsRead = 0;
    const counting: CandleReader = {
      read(series, after, rows) {
        const page = reader.read(series, after, rows);
        rowsRead += page.length;
        return page;
      },
    };
    const { commit, read, iterator } = feed({ reader: counting });
    commit(bars(0, 2_000));
    iterator.end();
    expect(times(await read(10_000))).toEqual(times(bars(0, 2_000)));
    expect(rowsRead).toBe(2_000);
  });
});

describe('an iterator with since', () => {
  test('replays what opens after it, then goes on live', async () => {
    database.commit(
      bars(0, 80).map((candle) => ({ candle })),
      0,
    );
    const { commit, read, iterator } = feed({ since: at(9) });
    const replayed = await read(30);
    commit(bars(80, 85));
    iterator.end();
    expect(times([...replayed, ...(await read(1_000))])).toEqual(times(bars(10, 85)));
  });

  test('of several series replays each', async () => {
    database.commit(
      [...bars(0, 40), ...bars(0, 40, ETH)].map((candle) => ({ candle })),
      0,
    );
    const { read, iterator } = feed({ series: [BTC, ETH], since: at(9) });
    iterator.end();
    const got = await read(1_000);
    expect(times(got)).toEqual(times(bars(10, 40)));
    expect(times(got, ETH)).toEqual(times(bars(10, 40, ETH), ETH));
  });

  test('made before the store is open waits for it, and misses nothing', async () => {
    const { commit, read, openStore, iterator } = feed({ since: at(-1), reader: undefined as never });
    commit(bars(0, 20));
    const waiting = read(1);
    openStore();
    commit(bars(20, 25));
    iterator.end();
    expect(times([...(await waiting), ...(await read(1_000))])).toEqual(times(bars(0, 25)));
  });

  test('ends when the run ends before there is a store', async () => {
    const { read, iterator } = feed({ since: 0, reader: undefined as never });
    const waiting = read(1);
    iterator.end();
    expect(await waiting).toEqual([]);
  });

  test('behind everything gets only what is new', async () => {
    const { commit, read, iterator } = feed({ since: at(10_000) });
    commit(bars(0, 3));
    iterator.end();
    expect(await read(10)).toEqual([]);
  });

  test('goes on reading after the run has ended and the store is closed', async () => {
    const { commit, read, iterator } = feed({ since: at(-1) });
    commit(bars(0, 1_234));
    iterator.end();
    database.close(Number.NaN);
    isOpen = false;
    expect(times(await read(10_000))).toEqual(times(bars(0, 1_234)));
  });
});

test('replaying years of candles leaves the loop its turns: a stop, a pong, a frame', async () => {
  const PAGES = 200;
  let reads = 0;
  const endless: CandleReader = {
    read: (_, after, rows) => {
      reads += 1;
      const first = Math.max(0, Math.round((after - at(0)) / 60_000) + 1);
      return reads > PAGES ? [] : Array.from({ length: rows }, (_item, index) => bar(at(first + index)));
    },
  };
  const iterator = new CandleIterator({
    series: [BTC],
    queueSize: 5,
    hasStore: true,
    reader: () => endless,
    onEnd: () => {},
    since: at(-1),
  });
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 0);
  iterator.end();
  let seen = 0;
  for await (const _ of iterator) seen += 1;
  clearInterval(timer);
  expect(seen).toBe(PAGES * 500);
  expect(turns).toBeGreaterThan(5);
});
