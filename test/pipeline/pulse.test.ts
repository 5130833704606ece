import { describe, expect, test } from 'vitest';
import { KlineReader } from '../../src/binance/kline-bytes.ts';
import { hasTraded, Pulse } from '../../src/pipeline/pulse.ts';
import { at, BTC, bar, ETH, frame, rig } from './candles.ts';

const forming = (index: number, k = {}) => frame(at(index), { closed: false, k });

/** A frame of a forming bar comes. */
function beat(pulse: Pulse, index: number, k = {}): void {
  const reader = new KlineReader();
  reader.set(forming(index, k));
  pulse.note(reader);
}

describe('the silence of a stream', () => {
  test('is told once, when no frame has come for so long, and again only after the next frame', () => {
    const { pipeline, time, edges } = rig();
    const look = (until: number): void => {
      for (; time.monotonic < until; time.monotonic += 250) pipeline.scan();
      time.exchange = at(0) + 1_000;
    };
    look(100_000);
    expect(edges).toEqual([]);
    pipeline.take(forming(0), 1);
    expect(edges).toEqual(['CURSOR.FIRST_FRAME']);
    look(160_000);
    expect(edges).toHaveLength(1);
    look(400_000);
    expect(edges).toEqual(['CURSOR.FIRST_FRAME', 'CURSOR.SILENT']);
    pipeline.take(forming(0), 1);
    pipeline.take(forming(0), 1);
    expect(edges.slice(2)).toEqual(['CURSOR.FRAME_AGAIN']);
    look(800_000);
    expect(edges.slice(3)).toEqual(['CURSOR.SILENT']);
  });

  test('is none while frames come, be they from the older of two connections', () => {
    const { pipeline, time, edges } = rig();
    pipeline.take(forming(0), 2);
    for (; time.monotonic < 300_000; time.monotonic += 250) {
      if (time.monotonic % 30_000 === 0) pipeline.take(forming(0), 1);
      pipeline.scan();
    }
    expect(edges).toEqual(['CURSOR.FIRST_FRAME']);
  });
});

describe('a connection that is to be replaced', () => {
  test('brings no first frame any more, but news to a stream that was not live', () => {
    const { pipeline, edges } = rig();
    pipeline.beginSuccession(BTC, 4, false);
    pipeline.take(forming(0), 4);
    pipeline.take(forming(0), 4);
    expect(edges).toEqual(['CURSOR.FRAME_AGAIN']);
    pipeline.take(forming(0), 5);
    expect(edges.slice(1)).toEqual(['CURSOR.FIRST_FRAME']);
  });

  test('brings no news to a stream that is live by it; the successor does', () => {
    const { pipeline, edges } = rig();
    pipeline.take(forming(0), 4);
    pipeline.beginSuccession(BTC, 4, true);
    pipeline.take(forming(0), 4);
    pipeline.take(forming(0), 5);
    expect(edges).toEqual(['CURSOR.FIRST_FRAME', 'CURSOR.FIRST_FRAME']);
  });
});

describe('a stream of whose bars only REST tells', () => {
  const pulse = (): Pulse => {
    const one = new Pulse(BTC);
    beat(one, 0);
    return one;
  };

  test('is doubted at the second bar with trades that no frame was of, once', () => {
    const one = pulse();
    expect([1, 2, 3].map((index) => one.isBetrayedBy(bar(at(index), 'rest')))).toEqual([false, true, false]);
  });

  test('is not for bars without trades, or whose frames came and only the close was lost', () => {
    const one = pulse();
    const quiet = (index: number) => bar(at(index), 'rest', BTC, { count: 0 });
    expect([1, 2, 3].map((index) => one.isBetrayedBy(quiet(index)))).toEqual([false, false, false]);
    beat(one, 9);
    expect([4, 5, 6].map((index) => one.isBetrayedBy(bar(at(index), 'rest')))).toEqual([false, false, false]);
  });
});

describe('how far the trades of a stream are known', () => {
  test('is told by its last frame, or by what REST said after it', () => {
    const pulse = new Pulse(BTC);
    expect(pulse.witness).toBeUndefined();
    beat(pulse, 1, { n: 4 });
    expect(pulse.witness).toEqual({ series: BTC, openTime: at(1), count: 4, asOf: at(1) + 500 });
    const reading = { series: ETH, openTime: at(2), count: 9, asOf: at(2) };
    pulse.noteReading(reading);
    expect(pulse.witness).toBe(reading);
    beat(pulse, 3, { n: 1 });
    expect(pulse.witness).toEqual({ series: BTC, openTime: at(3), count: 1, asOf: at(3) + 500 });
    beat(pulse, 3, { n: 'many' });
    expect(pulse.witness?.count).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    ['more in the same bar', [[1, 5]], true],
    ['as many in the same bar', [[1, 4]], false],
    ['fewer, as a slower server says', [[1, 3]], false],
    [
      'some in a later bar',
      [
        [1, 4],
        [2, 1],
      ],
      true,
    ],
    [
      'none in a later bar',
      [
        [1, 4],
        [2, 0],
      ],
      false,
    ],
    ['those of an older bar', [[0, 99]], false],
    ['nothing', [], false],
  ] as const)('%s', (_, counts, expected) => {
    const since = { series: BTC, openTime: at(1), count: 4, asOf: at(1) };
    const bars = counts.map(([index, count]) => bar(at(index), 'rest', BTC, { count }));
    expect(hasTraded(since, bars)).toBe(expected);
  });
});

describe('frames that cannot be understood', () => {
  const NAME = 'btcusdt@kline_1m';

  test('many in a row are told once, and its bars are owed; the first that can be is news', () => {
    const { pipeline, edges, cursor, odd } = rig();
    for (let frames = 0; frames < 100; frames++) pipeline.takeMalformed(NAME);
    expect(edges).toEqual(['CURSOR.GARBLED']);
    expect(cursor.due).toBe(at(0));
    expect(odd).toEqual([expect.objectContaining({ series: 'BTCUSDT@1m' })]);
    expect(pipeline.counters.malformed).toBe(100);
    pipeline.take(forming(0), 1);
    expect(edges).toEqual(['CURSOR.GARBLED', 'CURSOR.FIRST_FRAME']);
  });

  test('are nothing to tell of as long as good ones come between', () => {
    const { pipeline, edges } = rig();
    for (let frames = 0; frames < 100; frames++) {
      pipeline.takeMalformed(NAME);
      if (frames % 19 === 0) pipeline.take(forming(0), 1);
    }
    expect(edges).toEqual(['CURSOR.FIRST_FRAME']);
  });

  test('of nobody, or of a stranger, are counted', () => {
    const { pipeline, edges } = rig();
    for (let frames = 0; frames < 50; frames++)
      for (const name of [undefined, 'ethusdt@kline_1m', '!contractInfo', NAME.slice(0, 4)])
        pipeline.takeMalformed(name);
    expect(edges).toEqual([]);
    expect(pipeline.counters.malformed).toBe(200);
  });
});
