import { describe, expect, test } from 'vitest';
import { INTERVALS } from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';
import { candleOf, decodeFrame } from '../../src/binance/frame.ts';
import { KlineReader } from '../../src/binance/kline-bytes.ts';
import { streamName } from '../../src/binance/streams.ts';
import { klineEvent } from '../../src/simulator/frames.ts';
import { fixturesMissing } from '../support/fixtures.ts';
import { combinedFrame, type Json, KLINES_RECORDED, recordedFrames } from './recorded.ts';

const BTC: Series = { symbol: 'BTCUSDT', interval: '1m' };
const FRAME =
  '{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1785617898970,"s":"BTCUSDT","k":{"t":1785617880000,' +
  '"T":1785617939999,"s":"BTCUSDT","i":"1m","f":7946184667,"L":7946184938,"o":"62635.80","c":"62631.80",' +
  '"h":"62635.90","l":"62631.80","v":"3.418","n":272,"x":false,"q":"214085.65360","V":"0.491","Q":"30753.74630","B":"0"}}}';
const BLANKS = FRAME.replace(/(?<="k":\{.*),/gu, ', ');

const readerOf = (...series: readonly Series[]): KlineReader<Series> => {
  const reader = new KlineReader<Series>();
  for (const one of series) reader.add(one, one);
  return reader;
};
const btc = readerOf(BTC);

/** What a reader makes of it: whose it is, and all that it says. */
function read(bytes: Buffer, reader = btc) {
  const owner = reader.read(bytes);
  if (owner === undefined) return undefined;
  const { openTime, closeTime, eventTime, closed, count } = reader;
  return { owner, openTime, closeTime, eventTime, closed, count, candle: reader.candle(owner) };
}
/** The same by the parser. */
function parsed(bytes: Buffer) {
  const frame = decodeFrame(bytes);
  if (frame.kind !== 'kline') return undefined;
  const { symbol, interval, openTime, eventTime, closed, fields } = frame;
  const [closeTime, count] = [fields['T'], fields['n']];
  return {
    owner: { symbol, interval },
    openTime,
    closeTime,
    eventTime,
    closed,
    count,
    candle: candleOf(frame),
  };
}
const isTaken = (text: string, reader = btc): boolean => reader.read(Buffer.from(text)) !== undefined;

/** A frame of another stream. */
const frameOf = (series: Series): Buffer =>
  Buffer.from(
    FRAME.replace('btcusdt@kline_1m', streamName(series))
      .replaceAll('BTCUSDT', series.symbol)
      .replace('"1m"', `"${series.interval}"`),
  );

describe.skipIf(fixturesMissing)('every recorded frame', () => {
  test('is read as it is parsed, and all klines of the exchange are read', () => {
    const taken: Record<string, number> = {};
    for (const { file, text } of recordedFrames()) {
      const bytes = Buffer.from(text);
      const told = parsed(bytes);
      const reader = told === undefined ? btc : readerOf(told.owner);
      const said = read(bytes, reader);
      if (said !== undefined) {
        expect(said).toEqual(told);
        taken[file] = (taken[file] ?? 0) + 1;
      }
    }
    expect(taken).toEqual(KLINES_RECORDED);
  });

  test('is left to the parser when it is laid out for people', () => {
    const text = combinedFrame();
    expect(isTaken(text)).toBe(false);
    expect(isTaken(JSON.stringify(JSON.parse(text) as Json))).toBe(true);
  });
});

describe('a frame as the exchange writes it', () => {
  test.each([
    ['without blanks', FRAME],
    ['with blanks behind the commas of its bar', BLANKS],
    ['that closes', FRAME.replace('false', 'true')],
    [
      'of a bar without trades',
      FRAME.replace('7946184667', '-1').replace('7946184938', '-1').replace('272', '0'),
    ],
    ['of prices below zero', FRAME.replace('"62635.80"', '"-0.37"')],
    ['of whole numbers', FRAME.replace('"3.418"', '"3"')],
    ['of numbers longer than a double', FRAME.replace('3.418', '12345678901234567890.123456789')],
    ['with the most trades that are exact', FRAME.replace('272', '999999999999999')],
  ])('%s is read', (_, text) => {
    const said = read(Buffer.from(text));
    expect(said).toBeDefined();
    expect(said).toEqual(parsed(Buffer.from(text)));
  });

  test('of the simulated exchange is read, of every interval', () => {
    const bar = {
      openTime: 1_785_617_880_000,
      closeTime: 1_785_617_939_999,
      firstTradeId: 1,
      lastTradeId: 9,
      open: '1.5',
      high: '2.0',
      low: '1.0',
      close: '1.7',
      volume: '10',
      quoteVolume: '15.00',
      count: 9,
      takerBuyVolume: '5',
      takerBuyQuoteVolume: '7.5',
    };
    for (const interval of INTERVALS) {
      const series = { symbol: '币安人生USDT', interval };
      const event = klineEvent(series.symbol, interval, bar, true, 1_785_617_940_001);
      const bytes = Buffer.from(`{"stream":"${streamName(series)}","data":${event}}`);
      expect(read(bytes, readerOf(BTC, series))).toEqual(parsed(bytes));
    }
  });
});

describe('anything else is left to the parser', () => {
  test.each([
    ['a raw frame', FRAME.slice(FRAME.indexOf('{"e"'), -1)],
    ['another symbol in the event', FRAME.replace('"s":"BTC', '"s":"ETH')],
    ['another symbol in the bar', FRAME.replace('"s":"BTCUSDT","i"', '"s":"ETHUSDT","i"')],
    ['another interval than its name says', FRAME.replace('"i":"1m"', '"i":"1M"')],
    ['an interval of another case', FRAME.replace('kline_1m', 'kline_1M')],
    ['a symbol in small letters', FRAME.replace('"s":"BTCUSDT"', '"s":"btcusdt"')],
    ['another event', FRAME.replace('"e":"kline"', '"e":"clint"')],
    ['a new field', FRAME.replace(',"B":"0"', ',"B":"0","C":"1"')],
    ['a field that lacks', FRAME.replace(',"B":"0"', '')],
    [
      'fields in another order',
      FRAME.replace('"V":"0.491","Q":"30753.74630"', '"Q":"30753.74630","V":"0.491"'),
    ],
    ['a number for a text', FRAME.replace('"62635.80"', '62635.80')],
    ['a text for a number', FRAME.replace(':272,', ':"272",')],
    ['a text for a truth', FRAME.replace('false', '"false"')],
    ['two blanks', FRAME.replace(',"T"', ',  "T"')],
    ['a blank behind a colon', FRAME.replace('"T":', '"T": ')],
    ['a zero in front', FRAME.replace(':272,', ':0272,')],
    ['a count below zero', FRAME.replace(':272,', ':-272,')],
    ['a count with a point', FRAME.replace(':272,', ':27.2,')],
    ['sixteen digits', FRAME.replace(':272,', ':1785617898970123,')],
    ['a time of twelve digits', FRAME.replace('"E":1785617898970', '"E":785617898970')],
    ['a time of fourteen digits', FRAME.replace('"T":1785617939999', '"T":17856179399990')],
    ['a time with a zero in front', FRAME.replace('"t":1785617880000', '"t":0785617880000')],
    ['a decimal without digits', FRAME.replace('"3.418"', '""')],
    ['a decimal that begins with its point', FRAME.replace('"3.418"', '".418"')],
    ['a decimal that ends with its point', FRAME.replace('"3.418"', '"3."')],
    ['a decimal with an exponent', FRAME.replace('"3.418"', '"3e2"')],
    ['a number that is too large', FRAME.replace('3.418', '9'.repeat(400))],
    ['a brace behind it', `${FRAME}}`],
    ['a line end behind it', `${FRAME}\n`],
    ['another frame behind it', FRAME + FRAME],
    ['a mark in front of it', `\ufeff${FRAME}`],
    ['braces', '}'.repeat(300)],
    ['a name without end', `{"stream":"${'b'.repeat(300)}}}}`],
    ['nothing', ''],
  ])('%s', (_, text) => {
    expect(text).not.toBe(FRAME);
    expect(isTaken(text)).toBe(false);
  });

  test('any part of a frame', () => {
    const bytes = Buffer.from(FRAME);
    for (let length = 0; length < bytes.length; length++) {
      expect(btc.read(bytes.subarray(0, length))).toBeUndefined();
      expect(btc.read(bytes.subarray(bytes.length - length))).toBeUndefined();
    }
  });

  test('a frame of which one byte is another, unless the parser takes it for the same', () => {
    let taken = 0;
    for (const whole of [Buffer.from(FRAME), Buffer.from(BLANKS)])
      for (let at = 0; at < whole.length; at++)
        for (let byte = 0; byte < 256; byte++) {
          const bytes = Buffer.from(whole);
          bytes[at] = byte;
          if (btc.read(bytes) === undefined) continue;
          taken += 1;
          if (byte !== whole[at]) expect(read(bytes)).toEqual(parsed(bytes));
        }
    // Each digit may be any other: about as many as there are digits, times ten.
    expect(taken).toBeGreaterThan(2_000);
  });

  test('a frame that lacks a byte, or has one twice, unless the parser takes it for the same', () => {
    const whole = Buffer.from(FRAME);
    for (let at = 0; at < whole.length; at++)
      for (const bytes of [
        Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)]),
        Buffer.concat([whole.subarray(0, at), whole.subarray(at, at + 1), whole.subarray(at)]),
      ])
        if (btc.read(bytes) !== undefined) expect(read(bytes)).toEqual(parsed(bytes));
  });

  test('a decimal that is not finite, however short the name and all else in its frame are', () => {
    const series: Series = { symbol: 'A', interval: '1m' };
    const reader = readerOf(series);
    const short = FRAME.replace('btcusdt', 'a')
      .replaceAll('BTCUSDT', 'A')
      .replaceAll(/:\d+/gu, ':1')
      .replaceAll(/"[\d.]+"/gu, '"1"');
    for (let digits = 1; digits < 400; digits++) {
      const bytes = Buffer.from(short.replace('"1"', `"${'9'.repeat(digits)}"`));
      if (reader.read(bytes) !== undefined) expect(read(bytes, reader)).toEqual(parsed(bytes));
    }
  });

  test('a stream that nobody asked for, and one whose symbol means another in JSON', () => {
    expect(isTaken(FRAME, readerOf({ symbol: 'ETHUSDT', interval: '1m' }))).toBe(false);
    expect(isTaken(FRAME, readerOf())).toBe(false);
    for (const symbol of ['A"B', 'A\\u0042', 'A}B', 'A\nB', 'A\ud800B']) {
      const series: Series = { symbol, interval: '1m' };
      expect(readerOf(series).read(frameOf(series))).toBeUndefined();
    }
  });
});

test('each of two streams whose names are the same to the hash is found', () => {
  for (const symbols of [
    ['YBFDOGSWDUSDT', 'FYJUCSHPGUSDT'],
    ['NYXTPDVRBUSDT', 'GINHEVRNFUSDT'],
    // Longer than what is hashed.
    [`${'A'.repeat(30)}X`, `${'A'.repeat(30)}Y`],
  ]) {
    const pair = symbols.map((symbol): Series => ({ symbol, interval: '1m' }));
    const reader = readerOf(...pair);
    for (const series of pair) expect(reader.read(frameOf(series))).toBe(series);
  }
});

test('each of ten thousand streams is found by its name', () => {
  const all = Array.from({ length: 10_000 }, (_, index): Series => {
    const letters = index
      .toString(26)
      .replace(/./gu, (digit) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[parseInt(digit, 26)]!);
    return { symbol: `${letters}USDT`, interval: INTERVALS[index % INTERVALS.length]! };
  });
  const reader = readerOf(...all);
  for (const series of all) expect(reader.read(frameOf(series))).toBe(series);
});
