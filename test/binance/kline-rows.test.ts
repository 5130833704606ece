import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BLOCK_FIELDS, type CandleBlock, candlesIn } from '../../machines/model/block.ts';
import type { Candle } from '../../machines/model/kline.ts';
import { readKlineRows } from '../../src/binance/kline-rows.ts';
import { readAnswer, readKlines } from '../../src/binance/rest.ts';
import { ExchangeError } from '../../src/errors.ts';
import { fixturesMissing } from '../support/fixtures.ts';
import { readText } from './recorded.ts';

const SERIES = { symbol: 'BTCUSDT', interval: '1m' } as const;
const T = 1_791_382_920_000;

/** A row as the exchange sends it. */
const row = (index: number): (number | string)[] => [
  T + index * 60_000,
  '83137.90',
  '83155.70',
  '0.00100000',
  '4',
  `${index}.437`,
  T + index * 60_000 + 59_999,
  '8514292.61220',
  index,
  '0',
  '4141805.93340',
  '0',
];
const body = (rows: number, indent?: number): string =>
  JSON.stringify(
    Array.from({ length: rows }, (_, index) => row(index)),
    null,
    indent,
  );

/** Bars, or the code of what was thrown. */
function outcome(run: () => readonly Candle[]): readonly Candle[] | string {
  try {
    return run();
  } catch (error) {
    expect(error).toBeInstanceOf(ExchangeError);
    const { code, status, retryable } = error as ExchangeError;
    return `${code} ${status} ${retryable}`;
  }
}
const byBytes = (bytes: Uint8Array) => outcome(() => [...candlesIn(readKlineRows(SERIES, bytes))]);
const byText = (bytes: Uint8Array) =>
  outcome(() => {
    const text = Buffer.from(bytes).toString('utf8');
    const answer = { status: 200, headers: new Headers(), text, bytes };
    return readKlines(SERIES, readAnswer(answer, '/klines'));
  });
const same = (text: string | Uint8Array): readonly Candle[] | string => {
  const bytes = Buffer.from(text as string);
  const got = byBytes(bytes);
  expect(got).toEqual(byText(bytes));
  return got;
};

describe('bars of a klines body', () => {
  test('are columns of one buffer, from REST', () => {
    const block: CandleBlock = readKlineRows(SERIES, Buffer.from(body(3)));
    expect(block).toMatchObject({ ...SERIES, source: 'rest', rows: 3 });
    expect(new Set(BLOCK_FIELDS.map((field) => block.columns[field].buffer)).size).toBe(1);
    expect([...candlesIn(block)][1]).toEqual({
      ...SERIES,
      openTime: T + 60_000,
      open: 83137.9,
      high: 83155.7,
      low: 0.001,
      close: 4,
      volume: 1.437,
      closeTime: T + 119_999,
      quoteVolume: 8514292.6122,
      count: 1,
      takerBuyVolume: 0,
      takerBuyQuoteVolume: 4141805.9334,
      source: 'rest',
    });
  });

  test.each([0, 1, 2, 499, 1_500, 1_600])('%i of them, with blanks or without', (rows) => {
    for (const text of [body(rows), body(rows, 1), `\r\n\t ${body(rows, 2)} \n`])
      expect(same(text)).toHaveLength(rows);
  });

  test('may have been parsed already', () => {
    const block = readKlineRows(SERIES, JSON.parse(body(2)));
    expect([...candlesIn(block)]).toEqual(byBytes(Buffer.from(body(2))));
    expect(outcome(() => [...candlesIn(readKlineRows(SERIES, { code: 0 }))])).toBe('HTTP_MALFORMED 200 true');
  });

  test('are read from the middle of a larger buffer', () => {
    const [text, around] = [Buffer.from(body(2)), Buffer.alloc(4_000, '9')];
    text.copy(around, 1_001);
    const part = around.subarray(1_001, 1_001 + text.length);
    expect(byBytes(part)).toEqual(byBytes(text));
    expect(byBytes(around.subarray(1_001, 1_000 + text.length))).toBe('HTTP_MALFORMED 200 true');
  });

  test.each([
    ['a field more', JSON.stringify([[...row(0), 'new', { deep: [1] }]])],
    ['a field less', JSON.stringify([row(0).slice(0, 11)])],
    ['another last field', JSON.stringify([[...row(0).slice(0, 11), null]])],
    ['letters escaped', body(2).replaceAll('83137.90', '\\u0038313\\u0037.90')],
    ['numbers with an exponent', body(1).replace(`${T}`, '1.79138292e12')],
    ['numbers with a fraction', body(1).replace(`${T}`, `${T}.000`)],
    ['a count of -0', body(1).replace(',0,"0"', ',-0,"0"')],
  ])('with %s are bars all the same', (_, text) => {
    expect(typeof same(text)).toBe('object');
  });

  test.each([
    ['nothing', ''],
    ['blanks', ' \n'],
    ['HTML', '<html></html>'],
    ['half a body', body(3).slice(0, 200)],
    ['a body and more', `${body(1)}]`],
    ['two bodies', body(1) + body(1)],
    ['a byte order mark', `\ufeff${body(1)}`],
    ['an object', '{"code":-1003,"msg":"x"}'],
    ['no array of arrays', '["row"]'],
    ['a row of other things', '[[1,2,3]]'],
    ['an empty row', '[[]]'],
    ['a comma too many', '[[],]'],
    ['a comma at the end', body(1).replace(']]', '],]')],
    ['a comma in a row', body(1).replace(']]', ',]]')],
    ['no commas', body(2).replaceAll('],[', '][')],
    ['zeros before a number', body(1).replace(`[[${T}`, `[[0${T}`)],
    ['zeros before a zero below zero', body(1).replace(',0,"0"', ',-00,"0"')],
    ['a plus', body(1).replace(`[[${T}`, `[[+${T}`)],
    ['a time before time', body(1).replace(`[[${T}`, `[[-${T}`)],
    ['a time in quotes', body(1).replace(`[[${T}`, `[["${T}"`)],
    ['a price without quotes', body(1).replace('"4"', '4')],
    ['no number', body(1).replace('"4"', '"four"')],
    ['an empty text', body(1).replace('"4"', '""')],
    ['a number beyond all', body(1).replace('"4"', `"${'9'.repeat(400)}"`)],
    ['a blank in a number', body(1).replace('"4"', '"4 "')],
    ['a NUL', body(1).replace('"4"', '"4\0"')],
    ['another kind of blank', body(1).replace('"4"', '\v"4"')],
    ['single quotes', body(1).replaceAll('"', "'")],
  ])('are not in %s', (_, text) => {
    expect(same(text)).toBe('HTTP_MALFORMED 200 true');
  });

  test('are the same as by JSON.parse, or the error is, however a body is spoilt', () => {
    const text = body(4);
    const change = fc.record({
      at: fc.nat(text.length - 1),
      cut: fc.nat(4),
      put: fc.string({ unit: fc.constantFrom(...'0123456789.,-[]{}" \n\\eu\0\u00e9'), maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        let spoilt = text;
        for (const { at, cut, put } of changes) spoilt = spoilt.slice(0, at) + put + spoilt.slice(at + cut);
        same(spoilt);
      }),
      { numRuns: 4_000 },
    );
  });

  test('are the same as by JSON.parse whatever their numbers', () => {
    const decimal = fc.oneof(
      fc.double({ noNaN: true, min: 0, max: 1e12 }).map((value) => value.toFixed(8)),
      fc.bigInt({ min: 0n, max: 10n ** 25n }).map(String),
      fc.string({ unit: fc.constantFrom(...'0123456789.-'), maxLength: 24 }),
    );
    const time = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.bigInt({ min: 0n, max: 10n ** 18n }).map(String));
    const line = fc
      .tuple(
        time,
        decimal,
        decimal,
        decimal,
        decimal,
        decimal,
        time,
        decimal,
        time,
        decimal,
        decimal,
        decimal,
      )
      .map((fields) =>
        fields.map((it, index) => (index === 0 || index === 6 || index === 8 ? it : `"${it}"`)).join(),
      );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
        same(`[${lines.map((it) => `[${it}]`).join()}]`);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe.skipIf(fixturesMissing)('a body that was recorded', () => {
  test('has two bars', () => {
    expect(same(readText('samples/rest-klines-btcusdt-1m-limit2.json'))).toHaveLength(2);
  });
});
