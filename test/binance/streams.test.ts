import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { INTERVALS } from '../../machines/model/interval.ts';
import {
  controlMessage,
  fittingNames,
  intervalHint,
  lowerAscii,
  seriesOfStream,
  streamName,
  upperAscii,
} from '../../src/binance/streams.ts';

const symbols = fc.oneof(
  fc.stringMatching(/^[A-Z0-9_]{1,17}$/),
  fc.constantFrom('币安人生USDT', 'BTCUSDT_261225', '1000PEPEUSDT', 'İSTUSDT', 'ẞUSDT', 'ſUSDT'),
  fc.string({ unit: fc.constantFrom(...'ABZ019_币安人生龙İßſé😀'), minLength: 1, maxLength: 17 }),
);
const intervals = fc.constantFrom(...INTERVALS);

describe('stream names', () => {
  test.each([
    ['BTCUSDT', '1m', 'btcusdt@kline_1m'],
    ['BTCUSDT', '1M', 'btcusdt@kline_1M'],
    ['币安人生USDT', '1h', '币安人生usdt@kline_1h'],
    ['BTCUSDT_261225', '1h', 'btcusdt_261225@kline_1h'],
    ['1000SHIBUSDT', '12h', '1000shibusdt@kline_12h'],
  ] as const)('%s %s is %s', (symbol, interval, name) => {
    expect(streamName({ symbol, interval })).toBe(name);
    expect(seriesOfStream(name)).toEqual({ symbol, interval });
  });

  test('letters that are not ASCII keep their case', () => {
    expect(lowerAscii('İÀẞKAZ')).toBe('İÀẞkaz');
    expect(upperAscii('ıßſéÿaz')).toBe('ıßſéÿAZ');
    expect(lowerAscii('\u212a')).toBe('\u212a');
  });

  test('every series is found again in its name', () => {
    fc.assert(
      fc.property(symbols, intervals, (symbol, interval) => {
        expect(seriesOfStream(streamName({ symbol, interval }))).toEqual({ symbol, interval });
      }),
    );
  });

  test('no two series share a name', () => {
    fc.assert(
      fc.property(symbols, intervals, symbols, intervals, (a, i, b, j) => {
        fc.pre(a !== b || i !== j);
        expect(streamName({ symbol: a, interval: i })).not.toBe(streamName({ symbol: b, interval: j }));
      }),
    );
  });

  test.each([
    '',
    '@kline_1m',
    'btcusdt@kline_',
    'btcusdt@kline_1s',
    'btcusdt@kline_1H',
    'btcusdt@kline_1m ',
    'btcusdt@kline_1m@x',
    'btcusdt@aggTrade',
    'btcusdt_perpetual@continuousKline_1m',
    '!contractInfo',
  ])("'%s' is no kline stream", (name) => {
    expect(seriesOfStream(name)).toBeUndefined();
  });
});

describe('a hint for an interval that is not one', () => {
  test('names the spelling that was meant', () => {
    expect(intervalHint('1H')).toContain("did you mean '1h'");
    expect(intervalHint('1mo')).toContain("'1M'");
    expect(intervalHint('7m')).toMatch(/^allowed: 1m 3m /);
  });
});

interface Subscribe {
  readonly method: string;
  readonly params: string[];
  readonly id: number;
}

/** The messages that a list of names becomes, as the socket sends them one after the other. */
function subscribeMessages(names: readonly string[], firstId: number): string[] {
  const texts: string[] = [];
  for (let from = 0; from < names.length; ) {
    const fitting = fittingNames(names.slice(from));
    texts.push(controlMessage('SUBSCRIBE', fitting, firstId + texts.length));
    from += fitting.length;
  }
  return texts;
}

describe('subscribe messages', () => {
  test('carry every name once, in order, each message within 4000 bytes and 100 names', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(symbols, intervals), { maxLength: 400 }),
        fc.integer({ min: 0, max: 2 ** 40 }),
        (pairs, firstId) => {
          const names = pairs.map(([symbol, interval]) => streamName({ symbol, interval }));
          const texts = subscribeMessages(names, firstId);
          const messages = texts.map((text) => JSON.parse(text) as Subscribe);
          for (const text of texts) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_000);
          for (const { method, params } of messages) {
            expect(method).toBe('SUBSCRIBE');
            expect(params.length).toBeGreaterThan(0);
            expect(params.length).toBeLessThanOrEqual(100);
          }
          expect(messages.flatMap((message) => message.params)).toEqual(names);
          const ids = messages.map((message) => message.id);
          expect(new Set(ids).size).toBe(ids.length);
          expect(ids.every((id) => Number.isSafeInteger(id) && id >= 0)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('long names that are not ASCII are split by bytes, not by characters', () => {
    const names = Array.from({ length: 100 }, (_, n) => `${'币'.repeat(13)}${n}usdt@kline_15m`);
    const texts = subscribeMessages(names, 1);
    expect(texts.length).toBeGreaterThan(1);
    for (const text of texts) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_000);
    // Not split more than need be: two neighbours do not fit into one.
    const bytes = texts.map((text) => Buffer.byteLength(text));
    expect(bytes[0]! + bytes[1]!).toBeGreaterThan(4_000);
  });

  test('of no names there are none', () => {
    expect(fittingNames([])).toEqual([]);
  });

  test('100 names are one message, 101 are two', () => {
    const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `s${n}usdt@kline_1m`);
    expect(subscribeMessages(names(100), 1)).toHaveLength(1);
    expect(subscribeMessages(names(101), 1)).toHaveLength(2);
  });
});
