import { describe, expect, test } from 'vitest';
import {
  readDate,
  readImposed,
  readPatience,
  readUsedWeight,
  readWeightLimit,
} from '../../src/binance/patience.ts';
import { readAnswer } from '../../src/binance/rest.ts';
import type { HttpAnswer } from '../../src/ports.ts';
import { fixturesMissing } from '../support/fixtures.ts';
import { readJson } from './recorded.ts';

/** Twenty seconds into a minute. */
const DATE = 'Thu, 08 Oct 2026 10:00:20 GMT';
const AT = Date.parse(DATE);
/** On top of everything that is told. */
const MARGIN = 200;
const TOO_MANY = '{"code":-1003,"msg":"Too many requests"}';

const answer = (status: number, headers: Record<string, string> = {}, text = TOO_MANY): HttpAnswer => ({
  status,
  headers: new Headers(headers),
  bytes: Buffer.from(text),
  text,
});
/** The local calendar is a day off, and must not matter where the answer has a `Date`. */
const patience = (given: HttpAnswer): number => readPatience(given, AT + 86_400_000);

describe('how long to stay away', () => {
  test.each([
    ['7', 7_000],
    [' 7 ', 7_000],
    ['1.5', 1_500],
    ['100000000', 1e11],
    ['Thu, 08 Oct 2026 10:02:00 GMT', 100_000],
  ])('Retry-After %s is obeyed, and never early', (retryAfter, ms) => {
    for (const status of [429, 418, 403, 451, 503])
      expect(patience(answer(status, { date: DATE, 'retry-after': retryAfter }))).toBe(ms + MARGIN);
  });

  test.each(['0', '-1', 'NaN', '', 'soon', 'Infinity', '1e3', '0x10', 'Thu, 08 Oct 2026 09:00:00 GMT'])(
    'Retry-After "%s" tells nothing: then until the next minute of the exchange',
    (retryAfter) => {
      for (const status of [429, 418])
        expect(patience(answer(status, { date: DATE, 'retry-after': retryAfter }))).toBe(40_000 + MARGIN);
      for (const status of [403, 451, 500, 503])
        expect(patience(answer(status, { date: DATE, 'retry-after': retryAfter }))).toBe(0);
    },
  );

  test('more digits than a number has are a very long time, not none', () => {
    const ms = patience(answer(418, { date: DATE, 'retry-after': '9'.repeat(400) }));
    expect(ms).toBeGreaterThan(1e15);
    expect(Number.isFinite(ms)).toBe(true);
  });

  test('the end named in the text counts from the Date of the answer, which is cut to the second', () => {
    const text = `{"code":-1003,"msg":"Way too many requests; IP(1.2.3.4) banned until ${AT + 120_000}. Please use the websocket"}`;
    expect(patience(answer(418, { date: DATE }, text))).toBe(121_000 + MARGIN);
    // The header is the newer word.
    expect(patience(answer(418, { date: DATE, 'retry-after': '30' }, text))).toBe(30_000 + MARGIN);
    expect(patience(answer(418, { date: DATE, 'retry-after': '0' }, text))).toBe(121_000 + MARGIN);
    const over = `{"code":-1003,"msg":"banned until ${AT - 1}"}`;
    expect(patience(answer(418, { date: DATE }, over))).toBe(40_000 + MARGIN);
  });

  test('without a Date the local calendar has to do', () => {
    expect(readPatience(answer(429, { 'retry-after': 'Thu, 08 Oct 2026 10:02:00 GMT' }), AT)).toBe(
      100_000 + MARGIN,
    );
    expect(readPatience(answer(429), AT)).toBe(40_000 + MARGIN);
    expect(readPatience(answer(429), Number.NaN)).toBe(60_000 + MARGIN);
  });

  test('stands in the error', () => {
    expect(() => readAnswer(answer(429, { 'retry-after': '7' }), '/x')).toThrow(
      expect.objectContaining({ retryAfterMs: 7_000 + MARGIN, status: 429 }),
    );
  });
});

describe('a pause for everybody', () => {
  test.each([
    [429, 'limited'],
    [418, 'banned'],
    [403, 'forbidden'],
    [451, 'restricted'],
  ])('comes with %i: %s', (status, kind) => {
    expect(readImposed(answer(status, { date: DATE }, '<html>'), '/x', AT)).toMatchObject({
      kind,
      reason: `/x answered HTTP ${status}`,
    });
  });

  test('comes with 503 only when it says for how long', () => {
    expect(readImposed(answer(503, { 'retry-after': '3' }), '/x', AT)).toMatchObject({
      kind: 'limited',
      forMs: 3_000 + MARGIN,
    });
    expect(readImposed(answer(503), '/x', AT)).toBeUndefined();
    expect(readImposed(answer(400, { 'retry-after': '3' }), '/x', AT)).toBeUndefined();
    expect(readImposed(answer(200, { 'retry-after': '3' }, '{}'), '/x', AT)).toBeUndefined();
  });
});

describe('the count', () => {
  test.each([
    ['22', 22],
    ['0', 0],
    ['', undefined],
    ['-5', undefined],
    ['many', undefined],
    ['1e9', undefined],
  ])('used weight "%s" is %s', (text, used) => {
    expect(readUsedWeight(answer(200, { 'X-MBX-USED-WEIGHT-1M': text }))).toBe(used);
  });

  test('is not there without a header, nor a Date', () => {
    expect(readUsedWeight(answer(200))).toBeUndefined();
    expect(readDate(answer(200))).toBeUndefined();
    expect(readDate(answer(200, { date: DATE }))).toBe(AT);
  });

  test.each([
    [[{ rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 2400 }], 2400],
    [
      [
        { rateLimitType: 'ORDERS', interval: 'MINUTE', intervalNum: 1, limit: 1200 },
        { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 5, limit: 6000 },
      ],
      1200,
    ],
    [[{ rateLimitType: 'REQUEST_WEIGHT', interval: 'DAY', intervalNum: 1, limit: 1e6 }], undefined],
    [[{ rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 0 }], undefined],
    [[{ rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', limit: '2400' }, null, 3], undefined],
    ['none', undefined],
    [undefined, undefined],
  ])('limits %j grant %s a minute', (rateLimits, limit) => {
    expect(readWeightLimit({ rateLimits })).toBe(limit);
  });

  test.each([null, [], 'text', {}])('a body %j grants nothing', (body) => {
    expect(readWeightLimit(body)).toBeUndefined();
  });

  test.skipIf(fixturesMissing).each([
    ['rest/exchangeInfo-usdm-mainnet-2021-07-22.json', 2400],
    ['rest/exchangeInfo-usdm-testnet-2025-12-24.json', 6000],
  ])('%s grants %i', (file, limit) => {
    expect(readWeightLimit(readJson(file))).toBe(limit);
  });
});
