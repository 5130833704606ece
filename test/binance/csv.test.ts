import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { BLOCK_FIELDS, candlesIn, newColumns } from '../../machines/model/block.ts';
import { CsvReader, type CsvRows } from '../../src/binance/csv.ts';
import { ArchiveError } from '../../src/errors.ts';
import { fixturesMissing, shared } from '../support/fixtures.ts';

const SERIES = { symbol: 'BTCUSDT', interval: '1m' } as const;
const HEADER =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore';
const T = 1_609_459_200_000;
const row = (index: number): string =>
  `${T + index * 60_000},28948.19,28997.16,28935.30,28991.01,143.661,${T + index * 60_000 + 59_999},4161509.63465,${index},114.439,3315299.05690,0`;
const rows = (count: number): string[] => Array.from({ length: count }, (_, index) => row(index));

/** Reads it in pieces of at most so many bytes. */
function read(content: string | Uint8Array, { piece = 1e9, rowsMax = 10_000 } = {}): CsvRows {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  const reader = new CsvReader(SERIES, { rowsMax });
  for (let at = 0; at < bytes.length; at += piece) {
    // What was pushed may be used again by who pushed it.
    const chunk = Uint8Array.from(bytes.subarray(at, at + piece));
    reader.push(chunk);
    chunk.fill(0xff);
  }
  return reader.end();
}
const values = ({ block }: CsvRows): number[][] =>
  [...candlesIn(block)].map((candle) => BLOCK_FIELDS.map((field) => candle[field]));
const numbers = (line: string): number[] => line.split(',').slice(0, 11).map(Number);

function failure(content: string | Uint8Array, options?: { piece?: number; rowsMax?: number }): ArchiveError {
  try {
    read(content, options);
  } catch (error) {
    expect(error).toBeInstanceOf(ArchiveError);
    return error as ArchiveError;
  }
  throw new Error('nothing was thrown');
}

describe('H10 an archive file', () => {
  test('is read with a header line and without one', () => {
    const lines = rows(3);
    const [withHeader, without] = [read([HEADER, ...lines, ''].join('\n')), read(`${lines.join('\n')}\n`)];
    expect([withHeader.header, without.header]).toEqual([true, false]);
    expect(values(withHeader)).toEqual(lines.map(numbers));
    expect(values(without)).toEqual(values(withHeader));
    expect(without.block).toMatchObject({ ...SERIES, source: 'vision', rows: 3 });
    expect([without.unit, without.oddities]).toEqual(['ms', []]);
  });

  test('keeps the order of its rows, and rows that are there twice', () => {
    const lines = [2, 0, 0, 1].map(row);
    expect(values(read(lines.join('\n')))).toEqual(lines.map(numbers));
  });

  test('may have a byte order mark, CRLF, and no newline at its end', () => {
    const got = read(`\xef\xbb\xbf${HEADER}\r\n${rows(2).join('\r\n')}`);
    expect(values(got)).toEqual(rows(2).map(numbers));
    expect(got.header).toBe(true);
    expect([...got.oddities].sort()).toEqual(['CRLF', 'a byte order mark', 'no newline at the end']);
  });

  test('in microseconds becomes one in milliseconds', () => {
    const got = read(
      '1735689600000000,93576.00000000,1,1,1,1,1735775999999999,1,1,1,1,0\n1735776000000000,1,1,1,1,1,1735862399999999,1,1,1,1,0\n',
    );
    expect(got.unit).toBe('us');
    expect(values(got).map((it) => [it[0], it[6]])).toEqual([
      [1735689600000, 1735775999999],
      [1735776000000, 1735862399999],
    ]);
  });

  test('reads numbers however they are written', () => {
    const got = read(`${T},7177,4,0,0.00100000,-1.5,${T + 59_999},975444194.13799830,0,0.0000,100,0`);
    expect(values(got)[0]).toEqual([T, 7177, 4, 0, 0.001, -1.5, T + 59_999, 975444194.1379983, 0, 0, 100]);
  });

  test('gives the same rows in whatever pieces it comes', () => {
    const lines = [HEADER, ...rows(40)];
    const content = fc.record({
      end: fc.constantFrom('\n', '\r\n'),
      last: fc.boolean(),
      mark: fc.boolean(),
      pieces: fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 60 }),
    });
    fc.assert(
      fc.property(content, ({ end, last, mark, pieces }) => {
        const text = `${mark ? '\xef\xbb\xbf' : ''}${lines.join(end)}${last ? end : ''}`;
        const bytes = Buffer.from(text, 'latin1');
        const reader = new CsvReader(SERIES, { rowsMax: 40 });
        let at = 0;
        for (const length of pieces) {
          reader.push(bytes.subarray(at, at + length));
          at += length;
        }
        for (; at < bytes.length; at += 7) reader.push(bytes.subarray(at, at + 7));
        expect(values(reader.end())).toEqual(rows(40).map(numbers));
      }),
    );
    expect(values(read(lines.join('\n'), { piece: 1 }))).toEqual(rows(40).map(numbers));
  });

  test('of more rows than there is room for at first is read all the same', () => {
    const got = read(rows(70_000).join('\n'), { rowsMax: 80_000, piece: 65_536 });
    expect(got.block.rows).toBe(70_000);
    expect([...candlesIn(got.block)].every((candle, index) => candle.count === index)).toBe(true);
    expect(new Set(BLOCK_FIELDS.map((field) => got.block.columns[field].buffer)).size).toBe(1);
  });
});

describe('H10 no archive file', () => {
  const good = rows(4);
  const spoilt = (index: number, text: string): string =>
    good.map((line, at) => (at === index ? text : line)).join('\n');
  const field = (index: number, text: string): string =>
    row(2)
      .split(',')
      .map((it, at) => (at === index ? text : it))
      .join(',');

  test.each([
    ['nothing', '', 'the file is empty'],
    ['a header alone', `${HEADER}\n`, 'the file ends behind its header'],
    ['a page of HTML', '<html><body>no</body></html>', 'line 1 has 1 columns, not 12: "<html>'],
    [
      'another header',
      `${HEADER.replace('high,low', 'low,high')}\n${row(0)}`,
      'line 1 has no number in open_time',
    ],
    ['a row too short', spoilt(2, row(2).replace(/,0$/, '')), 'line 3 has 11 columns, not 12'],
    ['a row too long', spoilt(2, `${row(2)},0`), 'line 3 has 13 columns, not 12'],
    ['a row cut off', `${row(0)}\n${row(1).slice(0, 60)}`, 'line 2 has 7 columns, not 12'],
    ['an empty line', spoilt(2, ''), 'line 3 is empty'],
    ['a NUL', spoilt(2, field(4, '1\0')), "line 3 has a byte that can't be there: 0x00 at 43"],
    ['a letter of UTF-8', spoilt(2, field(4, '币')), "line 3 has a byte that can't be there"],
    ['no number', spoilt(2, field(7, 'NaN')), 'line 3 has no number in quote_volume: "NaN"'],
    ['an exponent', spoilt(2, field(5, '1e3')), 'line 3 has no number in volume: "1e3"'],
    ['blanks', spoilt(2, field(5, ' 1')), 'line 3 has no number in volume: " 1"'],
    ['quotes', spoilt(2, field(5, '"1"')), 'line 3 has no number in volume'],
    ['nothing in a column', spoilt(2, field(11, '')), 'line 3 has no number in ignore: ""'],
    ['a number beyond all', spoilt(2, field(1, '9'.repeat(400))), 'line 3 has no number in open: "9999'],
    ['half a trade', spoilt(2, field(8, '1.5')), 'line 3 has no whole number in count: "1.5"'],
    ['a time before time', spoilt(2, field(0, '-1')), 'line 3 has no whole number in open_time: "-1"'],
    ['ms and µs', spoilt(2, field(0, `${T}000`)), 'line 3 has times of another unit than ms'],
    ['µs and ms', `${T}000,${row(0).slice(14)}`, 'line 1 has times of another unit than its own'],
    ['a second header', spoilt(2, HEADER), 'line 3 has no number in open_time'],
    ['CR alone', good.join('\r'), 'line 1 has a byte'],
  ])('%s is refused, and said where', (_, content, message) => {
    const bytes = Buffer.from(content.replace('币', '\xe5\xb8\x81'), 'latin1');
    for (const piece of [1e9, 64, 1]) {
      const error = failure(bytes, { piece });
      expect(error).toMatchObject({ code: 'ARCHIVE_CSV', retryable: false });
      expect(error.message).toContain(message);
      expect(error.message.length).toBeLessThan(200);
    }
  });

  test('X18 a line of 10 MB is refused, with or without an end, in one piece or many', () => {
    for (const line of ['1'.repeat(10_000_000), `0.${'0'.repeat(10_000_000)}`])
      for (const content of [line, `${line}\n`, `${row(0)}\n${line}\n`, `${row(0)}\n${T},${line}\n`])
        for (const piece of [1e9, 65_536])
          expect(failure(content, { piece }).message).toMatch(/^line [12] is longer than 1024 bytes$/u);
    const padded = `${row(0)}${'0'.repeat(1_023 - row(0).length)}`;
    for (const piece of [1e9, 100, 1]) {
      expect(read(`${padded}\n`, { piece }).block.rows).toBe(1);
      expect(failure(`${padded}0\n`, { piece }).message).toBe('line 1 is longer than 1024 bytes');
    }
  });

  test('a first line is no longer than any other, whatever it begins with', () => {
    const spoilt = `${HEADER}${' '.repeat(1_024)},volume\n${row(0)}\n`;
    const zeros = `\xef\xbb\xbf${row(0)}${'0'.repeat(1_021 - row(0).length)}\n`;
    for (const content of [spoilt, zeros])
      for (const piece of [1e9, 100, 1])
        expect(failure(Buffer.from(content, 'latin1'), { piece }).message).toBe(
          'line 1 is longer than 1024 bytes',
        );
    expect(read(`${HEADER}${' '.repeat(1_023 - HEADER.length)}\n${row(0)}\n`).block.rows).toBe(1);
  });

  test('rows beyond the number that was allowed are refused, not kept', () => {
    expect(read(rows(50).join('\n'), { rowsMax: 50 }).block.rows).toBe(50);
    const error = failure(`${HEADER}\n${rows(51).join('\n')}`, { rowsMax: 50, piece: 200 });
    expect(error).toMatchObject({ code: 'ARCHIVE_TOO_LARGE', message: 'line 52: more than 50 rows' });
  });

  test('however it is spoilt, it is read as an independent reader reads it, or refused', () => {
    const text = [HEADER, ...rows(6), ''].join('\n');
    const change = fc.record({
      at: fc.nat(text.length - 1),
      cut: fc.nat(3),
      put: fc.string({ unit: fc.constantFrom(...'019.,-\n\r\0e" x'), maxLength: 3 }),
    });
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 900 }),
        (changes, piece) => {
          let spoilt = text;
          for (const { at, cut, put } of changes) spoilt = spoilt.slice(0, at) + put + spoilt.slice(at + cut);
          let got: CsvRows;
          try {
            got = read(spoilt, { piece });
          } catch (error) {
            expect(error).toBeInstanceOf(ArchiveError);
            return;
          }
          const lines = spoilt.split('\n').filter((line) => line !== '');
          expect(values(got)).toEqual(lines.slice(got.header ? 1 : 0).map(numbers));
        },
      ),
      { numRuns: 1_500 },
    );
  });
});

describe.skipIf(fixturesMissing)('H10 recorded files', () => {
  const FOLDER = 'fixtures/vision/data/futures/um';
  const unzipped = (path: string): Uint8Array => Object.values(unzipSync(readFileSync(shared(path))))[0]!;

  test.each([
    [`${FOLDER}/monthly/klines/NEARUSDT/1m/NEARUSDT-1m-2023-09.zip`, 43_200, true],
    [`${FOLDER}/monthly/klines/FILUSDT/1m/FILUSDT-1m-2023-11.zip`, 43_200, true],
    [`${FOLDER}/daily/klines/ALGOUSDT/1m/ALGOUSDT-1m-2026-02-03.zip`, 1_440, true],
    ['fixtures/derived-defects/AVAXUSDT-1m-2026-02-10.zip', 1_436, true],
    ['fixtures/derived-no-header/FILUSDT-1m-2023-02-01.zip', 1_440, false],
  ])('%s: %i rows, equal to those of an independent reader', (path, count, header) => {
    const bytes = unzipped(path);
    const got = read(bytes, { rowsMax: count, piece: 16_384 });
    expect([got.block.rows, got.header, got.unit, got.oddities]).toEqual([count, header, 'ms', []]);
    const independent = parse(Buffer.from(bytes), { from_line: header ? 2 : 1 }) as string[][];
    const expected = newColumns(count);
    for (const [index, fields] of independent.entries())
      for (const [column, name] of BLOCK_FIELDS.entries()) expected[name][index] = Number(fields[column]);
    for (const field of BLOCK_FIELDS)
      expect(Buffer.from(got.block.columns[field]).equals(Buffer.from(expected[field])), field).toBe(true);
  });

  test.each([
    ['samples/vision-um-BTCUSDT-1m-2020-01-noheader.csv', 3, false, 'ms'],
    ['samples/vision-um-BTCUSDT-1d-2020-01-noheader.csv', 2, false, 'ms'],
    ['samples/vision-um-BTCUSDT-1m-2025-01-header.csv', 1, true, 'ms'],
    ['samples/vision-um-BTCUSDT-1d-2026-09-header.csv', 1, true, 'ms'],
    ['samples/vision-spot-BTCUSDT-1d-2025-01-microseconds.csv', 1, false, 'us'],
    ['vision/no-header/BTCUSDT-1m-2021-01.first60rows.csv', 60, false, 'ms'],
    ['vision/no-header/ADABTC-1m-2021-11-27.spot.first10rows.csv', 10, false, 'ms'],
  ])('%s: %i rows', (path, count, header, unit) => {
    const bytes = readFileSync(shared(`fixtures/${path}`));
    const got = read(bytes);
    expect([got.block.rows, got.header, got.unit]).toEqual([count, header, unit]);
    const lines = bytes
      .toString()
      .trim()
      .split('\n')
      .slice(header ? 1 : 0);
    if (unit === 'ms') expect(values(got)).toEqual(lines.map(numbers));
    else expect(values(got)[0]?.slice(1, 6)).toEqual(numbers(lines[0]!).slice(1, 6));
  });
});
