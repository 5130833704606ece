/** What is no candle on a market socket: replies, refusals, events of other streams, and how each is told apart. */
import { describe, expect, test } from 'vitest';
import { DecimalReader } from '../../src/binance/decimal.ts';
import { decodeFrame } from '../../src/binance/frame.ts';

const decode = (value: unknown) => decodeFrame(Buffer.from(JSON.stringify(value)));

describe('a reply', () => {
  test.each([
    [
      { result: null, id: 7 },
      { kind: 'reply', id: 7 },
    ],
    [
      { result: ['a@kline_1m'], id: 0 },
      { kind: 'reply', id: 0 },
    ],
    [
      { result: null, id: '7' },
      { kind: 'malformed', reason: 'reply without a numeric id' },
    ],
    [{ result: null }, { kind: 'malformed', reason: 'reply without a numeric id' }],
    [
      { result: { code: 2, msg: 'Invalid request' }, id: 7 },
      { kind: 'refusal', id: 7, code: 2, message: 'Invalid request' },
    ],
    [
      { result: { code: 'x' }, id: 7 },
      { kind: 'reply', id: 7 },
    ],
  ])('%j is %j', (frame, meaning) => expect(decode(frame)).toEqual(meaning));
});

describe('an error', () => {
  test.each([
    [{ code: 3, msg: 'Invalid JSON' }, null, { id: undefined, code: 3, message: 'Invalid JSON' }],
    [{ code: 2, msg: 'no' }, 9, { id: 9, code: 2, message: 'no' }],
    [{ code: '2', msg: 5 }, '9', { id: undefined, code: Number.NaN, message: '' }],
    [{}, undefined, { id: undefined, code: Number.NaN, message: '' }],
  ])('%j of request %j', (error, id, told) =>
    expect(decode({ error, id, result: null, stream: 'x' })).toEqual({ kind: 'refusal', ...told }),
  );

  test('that is no object is none', () => {
    expect(decode({ error: 'x', result: null, id: 1 })).toEqual({ kind: 'reply', id: 1 });
  });
});

describe('an event of another stream', () => {
  test.each([
    [
      { stream: '!miniTicker@arr', data: [{ e: '24hrMiniTicker' }] },
      { kind: 'other', type: '!miniTicker@arr', fields: {} },
    ],
    [
      { stream: 'btcusdt@depth', data: { u: 1 } },
      { kind: 'other', type: 'btcusdt@depth', fields: { u: 1 } },
    ],
    [
      { stream: 's', data: { e: 'x', a: 1 } },
      { kind: 'other', type: 'x', fields: { e: 'x', a: 1 } },
    ],
    [{ e: 'serverShutdown' }, { kind: 'other', type: 'serverShutdown', fields: { e: 'serverShutdown' } }],
  ])('%j is known by its type or its stream', (frame, meaning) => expect(decode(frame)).toEqual(meaning));

  test.each([
    [{ stream: 'btcusdt@kline_1m', data: { u: 1 } }, 'combined frame without an event', 'btcusdt@kline_1m'],
    [{ stream: 'btcusdt@depth' }, 'combined frame without an event', 'btcusdt@depth'],
    [{ stream: 5, data: {} }, 'combined frame without an event', undefined],
    [{ stream: 'btcusdt@kline_1m', data: { e: 'kline' } }, 'kline event without k', 'btcusdt@kline_1m'],
    [{ e: 'kline' }, 'kline event without k', undefined],
    [{ a: 1 }, 'event without a type', undefined],
    [[], 'not an object', undefined],
    [null, 'not an object', undefined],
    [5, 'not an object', undefined],
  ])('%j cannot be understood: %s', (frame, reason, stream) =>
    expect(decode(frame)).toEqual({ kind: 'malformed', reason, ...(stream && { stream }) }),
  );
});

describe('a kline that lacks something says what', () => {
  const k = { s: 'BTCUSDT', i: '1m', t: 0, x: false };
  test.each([
    [{ ...k, s: '' }, 1, 'kline without a symbol'],
    [{ ...k, s: 5 }, 1, 'kline without a symbol'],
    [{ ...k, i: '1M1' }, 1, 'kline of an unknown interval'],
    [{ ...k, t: -1 }, 1, 'kline without an open time'],
    [{ ...k, t: 1.5 }, 1, 'kline without an open time'],
    [{ ...k, x: 1 }, 1, 'kline without x'],
    [k, undefined, 'kline event without a time'],
  ])('%j', (fields, eventTime, reason) =>
    expect(decode({ e: 'kline', E: eventTime, k: fields })).toEqual({ kind: 'malformed', reason }),
  );

  test('and one that has all is read', () => {
    expect(decode({ e: 'kline', E: 0, k })).toEqual({
      kind: 'kline',
      symbol: 'BTCUSDT',
      interval: '1m',
      openTime: 0,
      closed: false,
      eventTime: 0,
      fields: k,
    });
  });
});

test('a decimal is read no further than it may be', () => {
  const reader = new DecimalReader();
  // The character behind 9.
  for (const [text, value, end] of [
    ['1:2', 1, 1],
    ['1.5:', 1.5, 3],
    ['/1', Number.NaN, 0],
  ] as const)
    expect([reader.read(Buffer.from(text), 0, text.length), reader.end]).toEqual([value, end]);
  const bytes = Buffer.from('-12.50x');
  const read = (start: number, limit: number) => [reader.read(bytes, start, limit), reader.end];
  expect(read(0, 7)).toEqual([-12.5, 6]);
  expect(read(0, 0)).toEqual([Number.NaN, 0]);
  expect(read(0, 1)).toEqual([Number.NaN, 1]);
  expect(read(0, 2)).toEqual([-1, 2]);
  expect(read(0, 4)).toEqual([Number.NaN, 4]);
  expect(read(1, 5)).toEqual([12.5, 5]);
  expect(read(3, 6)).toEqual([Number.NaN, 3]);
  expect(read(6, 7)).toEqual([Number.NaN, 6]);
});
