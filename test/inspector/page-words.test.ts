import { describe, expect, test } from 'vitest';
import { itemsOf, momentOf, wordOf } from '../../src/inspector/page/context/json.ts';
import { age, count, eventName, rate, span, utc, wallTime } from '../../src/inspector/page/format.ts';
import { hashOf, type Place, placeOf } from '../../src/inspector/page/frame/path.ts';
import { reasonsOf } from '../../src/inspector/page/strip/reasons.ts';
import type { Strip } from '../../src/inspector/protocol.ts';

describe('figures in words', () => {
  test.each([
    [0, '0 ms'],
    [12.4, '12 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [3_449, '3.4 s'],
    [59_949, '59.9 s'],
    [59_990, '1 min 0 s'],
    [125_000, '2 min 5 s'],
    [3_780_000, '1 h 3 min'],
    [187_200_000, '2 d 4 h'],
  ])('a span of %d ms: %s', (ms, text) => {
    expect(span(ms)).toBe(text);
  });

  test('counts, rates and ages', () => {
    expect([count(12_345), count(12_345_678)]).toEqual(['12,345', '12.3 M']);
    expect([rate(0), rate(0.44), rate(9.94), rate(9.96), rate(1_234.5)]).toEqual([
      '0',
      '0.4',
      '9.9',
      '10',
      '1,235',
    ]);
    expect([age(-5), age(34_400), age(59_600)]).toEqual(['0 s', '34 s', '1 min 0 s']);
  });

  test('moments: where the viewer is, and of the exchange', () => {
    expect(wallTime(new Date(2026, 10, 22, 4, 5, 6, 7).getTime())).toBe('04:05:06.007');
    expect(utc(Date.UTC(2026, 10, 22, 4, 5, 6))).toEqual({ date: '2026-11-22', time: '04:05:06' });
  });
});

describe('events in words', () => {
  test.each([
    ['SOCKET.CLOSED', 'event', 'SOCKET.CLOSED'],
    ['xstate.after.backoff.connection.waiting.resting', 'after', 'after backoff'],
    ['xstate.after.500.connection.waiting', 'after', 'after 500 ms'],
    ['xstate.done.actor.permit', 'done', 'done permit'],
    ['xstate.done.state.feed.closing', 'done', 'done feed.closing'],
    ['xstate.error.actor.socket', 'error', 'error socket'],
    ['xstate.init', 'event', 'init'],
    ['', 'always', 'always'],
  ])('%s is of kind %s: %s', (type, cause, text) => {
    expect(eventName(type)).toEqual({ cause, text });
  });
});

describe('why the promise is not being kept', () => {
  test('says what is wrong with what and since when, and how much it does not say', () => {
    const strip = {
      state: 'connecting',
      ailments: [
        { problem: 'store', forMs: 12_000 },
        { series: 'BTCUSDT@1m', problem: 'overdue', forMs: 65_000 },
        { series: 'ETHUSDT@1m', problem: 'mute', forMs: 0 },
      ],
      ailing: 1_203,
    } as Partial<Strip> as Strip;
    expect(reasonsOf(strip)).toEqual([
      'The collector is connecting',
      'The store has committed nothing, for 12 s',
      'BTCUSDT@1m owes a bar, for 1 min 5 s',
      'ETHUSDT@1m is traded, and no frames come',
      'and 1,200 more: see /healthz',
    ]);
  });
});

describe('the address', () => {
  test.each<[hash: string, place: Place]>([
    ['', { view: 'actor', path: [] }],
    ['#/', { view: 'actor', path: [] }],
    [
      '#/collector/feed0/stream.BTCUSDT%401m',
      { view: 'actor', path: ['collector', 'feed0', 'stream.BTCUSDT@1m'] },
    ],
    ['#/a%2Fb/%F0%9F%90%8B', { view: 'actor', path: ['a/b', '🐋'] }],
    ['#/50%', { view: 'actor', path: ['50%'] }],
    ['#charts', { view: 'charts' }],
    ['#charts/klineStream', { view: 'charts', machine: 'klineStream' }],
  ])('%s', (hash, place) => {
    expect(placeOf(hash)).toEqual(place);
    expect(placeOf(hashOf(place))).toEqual(place);
  });
});

describe('context in words', () => {
  test('what is plain, and how much is in what is not', () => {
    expect([1, 'a', null, true, [], {}, [1, 2], { a: 1 }].map(wordOf)).toEqual([
      '1',
      '"a"',
      'null',
      'true',
      '[]',
      '{}',
      '[2]',
      '{1}',
    ]);
    expect(itemsOf([{ a: 1 }])).toEqual([{ name: '0', value: { a: 1 } }]);
    expect(itemsOf('text')).toBeUndefined();
  });

  test('a figure that may be a moment says which', () => {
    expect(momentOf(1_700_000_000_000)).toBe('2023-11-14T22:13:20.000Z');
    expect([momentOf(1_000), momentOf(1.5e12 + 0.5), momentOf('1700000000000')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
