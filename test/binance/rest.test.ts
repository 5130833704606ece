import { describe, expect, test } from 'vitest';
import {
  exchangeInfoRequest,
  klinesRequest,
  newestKlineRequest,
  readAnswer,
  readKlines,
  readServerTime,
  requestUrl,
  timeRequest,
} from '../../src/binance/rest.ts';
import { readSymbols } from '../../src/binance/symbols.ts';
import { klinesWeight } from '../../src/binance/venue.ts';
import { ExchangeError } from '../../src/errors.ts';
import type { HttpAnswer } from '../../src/ports.ts';
import { fixturesMissing } from '../support/fixtures.ts';
import { readJson, readText } from './recorded.ts';

const SERIES = { symbol: 'BTCUSDT', interval: '1m' } as const;
const answer = (status: number, text: string): HttpAnswer => ({
  status,
  headers: new Headers(),
  bytes: Buffer.from(text),
  text,
});

function failureOf(run: () => unknown): ExchangeError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ExchangeError);
    return error as ExchangeError;
  }
  throw new Error('nothing was thrown');
}

describe('requests', () => {
  test('name symbol, interval, start and an explicit limit', () => {
    expect(requestUrl('https://fapi.binance.com', klinesRequest(SERIES, 1_700_000_040_000, 12))).toBe(
      'https://fapi.binance.com/fapi/v1/klines?symbol=BTCUSDT&interval=1m&startTime=1700000040000&limit=12',
    );
    expect(requestUrl('http://127.0.0.1:1', newestKlineRequest(SERIES))).toBe(
      'http://127.0.0.1:1/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=1',
    );
    expect(requestUrl('https://h', timeRequest)).toBe('https://h/fapi/v1/time');
    expect(requestUrl('https://h', exchangeInfoRequest)).toBe('https://h/fapi/v1/exchangeInfo');
  });

  test('percent-encode what is not ASCII, as UTF-8, and what has a meaning in a URL', () => {
    const url = requestUrl('https://h', newestKlineRequest({ symbol: '币安人生USDT', interval: '1M' }));
    expect(url).toBe(
      'https://h/fapi/v1/klines?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&interval=1M&limit=1',
    );
    const odd = requestUrl('https://h', newestKlineRequest({ symbol: 'A&limit=1500#?/', interval: '1m' }));
    expect(new URL(odd).searchParams.get('symbol')).toBe('A&limit=1500#?/');
    expect(new URL(odd).searchParams.getAll('limit')).toEqual(['1']);
  });

  test.each([
    [-5, 1],
    [0, 1],
    [1, 1],
    [1500, 1500],
    [1501, 1500],
    [1e9, 1500],
  ])('of %i rows ask for %i', (rows, limit) => {
    expect(klinesRequest(SERIES, 0, rows).params['limit']).toBe(limit);
  });

  test.each([
    [1, 1],
    [99, 1],
    [100, 2],
    [499, 2],
    [500, 5],
    [1000, 5],
    [1001, 10],
    [1500, 10],
  ])('for %i rows weigh %i', (limit, weight) => {
    expect(klinesWeight(limit)).toBe(weight);
    expect(klinesRequest(SERIES, 0, limit).weight).toBe(weight);
  });
});

describe.skipIf(fixturesMissing)('answers that were recorded', () => {
  test('two bars, open high low close in that order', () => {
    const text = readText('samples/rest-klines-btcusdt-1m-limit2.json');
    const candles = readKlines(SERIES, readAnswer(answer(200, text), '/fapi/v1/klines'));
    expect(candles).toHaveLength(2);
    expect(candles[0]).toEqual({
      symbol: 'BTCUSDT',
      interval: '1m',
      openTime: 1791382920000,
      open: 83137.9,
      high: 83155.7,
      low: 83082.9,
      close: 83084.9,
      volume: 102.437,
      closeTime: 1791382979999,
      quoteVolume: 8514292.6122,
      count: 4409,
      takerBuyVolume: 49.832,
      takerBuyQuoteVolume: 4141805.9334,
      source: 'rest',
    });
  });

  test("the exchange's time", () => {
    const body = readAnswer(answer(200, readText('samples/rest-time.json')), '/fapi/v1/time');
    expect(readServerTime(body)).toBe(1791382984200);
  });

  test('errors keep status, code and text; only a 400 is final', () => {
    const samples = readJson('samples/rest-errors.json') as {
      http: number;
      body: { code: number; msg: string };
    }[];
    expect(samples.length).toBeGreaterThan(8);
    for (const { http, body } of samples) {
      const error = failureOf(() => readAnswer(answer(http, JSON.stringify(body)), '/fapi/v1/klines'));
      expect(error).toMatchObject({ status: http, code: String(body.code), retryable: http !== 400 });
      expect(error.message).toContain(body.msg);
      expect(error.message).toContain(`HTTP ${http}`);
    }
  });

  test('the recorded bodies of 403, 418, 429, 451 and 502 may pass', () => {
    const { errors } = readJson('rest/errors.json') as { errors: { status: number; body: string }[] };
    for (const { status, body } of errors) {
      const error = failureOf(() => readAnswer(answer(status, body), '/fapi/v1/klines'));
      expect(error).toMatchObject({ status, retryable: status !== 400 });
      const isJson = body.trimStart().startsWith('{');
      expect(error.code).toMatch(isJson ? /^-?\d+$/ : new RegExp(`^HTTP_${status}$`));
      // A page of HTML is not a message.
      expect(error.message).not.toContain('<');
    }
  });

  test.each([
    ['rest/exchangeInfo-usdm-mainnet-2021-07-22.json', 122, 119],
    ['rest/exchangeInfo-usdm-testnet-2025-10-28.json', 630, undefined],
    ['rest/exchangeInfo-usdm-testnet-2025-10-29.json', 632, undefined],
    ['rest/exchangeInfo-usdm-testnet-2025-12-24.json', 660, undefined],
    ['samples/rest-exchangeInfo-excerpt.json', 5, 2],
  ])('%s lists %i symbols', (file, count, perpetualTrading) => {
    const body = readAnswer(answer(200, readText(file)), '/fapi/v1/exchangeInfo');
    const listed = readSymbols(body);
    expect(listed).toHaveLength(count);
    expect(new Set(listed.map((entry) => entry.symbol)).size).toBe(count);
    expect(listed.every((entry) => entry.status !== 'UNKNOWN')).toBe(true);
    if (perpetualTrading !== undefined)
      expect(
        listed.filter((entry) => entry.contractType === 'PERPETUAL' && entry.status === 'TRADING'),
      ).toHaveLength(perpetualTrading);
  });

  test('symbols keep Chinese characters, quarters and states that are rare', () => {
    const listed = readSymbols(readJson('samples/rest-exchangeInfo-excerpt.json'));
    expect(listed.map((one) => [one.symbol, one.status, one.contractType, one.onboardDate])).toEqual([
      ['BTCUSDT', 'TRADING', 'PERPETUAL', 1567965300000],
      ['XAUUSDT', 'TRADING', 'TRADIFI_PERPETUAL', 1765440300000],
      ['币安人生USDT', 'TRADING', 'PERPETUAL', 1760958000000],
      ['OMGUSDT', 'SETTLING', 'PERPETUAL', 1593680400000],
      ['BTCUSDT_261225', 'TRADING', 'CURRENT_QUARTER', 1782460800000],
    ]);
    const types = readSymbols(readJson('rest/exchangeInfo-usdm-testnet-2025-12-24.json')).map(
      (entry) => entry.contractType,
    );
    expect(types).toContain('CURRENT_QUARTER DELIVERING');
    expect(types).toContain('TRADIFI_PERPETUAL');
  });

  test('a row with any one field spoilt spoils the answer', () => {
    const [row] = readJson('samples/rest-klines-btcusdt-1m-limit2.json') as unknown[][];
    for (let index = 0; index <= 10; index++)
      for (const value of [null, 'x', {}, Number.POSITIVE_INFINITY, undefined]) {
        const spoilt = [...row!];
        spoilt[index] = value;
        const error = failureOf(() => readKlines(SERIES, [row, spoilt]));
        expect(error).toMatchObject({ code: 'HTTP_MALFORMED', retryable: true });
        expect(error.message).toContain('row 1');
      }
  });
});

describe('answers that are not what they should be', () => {
  test.each(['', '<html></html>', '{"serverTime":1', 'undefined'])('200 with %j may pass', (text) => {
    expect(failureOf(() => readAnswer(answer(200, text), '/fapi/v1/time'))).toMatchObject({
      code: 'HTTP_MALFORMED',
      status: 200,
      retryable: true,
    });
  });

  test.each([
    [400, '{"code":"x","msg":1}', 'HTTP_400', true],
    [400, '', 'HTTP_400', true],
    [404, '', 'HTTP_404', true],
    [500, 'null', 'HTTP_500', true],
    [503, '[]', 'HTTP_503', true],
    [204, '', 'HTTP_204', true],
  ])('%i with body %j is %s', (status, text, code, retryable) => {
    expect(failureOf(() => readAnswer(answer(status, text), '/p'))).toMatchObject({
      status,
      code,
      retryable,
    });
  });

  const bodies = [null, 0, 'x', [], {}, { serverTime: '1' }, { serverTime: 1.5 }, { serverTime: 0 }];
  test.each(bodies)('%j has no time', (body) => {
    expect(failureOf(() => readServerTime(body))).toMatchObject({ code: 'HTTP_MALFORMED', retryable: true });
  });

  test.each([null, 0, 'x', {}, [null], [[]], [{}], ['row'], [[1, 2, 3]]])('%j is no list of bars', (body) => {
    expect(failureOf(() => readKlines(SERIES, body))).toMatchObject({
      code: 'HTTP_MALFORMED',
      retryable: true,
    });
  });

  test('an empty list of bars is one', () => {
    expect(readKlines(SERIES, [])).toEqual([]);
  });

  test.each([null, 0, 'x', [], {}, { symbols: {} }, { symbols: null }])('%j lists no symbols', (body) => {
    expect(failureOf(() => readSymbols(body))).toMatchObject({ code: 'HTTP_MALFORMED', retryable: true });
  });

  test('entries that are no symbols are passed over, and new words are kept', () => {
    const symbols = [null, 1, {}, { symbol: 1 }, { symbol: 'A' }, { symbol: 'B', status: 'NEW_WORD' }];
    expect(readSymbols({ symbols })).toMatchObject([
      { symbol: 'A', status: 'UNKNOWN', contractType: '' },
      { symbol: 'B', status: 'NEW_WORD', contractType: '' },
    ]);
  });
});
