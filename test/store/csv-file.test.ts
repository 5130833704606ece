import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockOf } from '../../machines/model/block.ts';
import { openCsvFile, plain } from '../../src/store/csv-file.ts';
import { BTC, bar, T0 } from '../pipeline/candles.ts';
import { seeded } from '../support/seeded.ts';
import { useFolder } from './stores.ts';
import { csvNumbers, numbersOf, randomBlock, readCsv, writeAll } from './tables.ts';

const { here } = useFolder();
const target = (): string => join(here.folder, 'a.csv');

const HEADER =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore';

describe('a CSV file', () => {
  test("has the archive's header and twelve columns, and lines that end as Unix has it", async () => {
    const candle = bar(T0, 'vision', BTC, {
      open: 42_313.9,
      volume: 4,
      quoteVolume: 0,
      takerBuyVolume: 1e-8,
    });
    const size = await writeAll(await openCsvFile(target()), [blockOf(BTC, 'vision', [candle])]);
    const text = readFileSync(target(), 'utf8');
    expect(text).toBe(
      `${HEADER}\n${T0},42313.9,${candle.high},${candle.low},${candle.close},4,${T0 + 59_999},0,3,0.00000001,${candle.takerBuyQuoteVolume},0\n`,
    );
    expect(size).toEqual({ rows: 1, bytes: text.length });
  });

  test('of no rows is its header', async () => {
    expect(await writeAll(await openCsvFile(target()), [])).toEqual({ rows: 0, bytes: HEADER.length + 1 });
    expect(readFileSync(target(), 'utf8')).toBe(`${HEADER}\n`);
  });

  test('reads back as what was written, to the last bit, by a reader of others', async () => {
    const random = seeded(5);
    const blocks = [1, 1_023, 1_024, 1_025, 0, 5_000].map((rows, index) =>
      randomBlock(random, rows, { first: T0 + index * 1e9 }),
    );
    await writeAll(await openCsvFile(target()), blocks);
    expect(new Set(readCsv(target()).map((row) => row.length))).toEqual(new Set([12]));
    expect(csvNumbers(target())).toEqual(numbersOf(blocks));
  });

  test('says no when a number is none, and leaves nothing when it is given up then', async () => {
    const table = await openCsvFile(target());
    const block = randomBlock(seeded(1), 3);
    block.columns.low[1] = Number.NaN;
    await expect(table.write(block)).rejects.toThrow('NaN');
    await table.abort();
    await expect(table.close()).rejects.toMatchObject({ code: 'FILE_WRITE' });
  });
});

describe('the text of a number', () => {
  test.each([
    [0, '0'],
    [-0, '-0'],
    [0.1, '0.1'],
    [7177, '7177'],
    [1e-6, '0.000001'],
    [1e-7, '0.0000001'],
    [1.5e-7, '0.00000015'],
    [-2.5e-9, '-0.0000000025'],
    [999_999_999_999_999_900_000, '999999999999999900000'],
    [1e21, '1000000000000000000000'],
    [-1.25e22, '-12500000000000000000000'],
  ])('%d is written as %s', (value, text) => expect(plain(value)).toBe(text));

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, undefined])(
    '%s has none',
    (value) => expect(() => plain(value)).toThrow(RangeError),
  );

  test('is plain, reads back as the same double, and is no longer than it must be', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = plain(value);
        expect(text).toMatch(/^-?\d+(?:\.\d+)?$/u);
        expect(Object.is(Number(text), value)).toBe(true);
        const figures = text.replace(/[-.]/gu, '').replace(/^0+/u, '').replace(/0+$/u, '');
        const shortest = value.toExponential().replace(/e.*/u, '').replace(/[-.]/gu, '').replace(/0+$/u, '');
        expect(figures).toBe(shortest);
      }),
      {
        numRuns: 5_000,
        examples: [[Number.MAX_VALUE], [Number.MIN_VALUE], [5e-324], [2 ** 53 + 2], [1 / 3]],
      },
    );
  });
});
