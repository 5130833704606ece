import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { blockOf } from '../../machines/model/block.ts';
import { openParquetFile } from '../../src/store/parquet-file.ts';
import { BTC, bar, ETH, T0 } from '../pipeline/candles.ts';
import { seeded } from '../support/seeded.ts';
import { useFolder } from './stores.ts';
import { duck, hasPandas, numbersOf, pandas, parquetNumbers, randomBlock, writeAll } from './tables.ts';

const { here } = useFolder();
const target = (): string => join(here.folder, 'a.parquet');

const TYPES = [
  ['symbol', 'VARCHAR'],
  ['interval', 'VARCHAR'],
  ['open_time', 'BIGINT'],
  ['open', 'DOUBLE'],
  ['high', 'DOUBLE'],
  ['low', 'DOUBLE'],
  ['close', 'DOUBLE'],
  ['volume', 'DOUBLE'],
  ['close_time', 'BIGINT'],
  ['quote_volume', 'DOUBLE'],
  ['count', 'BIGINT'],
  ['taker_buy_volume', 'DOUBLE'],
  ['taker_buy_quote_volume', 'DOUBLE'],
  ['source', 'VARCHAR'],
];

const typesOf = async (path: string): Promise<unknown[][]> =>
  (await duck(path, 'DESCRIBE SELECT * FROM $file')).map((row) => row.slice(0, 2));

describe('a Parquet file, read by DuckDB', () => {
  test('has the columns of the store, with integers for times and counts', async () => {
    await writeAll(await openParquetFile(target()), [blockOf(BTC, 'rest', [bar(T0)])]);
    expect(await typesOf(target())).toEqual(TYPES);
    const [row] = await duck(target(), "SELECT *, strftime(epoch_ms(open_time), '%xT%X') FROM $file");
    expect(row?.map((value) => (typeof value === 'bigint' ? Number(value) : value))).toEqual([
      ...['BTCUSDT', '1m', T0, 133, 134, 132, 133.5, 2, T0 + 59_999, 266, 3, 1, 133, 'rest'],
      '2023-11-14T22:13:00',
    ]);
  });

  test('of no rows has its columns', async () => {
    expect(await writeAll(await openParquetFile(target()), [])).toMatchObject({ rows: 0 });
    expect(await typesOf(target())).toEqual(TYPES);
    expect(await duck(target(), 'SELECT count(*) FROM $file')).toEqual([[0n]]);
  });

  test('reads back as what was written, to the last bit, over the edges of its groups', async () => {
    const random = seeded(6);
    const blocks = [1, 65_535, 3, 0, 65_537, 5_000].map((rows, index) =>
      randomBlock(random, rows, { first: T0 + index * 1e10 }),
    );
    const size = await writeAll(await openParquetFile(target()), blocks);
    const wanted = numbersOf(blocks);
    expect(size).toEqual({ rows: wanted.length, bytes: statSync(target()).size });
    const found = await parquetNumbers(target());
    expect(found.length).toBe(wanted.length);
    expect(
      found.findIndex((row, index) => row.some((value, at) => !Object.is(value, wanted[index]?.[at]))),
    ).toBe(-1);
    const groups = await duck(
      target(),
      'SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata($file)',
    );
    expect(groups.map(([, rows]) => Number(rows)).every((rows) => rows <= 65_536)).toBe(true);
    expect(groups).toHaveLength(3);
  });

  test('keeps extreme numbers, and says which series and source a row is of', async () => {
    const values = [Number.MAX_VALUE, Number.MIN_VALUE, 1e-7, 1e21, 0, 2 ** 53 + 2, 0.1 + 0.2];
    const candles = values.map((value, row) => bar(T0 + row * 60_000, 'rest', BTC, { volume: value }));
    const blocks = [blockOf(BTC, 'rest', candles), blockOf(ETH, 'vision', [bar(T0, 'vision', ETH)])];
    await writeAll(await openParquetFile(target()), blocks);
    const found = await duck(target(), 'SELECT volume FROM $file WHERE source = $$rest$$');
    expect(found.map(([value]) => value)).toEqual(values);
    expect(
      await duck(target(), 'SELECT symbol, source, count(*) FROM $file GROUP BY ALL ORDER BY ALL'),
    ).toEqual([
      ['BTCUSDT', 'rest', 7n],
      ['ETHUSDT', 'vision', 1n],
    ]);
  });

  test('lets a reader skip what it does not look for', async () => {
    const blocks = [randomBlock(seeded(2), 70_000)];
    await writeAll(await openParquetFile(target()), blocks);
    const found = await duck(
      target(),
      "SELECT stats_min_value, stats_max_value FROM parquet_metadata($file) WHERE path_in_schema = 'open_time' ORDER BY row_group_id",
    );
    expect(found).toEqual([
      [String(T0), String(T0 + 65_535 * 60_000)],
      [String(T0 + 65_536 * 60_000), String(T0 + 69_999 * 60_000)],
    ]);
  });

  test('is not there when it was given up', async () => {
    const table = await openParquetFile(target());
    await table.write(randomBlock(seeded(3), 70_000));
    expect(existsSync(target())).toBe(false);
    await table.abort();
    expect(readdirSync(here.folder)).toEqual([]);
  });
});

describe('a Parquet file, read by pandas', () => {
  // Debian has pandas, and none of the packages by which it reads Parquet: there this is skipped.
  test.skipIf(!hasPandas)(
    'has the numbers that were written, with integers for times and counts',
    async () => {
      const block = randomBlock(seeded(7), 1_000);
      await writeAll(await openParquetFile(target()), [block]);
      const types = pandas(target(), 'print(json.dumps([[c, str(t)] for c, t in frame.dtypes.items()]))');
      const typeOf: Record<string, string> = { BIGINT: 'int64', DOUBLE: 'float64' };
      const numeric = TYPES.filter(([, type]) => type !== 'VARCHAR');
      expect(types).toEqual(
        expect.arrayContaining(numeric.map(([name, type]) => [name, typeOf[type ?? '']])),
      );
      const names = JSON.stringify(numeric.map(([name]) => name));
      expect(pandas(target(), `print(json.dumps(frame[${names}].astype(object).values.tolist()))`)).toEqual(
        numbersOf([block]),
      );
    },
  );
});
