/** Candles for files, and independent readers of those files. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse } from 'csv-parse/sync';
import { BLOCK_FIELDS, type BlockField, type CandleBlock, newColumns } from '../../machines/model/block.ts';
import type { CandleSource, Series } from '../../machines/model/kline.ts';
import type { Random } from '../../src/ports.ts';
import type { TableFile, TableSize } from '../../src/store/table-file.ts';
import { BTC, MINUTE, T0 } from '../pipeline/candles.ts';

/** Bars by chance, one minute after the other. */
export function randomBlock(
  random: Random,
  rows: number,
  {
    first = T0,
    series = BTC,
    source = 'vision',
  }: { first?: number; series?: Series; source?: CandleSource } = {},
): CandleBlock {
  const columns = newColumns(rows);
  for (let row = 0; row < rows; row++) {
    for (const field of BLOCK_FIELDS)
      columns[field][row] = Number((random() * 10 ** (random() * 9)).toFixed(8));
    columns.openTime[row] = first + row * MINUTE;
    columns.closeTime[row] = first + row * MINUTE + MINUTE - 1;
    columns.count[row] = Math.floor(random() * 1e6);
  }
  return { ...series, source, rows, columns };
}

export async function writeAll(table: TableFile, blocks: Iterable<CandleBlock>): Promise<TableSize> {
  for (const block of blocks) await table.write(block);
  return table.close();
}

/** Rows of blocks, as plain numbers in the order of the columns. */
export const numbersOf = (blocks: readonly CandleBlock[]): number[][] =>
  blocks.flatMap(({ rows, columns }) =>
    Array.from({ length: rows }, (_, row) => BLOCK_FIELDS.map((field) => columns[field][row] as number)),
  );

export const readCsv = (path: string): string[][] => parse(readFileSync(path));

/** The rows of a CSV file below its header, without the last column, as numbers. */
export const csvNumbers = (path: string): number[][] =>
  readCsv(path)
    .slice(1)
    .map((row) => row.slice(0, -1).map(Number));

const PYTHON = 'python3';

/** Whether pandas is on this machine, with one of the packages by which it reads Parquet. */
export const hasPandas = ((): boolean => {
  const code = 'import pandas.io.parquet as p; p.get_engine("auto")';
  return spawnSync(PYTHON, ['-c', code], { stdio: 'ignore' }).status === 0;
})();

/** Runs Python with `frame`, the file as pandas reads it; what is printed is JSON. */
export function pandas(path: string, code: string): unknown {
  const script = `import json, sys, pandas\nframe = pandas.read_parquet(sys.argv[1])\n${code}`;
  return JSON.parse(execFileSync(PYTHON, ['-c', script, path], { encoding: 'utf8' }));
}

/** Runs one query in DuckDB; `$file` is the path. */
export async function duck(path: string, sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(sql.replaceAll('$file', `'${path}'`));
    return reader.getRows();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

export const COLUMN_OF: Readonly<Record<BlockField, string>> = {
  openTime: 'open_time',
  open: 'open',
  high: 'high',
  low: 'low',
  close: 'close',
  volume: 'volume',
  closeTime: 'close_time',
  quoteVolume: 'quote_volume',
  count: 'count',
  takerBuyVolume: 'taker_buy_volume',
  takerBuyQuoteVolume: 'taker_buy_quote_volume',
};

/** The rows of a Parquet file as numbers, in the file's order. */
export async function parquetNumbers(path: string): Promise<number[][]> {
  const names = BLOCK_FIELDS.map((field) => COLUMN_OF[field]).join(', ');
  const rows = await duck(
    path,
    `SELECT ${names} FROM read_parquet($file, file_row_number = true) ORDER BY file_row_number`,
  );
  return rows.map((row) => row.map(Number));
}
