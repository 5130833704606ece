/** Frames that come as bytes, and those that have to be parsed, are one and the same to the pipeline. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Candle, Series } from '../../machines/model/kline.ts';
import { candleOf, decodeFrame } from '../../src/binance/frame.ts';
import { at, BTC, bar, ETH, type FrameChange, frame, frameBytes, rig } from './candles.ts';

const NOBODYS: Series = { symbol: 'SOLUSDT', interval: '1m' };

/** A rig that hears frames one way or the other, and all that can be seen of it afterwards. */
function ear(hear: (one: ReturnType<typeof rig>, openTime: number, change: FrameChange) => unknown) {
  const one = rig({ series: [BTC, ETH], exchangeNow: at(8) });
  const updates: Candle[] = [];
  const answers: unknown[] = [];
  one.delivery.listeners.on('update', (candle) => updates.push(candle));
  return {
    hear: (openTime: number, change: FrameChange): void => void answers.push(hear(one, openTime, change)),
    seen: () => {
      const { pipeline, out, edges, odd, closes, again, cursor } = one;
      const { due, forming, pulse } = cursor;
      return {
        ...{ updates, answers, rows: out(), edges, odd, closes, again, due, forming },
        witness: pulse.witness,
        counters: pipeline.counters,
      };
    },
  };
}
const byBytes = () =>
  ear(({ pipeline }, openTime, change) => pipeline.takeBytes(frameBytes(openTime, change), 1, 0) ?? false);
const byParsing = () => ear(({ pipeline }, openTime, change) => pipeline.take(frame(openTime, change), 1));

test('whatever comes in whatever order, both ways lead to the same', () => {
  const message = fc.record({
    index: fc.integer({ min: -3, max: 12 }),
    closed: fc.boolean(),
    series: fc.constantFrom(BTC, BTC, ETH),
    n: fc.nat(5),
    T: fc.constantFrom(undefined, at(3)),
  });
  let taken = 0;
  fc.assert(
    fc.property(fc.array(message, { maxLength: 25 }), (messages) => {
      const [one, other] = [byBytes(), byParsing()];
      for (const { index, closed, series, n, T } of messages) {
        const change = { closed, series, k: { n, ...(T === undefined ? {} : { T }) } };
        one.hear(at(index), change);
        other.hear(at(index), change);
      }
      expect(one.seen()).toEqual(other.seen());
      taken += one.seen().counters.klines;
    }),
  );
  expect(taken).toBeGreaterThan(100);
});

describe('bytes', () => {
  test('of a series that nobody asked for, or that are no usual frame, are left to the parser and count nothing', () => {
    const { pipeline } = rig();
    const before = { ...pipeline.counters };
    for (const bytes of [
      frameBytes(at(0), { series: NOBODYS }),
      frameBytes(at(0), { k: { o: 'x' } }),
      frameBytes(at(0)).subarray(1),
      Buffer.from('{"result":null,"id":1}'),
    ])
      expect(pipeline.takeBytes(bytes, 1, 0)).toBeUndefined();
    expect(pipeline.counters).toEqual(before);
  });

  test('of a series that is added later are known from then on', () => {
    const { pipeline } = rig();
    pipeline.add(NOBODYS);
    pipeline.add(NOBODYS);
    expect(pipeline.takeBytes(frameBytes(at(0), { series: NOBODYS, closed: false }), 1, 0)).toBe(true);
    expect(pipeline.cursor(NOBODYS)?.forming).toMatchObject({ symbol: 'SOLUSDT', openTime: at(0) });
  });

  test('are not kept: what the socket does with them afterwards changes no forming bar', () => {
    const { pipeline, cursor } = rig();
    const bytes = frameBytes(at(0), { closed: false });
    const decoded = decodeFrame(bytes);
    const candle = decoded.kind === 'kline' ? candleOf(decoded) : undefined;
    pipeline.takeBytes(bytes, 1, 0);
    bytes.fill(0x39);
    expect(cursor.forming).toEqual(candle);
    // A longer one, a shorter one, one that had to be parsed: the newest counts.
    for (const o of ['100.0000000000000000000000000000000000000000000000000000000000000000000000001', '9']) {
      pipeline.takeBytes(frameBytes(at(0), { closed: false, k: { o } }), 1, 0);
      expect(cursor.forming?.open).toBe(Number(o));
    }
    pipeline.take(frame(at(0), { closed: false, k: { n: 77 } }), 1);
    expect(cursor.forming?.count).toBe(77);
    pipeline.takeBytes(frameBytes(at(0), { closed: false }), 1, 0);
    expect(cursor.forming).toEqual(bar(at(0)));
  });
});

test('who hears of an update sees that bar as the forming one, and frames that come meanwhile change nothing of it', () => {
  const { pipeline, cursor, delivery, story } = rig({ series: [BTC, ETH], exchangeNow: at(1) + 200 });
  const heard: unknown[] = [];
  delivery.listeners.on('update', (candle) => {
    heard.push([candle.symbol, candle.count]);
    const own = pipeline.cursor(candle)?.forming;
    expect(own).toEqual(candle);
    if (candle.symbol === 'ETHUSDT') return;
    pipeline.takeBytes(frameBytes(at(1), { closed: false, series: ETH, k: { n: 9 } }), 1, 0);
    pipeline.take(frame(at(0), { series: ETH }), 1);
  });
  delivery.listeners.on('update', (candle) => heard.push([candle.symbol, candle.count, 'second']));
  for (const n of [5, 6]) pipeline.takeBytes(frameBytes(at(0), { closed: false, k: { n } }), 1, 0);
  pipeline.takeBytes(frameBytes(at(0)), 1, 0);
  const eth = [
    ['ETHUSDT', 9],
    ['ETHUSDT', 9, 'second'],
  ];
  expect(heard).toEqual([5, 6].flatMap((n) => [['BTCUSDT', n], ...eth, ['BTCUSDT', n, 'second']]));
  expect(cursor.pulse.frames).toBe(3);
  expect(cursor.forming).toBeUndefined();
  expect(story()).toEqual([0]);
});

test('a symbol that ended and is listed again is known by its bytes as before, and what it said last is no forming bar', () => {
  const { pipeline, cursor } = rig({ exchangeNow: at(1) });
  pipeline.takeBytes(frameBytes(at(0), { closed: false }), 1, 0);
  pipeline.takeBytes(frameBytes(at(0)), 1, 0);
  pipeline.retire(BTC, at(1));
  expect(pipeline.takeBytes(frameBytes(at(1), { closed: false }), 1, 0)).toBe(true);
  expect([pipeline.counters.ended, cursor.forming, cursor.pulse.frames]).toEqual([1, undefined, 2]);
  pipeline.add(BTC);
  pipeline.takeBytes(frameBytes(at(1), { closed: false, k: { n: 8 } }), 2, 0);
  expect(cursor.forming).toEqual(bar(at(1), 'stream', BTC, { count: 8 }));
});

test('a frame of a bar that is not collected any more changes nothing of the forming bar', () => {
  const { pipeline, cursor } = rig({ exchangeNow: at(1) });
  pipeline.takeBytes(frameBytes(at(0), { closed: false, k: { n: 7 } }), 1, 0);
  pipeline.retire(BTC, at(1));
  for (const n of [8, 99])
    expect(pipeline.takeBytes(frameBytes(at(1), { closed: false, k: { n } }), 1, 0)).toBe(true);
  expect(cursor.forming).toEqual(bar(at(0), 'stream', BTC, { count: 7 }));
});

test('no object is made for a frame of a forming bar to which nobody listens', async () => {
  const program = fileURLToPath(new URL('forming.child.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  // The smallest object has sixteen bytes.
  expect(Number(stdout)).toBeLessThan(1);
});
