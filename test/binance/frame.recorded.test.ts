import { describe, expect, test } from 'vitest';
import { candleOf, decodeFrame, type Frame, type KlineFrame } from '../../src/binance/frame.ts';
import { fixturesMissing } from '../support/fixtures.ts';
import { combinedFrame, type Json, KLINES_RECORDED, readJson, readText, recordedFrames } from './recorded.ts';

const decode = (text: string): Frame => decodeFrame(Buffer.from(text));

describe.skipIf(fixturesMissing)('frames that were recorded', () => {
  test('every one is what its own type says, and none is malformed', () => {
    const counts: Record<string, Record<string, number>> = { kline: {}, other: {} };
    for (const { file, text } of recordedFrames()) {
      const frame = decode(text);
      const { stream, data } = JSON.parse(text) as { stream: string; data: Json };
      expect(frame.kind, text).toBe(stream.includes('@kline_') ? 'kline' : 'other');
      if (frame.kind === 'kline') {
        const k = data['k'] as Json;
        expect(frame).toMatchObject({
          symbol: data['s'],
          interval: k['i'],
          openTime: k['t'],
          closed: k['x'],
          eventTime: data['E'],
        });
      }
      const ofKind = counts[frame.kind]!;
      ofKind[file] = (ofKind[file] ?? 0) + 1;
    }
    expect(counts).toEqual({
      kline: KLINES_RECORDED,
      other: {
        'ws/usdm-2021-07-22-cryptofeed.jsonl': 1468,
        'ws/binancetr-spot-2023-04-10-cryptofeed.jsonl': 131,
        'ws/spot-2021-10-12-cryptofeed.jsonl': 263,
      },
    });
  });

  test('raw and combined frames mean the same', () => {
    for (const { text } of recordedFrames()) {
      const { data } = JSON.parse(text) as { data: Json };
      if (typeof data['e'] !== 'string') continue;
      expect(decode(JSON.stringify(data))).toEqual(decode(text));
    }
  });

  test('their numbers are the doubles nearest to the text', () => {
    let candles = 0;
    for (const { text } of recordedFrames()) {
      const frame = decode(text);
      if (frame.kind !== 'kline') continue;
      const k = (JSON.parse(text) as { data: { k: Record<string, string> } }).data.k;
      candles += 1;
      expect(candleOf(frame)).toEqual({
        symbol: k['s'],
        interval: k['i'],
        openTime: k['t'],
        open: Number(k['o']),
        high: Number(k['h']),
        low: Number(k['l']),
        close: Number(k['c']),
        volume: Number(k['v']),
        closeTime: k['T'],
        quoteVolume: Number(k['q']),
        count: k['n'],
        takerBuyVolume: Number(k['V']),
        takerBuyQuoteVolume: Number(k['Q']),
        source: 'stream',
      });
    }
    expect(candles).toBe(80);
  });

  test('a frame with blanks after its commas is read as one without', () => {
    const [open, closed] = readText('ws/usdm-testnet-frames-2026-07.jsonl').trim().split('\n');
    expect(open).toContain(', "T"');
    expect(decode(open!)).toMatchObject({ kind: 'kline', closed: false });
    const frame = decode(closed!);
    expect(frame).toMatchObject({ kind: 'kline', closed: true, symbol: 'BTCUSDT', interval: '1m' });
    expect(decode(JSON.stringify(JSON.parse(closed!)))).toEqual(frame);
    expect(candleOf(frame as KlineFrame)?.quoteVolume).toBe(1600832.45759);
  });

  test('the samples of single frames are told apart', () => {
    const kinds = Object.fromEntries(
      [
        'ws-kline-combined-btcusdt-1m',
        'ws-kline-raw-btcusdt-1m',
        'ws-kline-doc-example',
        'ws-kline-spot-closed-no-trades',
        'ws-continuous-kline-doc-example',
        'ws-contractInfo-doc-example',
        'ws-contractInfo-pending-trading',
      ].map((name) => {
        const frame = decode(readText(`samples/${name}.json`));
        return [name, 'type' in frame ? frame.type : 'reason' in frame ? frame.reason : frame.kind];
      }),
    );
    expect(kinds).toEqual({
      'ws-kline-combined-btcusdt-1m': 'kline',
      'ws-kline-raw-btcusdt-1m': 'kline',
      'ws-kline-doc-example': 'kline',
      // One second is no interval of this exchange.
      'ws-kline-spot-closed-no-trades': 'kline of an unknown interval',
      'ws-continuous-kline-doc-example': 'continuous_kline',
      'ws-contractInfo-doc-example': 'contractInfo',
      'ws-contractInfo-pending-trading': 'contractInfo',
    });
  });

  test('a bar without trades, its trade ids -1, is a bar', () => {
    const text = readText('samples/ws-kline-spot-closed-no-trades.json').replace('"1s"', '"1m"');
    const candle = candleOf(decode(text) as KlineFrame);
    expect(candle).toMatchObject({ open: 1870.76, close: 1870.76, volume: 0, count: 0 });
  });

  test('a count that differs from the trade ids is taken as it is', () => {
    expect(candleOf(decode(combinedFrame()) as KlineFrame)?.count).toBe(1027);
  });
});

describe.skipIf(fixturesMissing)('replies that were recorded', () => {
  test('every acknowledgement of the documentation is a reply with its id', () => {
    const pairs = readJson('samples/ws-control-exchange.json') as { reply: { id: number } }[];
    expect(pairs).toHaveLength(5);
    for (const { reply } of pairs)
      expect(decode(JSON.stringify(reply))).toEqual({ kind: 'reply', id: reply.id });
  });

  test('every error on the wire is a refusal that keeps code and text, without an id as with one', () => {
    const { wire_frames, documented_inner_objects } = readJson('samples/ws-error-replies.json') as {
      wire_frames: { error: { code: number; msg: string } }[];
      documented_inner_objects: { code: number; msg: string }[];
    };
    for (const frame of wire_frames)
      expect(decode(JSON.stringify(frame))).toEqual({
        kind: 'refusal',
        id: undefined,
        code: frame.error.code,
        message: frame.error.msg,
      });
    for (const error of documented_inner_objects) {
      const refusal = { kind: 'refusal', id: 7, code: error.code, message: error.msg };
      expect(decode(JSON.stringify({ error, id: 7 }))).toEqual(refusal);
      expect(decode(JSON.stringify({ id: 7, error, result: null }))).toEqual(refusal);
      // The shape that old clients saw.
      expect(decode(JSON.stringify({ result: error, id: 7 }))).toEqual(refusal);
    }
  });
});
