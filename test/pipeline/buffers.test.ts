import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Candle } from '../../machines/model/kline.ts';
import { CandleBuffer } from '../../src/pipeline/candle-buffer.ts';
import { BATCH_ROWS_MAX, RowBuffer } from '../../src/pipeline/row-buffer.ts';
import { at, BTC, bar } from './candles.ts';

const row = (index: number) => ({ candle: bar(at(index)) });

describe('the candle buffer', () => {
  test('holds the newest candles, oldest first, never more than its capacity', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(100), (capacity, count) => {
        const buffer = new CandleBuffer(BTC, capacity);
        const all = Array.from({ length: count }, (_, index) => bar(at(index)));
        for (const candle of all) {
          buffer.push(candle);
          expect(buffer.size).toBe(buffer.toArray().length);
        }
        expect(buffer.toArray()).toEqual(all.slice(-capacity));
      }),
    );
  });

  test('puts a bar that came late between those that are held, and before none', () => {
    const indices = (buffer: CandleBuffer) => buffer.toArray().map((one) => (one.openTime - at(0)) / 60_000);
    const buffer = new CandleBuffer(BTC, 4);
    buffer.insert(bar(at(1)));
    expect(indices(buffer)).toEqual([]);
    for (const index of [2, 5, 7]) buffer.push(bar(at(index)));
    for (const index of [6, 3, 3, 1]) buffer.insert(bar(at(index)));
    expect(indices(buffer)).toEqual([3, 5, 6, 7]);
    expect(buffer.size).toBe(4);
    for (let index = 8; index < 20; index++) buffer.push(bar(at(index)));
    expect(indices(buffer)).toEqual([16, 17, 18, 19]);
  });

  test('is what a plain list would be, whatever comes: each number as it came, also of bars that were corrected', () => {
    const step = fc.record({
      what: fc.constantFrom('push', 'push', 'push', 'insert', 'correct'),
      skipped: fc.integer({ min: 1, max: 3 }),
      back: fc.nat(12),
      values: fc.record({
        open: fc.double({ noNaN: true }),
        takerBuyQuoteVolume: fc.double({ noNaN: true }),
        source: fc.constantFrom('stream', 'rest', 'vision'),
      }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(step, { maxLength: 60 }), (capacity, steps) => {
        const buffer = new CandleBuffer(BTC, capacity);
        let list: Candle[] = [];
        let newest = 100;
        for (const { what, skipped, back, values } of steps) {
          if (what === 'push') newest += skipped;
          const candle = bar(at(what === 'push' ? newest : newest - back), values.source, BTC, values);
          const index = list.findIndex(({ openTime }) => openTime >= candle.openTime);
          const isHeld = list[index]?.openTime === candle.openTime;
          if (what === 'correct' && isHeld) list[index] = candle;
          if (what === 'insert' && index > 0 && !isHeld) list.splice(index, 0, candle);
          if (what === 'push') list.push(candle);
          list = list.slice(-capacity);
          buffer[what](candle);
          expect(buffer.toArray()).toEqual(list);
          expect(buffer.find(candle.openTime)).toEqual(
            list.find(({ openTime }) => openTime === candle.openTime),
          );
        }
      }),
      { numRuns: 200 },
    );
  });

  test('hands out a copy, of candles that nobody can write to', () => {
    const buffer = new CandleBuffer(BTC, 3);
    buffer.push(bar(at(0)));
    const copy = buffer.toArray() as unknown[];
    expect([copy[0], buffer.find(at(0))].map(Object.isFrozen)).toEqual([true, true]);
    copy.length = 0;
    expect(buffer.size).toBe(1);
  });
});

describe('rows on their way to the store', () => {
  test('are a hundred candles to a batch at most, however many a row brings, and one row at least', () => {
    const fill = (count: number) => ({
      fill: {
        ...BTC,
        reason: '',
        candles: Array.from({ length: count }, (_, index) => bar(at(index))),
        filledAt: 0,
      },
    });
    const buffer = new RowBuffer(1_000);
    for (const one of [row(0), fill(99), row(1), fill(100), fill(150), row(2), fill(60), fill(60)])
      buffer.offer(one);
    const sizes: number[] = [];
    for (let batch = buffer.batch(); batch.length > 0; batch = buffer.batch()) {
      sizes.push(batch.length);
      buffer.drop(batch.length);
    }
    expect(sizes).toEqual([2, 1, 1, 1, 2, 1]);
  });

  test('leave in the order they came, none lost and none twice, whatever the batches', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.record({ add: fc.nat(150) }), fc.record({ drop: fc.nat(100) }), fc.constant('look')),
          {
            maxLength: 40,
          },
        ),
        (steps) => {
          const buffer = new RowBuffer(1_000);
          let added = 0;
          let dropped = 0;
          for (const step of steps) {
            if (step === 'look') {
              const indices = buffer.batch().map((one) => 'candle' in one && one.candle.openTime);
              const count = Math.min(BATCH_ROWS_MAX, added - dropped);
              expect(indices).toEqual(Array.from({ length: count }, (_, index) => at(dropped + index)));
            } else if (typeof step === 'object' && 'add' in step) {
              for (let n = 0; n < step.add; n++) if (buffer.offer(row(added))) added += 1;
            } else if (typeof step === 'object') {
              const count = Math.min(step.drop, buffer.batch().length);
              buffer.drop(count);
              dropped += count;
            }
            expect(buffer.size).toBe(added - dropped);
            expect(buffer.size).toBeLessThanOrEqual(1_000);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test('are taken up to the bound and not beyond', () => {
    const buffer = new RowBuffer(3);
    expect([0, 1, 2, 3].map((index) => buffer.offer(row(index)))).toEqual([true, true, true, false]);
    expect(buffer.hasRoom()).toBe(false);
    buffer.drop(2);
    expect(buffer.hasRoom()).toBe(true);
  });

  test('are announced when they are no longer none, and when a batch is full', () => {
    const buffer = new RowBuffer(1_000);
    const edges: string[] = [];
    buffer.onEdge = (edge) => edges.push(edge);
    for (let index = 0; index < 150; index++) buffer.offer(row(index));
    expect(edges).toEqual(['rows', 'full']);
    expect(buffer.full).toBe(true);
    buffer.drop(100);
    expect(buffer.full).toBe(false);
    for (let index = 0; index < 50; index++) buffer.offer(row(index));
    expect(edges).toEqual(['rows', 'full', 'full']);
    buffer.drop(100);
    buffer.offer(row(0));
    expect(edges).toEqual(['rows', 'full', 'full', 'rows']);
  });

  test('of a batch stay until they are let go: it can be taken again', () => {
    const buffer = new RowBuffer(1_000);
    for (let index = 0; index < 120; index++) buffer.offer(row(index));
    const first = buffer.batch();
    buffer.offer(row(120));
    expect(first).toHaveLength(100);
    expect(buffer.batch()).toEqual(first);
  });

  test('many thousands pass through', () => {
    const buffer = new RowBuffer(30_000);
    for (let index = 0; index < 30_000; index++) buffer.offer(row(index));
    let next = 0;
    while (buffer.size > 0) {
      for (const one of buffer.batch()) {
        if (!('candle' in one) || one.candle.openTime !== at(next))
          throw new Error(`row ${next} is not next`);
        next += 1;
      }
      buffer.drop(buffer.batch().length);
    }
    expect(next).toBe(30_000);
  });

  test('can be waited for: all who wait have their turn, in the order of their coming', async () => {
    const buffer = new RowBuffer(1_000);
    const { signal } = new AbortController();
    const turns: string[] = [];
    await buffer.whenBelow(1, signal, () => {});
    for (let index = 0; index < 5; index++) buffer.offer(row(index));
    const bring = (name: string): Promise<void> =>
      buffer.whenBelow(5, signal, () => {
        turns.push(name);
        for (let index = 0; index < 3; index++) buffer.offer(row(index));
      });
    const all = Promise.all(['one', 'two', 'three'].map(bring));
    await Promise.resolve();
    expect(turns).toEqual([]);
    for (const expected of [['one'], ['one', 'two'], ['one', 'two', 'three']]) {
      buffer.drop(3);
      await new Promise(setImmediate);
      expect(turns).toEqual(expected);
    }
    await all;
  });

  test('are not waited for any more by who has been told to stop', async () => {
    const buffer = new RowBuffer(1_000);
    buffer.offer(row(0));
    const over = new AbortController();
    const wait = buffer.whenBelow(1, over.signal, () => {});
    over.abort(new Error('over'));
    await expect(wait).rejects.toThrow('over');
    await expect(buffer.whenBelow(1, over.signal, () => {})).rejects.toThrow('over');
  });
});
