import { rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { Candle } from '../../machines/model/kline.ts';
import { inspectStore } from '../../src/store/inspect.ts';
import { readCandles } from '../../src/store/reader.ts';
import { at, BTC, bar, ETH } from '../pipeline/candles.ts';
import { within } from '../support/wait.ts';
import { openFilesBelow, query, rows, useFolder } from './stores.ts';

const { here, writer, workers } = useFolder();

describe('a store', () => {
  test('has the columns that the contract names', async () => {
    await writer().open();
    const columns = (table: string): unknown[] =>
      query(here.path, `SELECT name FROM pragma_table_info('${table}')`).map((column) => column['name']);
    expect(columns('candles')).toEqual(
      (
        'symbol interval open_time open high low close volume close_time quote_volume count ' +
        'taker_buy_volume taker_buy_quote_volume source'
      ).split(' '),
    );
    expect(columns('gaps')).toEqual(
      'symbol interval from_open_time to_open_time reason detected_at filled_at'.split(' '),
    );
    expect(columns('revisions')).toEqual('symbol interval open_time before after source seen_at'.split(' '));
    expect(query(here.path, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
  });

  test('keeps every value as it came', async () => {
    const one = writer();
    await one.open();
    const odd = bar(at(3), 'rest', { symbol: '币安人生USDT', interval: '1M' } as never, {
      openTime: Date.UTC(2024, 1, 1),
      closeTime: Date.UTC(2024, 2, 1) - 1,
      open: 0.1 + 0.2,
      high: 1.7976931348623157e308,
      low: 5e-324,
      volume: Number('12345678901234567890.123'),
      count: Number.MAX_SAFE_INTEGER,
    });
    await one.commit([{ candle: odd }, ...rows(0, 2)], 1);
    expect(readCandles(here.path, { symbol: '币安人生USDT', interval: '1M' }, -1, 10)).toEqual([odd]);
    expect(readCandles(here.path, BTC, at(0) - 1, 10)).toEqual([bar(at(0)), bar(at(1))]);
    expect(readCandles(here.path, BTC, at(0), 10)).toEqual([bar(at(1))]);
    expect(readCandles(here.path, BTC, Number.NEGATIVE_INFINITY, 1)).toEqual([bar(at(0))]);
    expect(readCandles(here.path, ETH, Number.NEGATIVE_INFINITY, 1)).toEqual([]);
    expect(
      query(here.path, 'SELECT DISTINCT typeof(open), typeof(open_time), typeof(count) FROM candles'),
    ).toEqual([{ 'typeof(open)': 'real', 'typeof(open_time)': 'integer', 'typeof(count)': 'integer' }]);
  });

  test('holds a bar once: a batch that is written again changes nothing', async () => {
    const one = writer();
    await one.open();
    await one.commit(rows(0, 5), 1);
    // Before and behind the bar as it was: neither the first nor the last of a batch may win over what is there.
    const altered = { candle: bar(at(2), 'rest', BTC, { close: 1 }) };
    await one.commit([altered, ...rows(0, 6), altered], 2);
    expect(readCandles(here.path, BTC, 0, 100)).toEqual(
      rows(0, 6).map((row) => 'candle' in row && row.candle),
    );
  });

  test('keeps gaps, once each, open until they are filled', async () => {
    const one = writer();
    await one.open();
    const gap = { ...BTC, fromOpenTime: at(1), toOpenTime: at(2), reason: 'none', detectedAt: 77 };
    await one.commit([...rows(0, 1), { gap }, ...rows(3, 4)], 1);
    await one.commit([{ gap }], 1);
    expect(query(here.path, 'SELECT * FROM gaps')).toEqual([
      {
        symbol: 'BTCUSDT',
        interval: '1m',
        from_open_time: at(1),
        to_open_time: at(2),
        reason: 'none',
        detected_at: 77,
        filled_at: null,
      },
    ]);
  });

  test('tells where each series stands when it is opened again, a gap at the end included', async () => {
    const one = writer();
    expect(await one.open()).toEqual({ watermarks: [], gaps: [] });
    await one.commit(rows(0, 3), 1);
    const gap = { ...ETH, fromOpenTime: at(1), toOpenTime: at(9), reason: 'none', detectedAt: 1 };
    await one.commit([{ candle: bar(at(0), 'rest', ETH) }, { gap }], 1);
    await one.close(at(5));
    const { watermarks } = await one.open();
    expect(watermarks).toMatchObject([
      { symbol: 'BTCUSDT', interval: '1m', openTime: at(2) },
      { symbol: 'ETHUSDT', interval: '1m', openTime: at(9) },
    ]);
    expect(await inspectStore(here.path)).toEqual({ exists: true, origin: 'simulator', exchangeTime: at(5) });
  });

  test('never takes back how far a series is collected: a batch that is sent again, or late, moves nothing', async () => {
    const one = writer();
    await one.open();
    await one.commit(rows(0, 5), 1);
    await one.commit(rows(0, 2), 2);
    await one.close(at(5));
    expect((await one.open()).watermarks).toMatchObject([
      { symbol: 'BTCUSDT', interval: '1m', openTime: at(4) },
    ]);
  });

  const broken: [string, Partial<Candle>][] = [
    ['NaN', { close: Number.NaN }],
    ['Infinity', { volume: Number.POSITIVE_INFINITY }],
    ['-Infinity', { low: Number.NEGATIVE_INFINITY }],
    ['half a millisecond', { openTime: at(1) + 0.5 }],
    ['half a trade', { count: 1.5 }],
    ['a source that there is none', { source: 'guess' as never }],
    ['no symbol', { symbol: null as never }],
  ];
  test.each(broken)('takes nothing of a batch with %s in it, and takes the next', async (_, change) => {
    const one = writer();
    await one.open();
    await one.commit(rows(0, 1), 1);
    const batch = [...rows(1, 3), { candle: bar(at(3), 'stream', BTC, change) }, ...rows(4, 6)];
    await expect(one.commit(batch, 2)).rejects.toMatchObject({ code: 'STORE_WRITE', retryable: true });
    expect(query(here.path, 'SELECT count(*) AS n FROM candles')).toEqual([{ n: 1 }]);
    expect(query(here.path, 'SELECT open_time AS at FROM watermarks')).toEqual([{ at: at(0) }]);
    expect(await inspectStore(here.path)).toMatchObject({ exchangeTime: 1 });
    await one.commit(rows(1, 3), 3);
    expect(query(here.path, 'SELECT count(*) AS n FROM candles')).toEqual([{ n: 3 }]);
  });

  test('is read by others while it is written, also in one long look', async () => {
    const one = writer();
    await one.open();
    await one.commit(rows(0, 10), 1);
    const reader = new DatabaseSync(here.path, { readOnly: true });
    try {
      reader.exec('BEGIN');
      const count = reader.prepare('SELECT count(*) AS n FROM candles');
      expect(count.get()?.['n']).toBe(10);
      for (let index = 10; index < 40; index += 10)
        await within('a commit beside a reader', one.commit(rows(index, index + 10), 1), 900);
      expect(count.get()?.['n']).toBe(10);
      reader.exec('COMMIT');
      expect(count.get()?.['n']).toBe(40);
      reader.exec('BEGIN');
      count.get();
      await within('closing beside a reader', one.close(1), 4_000);
    } finally {
      reader.close();
    }
    expect(query(here.path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  });

  test('S10 locked by another program for long refuses the batch, and takes it afterwards', async () => {
    const one = writer();
    await one.open();
    const other = new DatabaseSync(here.path);
    other.exec('BEGIN IMMEDIATE');
    await expect(within('the refusal', one.commit(rows(0, 2), 1), 4_000)).rejects.toMatchObject({
      code: 'STORE_WRITE',
      retryable: true,
    });
    other.exec('ROLLBACK');
    other.close();
    await one.commit(rows(0, 2), 1);
    expect(query(here.path, 'SELECT count(*) AS n FROM candles')).toEqual([{ n: 2 }]);
  });

  test('once closed has all in one file, and no file of it is open any more', async () => {
    const one = writer();
    await one.open();
    await one.commit(rows(0, 500), 1);
    expect(openFilesBelow(here.folder)).not.toEqual([]);
    await one.close(1);
    expect(openFilesBelow(here.folder)).toEqual([]);
    expect(statSync(`${here.path}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
    await one.close(1);
    one.terminate();
    expect(workers).toHaveLength(1);
  });

  test('that was never opened closes at once', async () => {
    await within('close', writer().close(Number.NaN), 500);
    expect(workers).toHaveLength(0);
  });

  test('that is not open refuses rows', async () => {
    const one = writer();
    await expect(one.commit(rows(0, 1), 1)).rejects.toMatchObject({ code: 'STORE_WRITER_GONE' });
  });
});

test('S14 a store that is removed while it is written commits nothing more, and says so', async () => {
  const one = writer();
  await one.open();
  await one.commit([{ candle: bar(at(0)) }], 1);
  for (const end of ['', '-wal', '-shm']) rmSync(`${here.path}${end}`, { force: true });
  const gone = { code: 'STORE_REPLACED', message: expect.stringContaining('was removed or replaced') };
  await expect(one.commit([{ candle: bar(at(1)) }], 2)).rejects.toMatchObject(gone);
  await expect(one.close(2)).rejects.toMatchObject(gone);
});
