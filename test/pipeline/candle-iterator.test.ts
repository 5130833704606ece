import { describe, expect, test } from 'vitest';
import type { Series } from '../../machines/model/kline.ts';
import { ConsumerLaggedError } from '../../src/errors.ts';
import { CandleIterator, type CandleIteratorOptions } from '../../src/pipeline/candle-iterator.ts';
import { within } from '../support/wait.ts';
import { at, BTC, bar, ETH } from './candles.ts';

function iterate(change: Partial<CandleIteratorOptions> = {}) {
  const ends = { count: 0 };
  const iterator = new CandleIterator({
    series: [BTC],
    queueSize: 10,
    hasStore: false,
    reader: () => undefined,
    onEnd: () => {
      ends.count += 1;
    },
    ...change,
  });
  const push = (index: number, series: Series = BTC): void => iterator.push(bar(at(index), 'stream', series));
  const next = async (): Promise<number | 'done'> => {
    const result = await within('the next candle', iterator.next());
    return result.done ? 'done' : (result.value.openTime - at(0)) / 60_000;
  };
  return { iterator, push, next, ends };
}

describe('an iterator', () => {
  test('gives out what comes after it was made, in order', async () => {
    const { push, next } = iterate();
    push(5);
    push(6);
    expect(await next()).toBe(5);
    push(7);
    expect([await next(), await next()]).toEqual([6, 7]);
  });

  test('waits for what has not come yet', async () => {
    const { push, next } = iterate();
    const waiting = next();
    push(1);
    expect(await waiting).toBe(1);
  });

  test('leaves out what it was not asked for, and what it gave out before', async () => {
    const { push, next } = iterate();
    push(1, ETH);
    push(1);
    push(1);
    push(0);
    push(2);
    expect([await next(), await next()]).toEqual([1, 2]);
  });

  test('serves readings that overlap in the order they were asked', async () => {
    const { push, next } = iterate();
    const first = next();
    const second = next();
    push(1);
    const third = next();
    push(2);
    push(3);
    expect(await Promise.all([first, second, third])).toEqual([1, 2, 3]);
  });

  test('gives out what waits when the run is over, then ends', async () => {
    const { iterator, push, next, ends } = iterate();
    push(1);
    push(2);
    iterator.end();
    push(3);
    expect([await next(), await next(), await next(), await next()]).toEqual([1, 2, 'done', 'done']);
    expect(ends.count).toBe(1);
  });

  test('that waits is ended by the end of the run', async () => {
    const { iterator, next, ends } = iterate();
    const waiting = [next(), next()];
    iterator.end();
    expect(await Promise.all(waiting)).toEqual(['done', 'done']);
    expect(ends.count).toBe(1);
  });
});

describe('who stops reading', () => {
  test('L07 by break lets go of it', async () => {
    const { iterator, push, ends } = iterate();
    push(1);
    push(2);
    for await (const candle of iterator) if (candle.openTime === at(1)) break;
    expect(ends.count).toBe(1);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test('L07 by an error lets go of it, and keeps the error', async () => {
    const { iterator, push, ends } = iterate();
    push(1);
    const reading = (async () => {
      for await (const _ of iterator) throw new Error('mine');
    })();
    await expect(reading).rejects.toThrow('mine');
    expect(ends.count).toBe(1);
  });

  test('L07 by return, while a reading waits, ends that too', async () => {
    const { iterator, next, ends } = iterate();
    const waiting = [next(), next()];
    expect(await within('return', iterator.return())).toEqual({ done: true, value: undefined });
    expect(await Promise.all(waiting)).toEqual(['done', 'done']);
    await iterator.return();
    expect(ends.count).toBe(1);
  });

  test('by leaving the block lets go of it', async () => {
    const { iterator, next, ends } = iterate();
    const waiting = next();
    {
      await using mine = iterator;
      expect(mine).toBe(iterator);
    }
    expect(await waiting).toBe('done');
    expect(ends.count).toBe(1);
  });
});

describe('a consumer that lags without a store', () => {
  test('is told how far it fell behind, once, and then it is over', async () => {
    const { iterator, push, ends } = iterate({ queueSize: 3 });
    for (let index = 0; index < 4; index++) push(index);
    const error = await iterator.next().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConsumerLaggedError);
    expect((error as Error).message).toContain('4 candles behind');
    expect(ends.count).toBe(1);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test('up to its queue gets everything', async () => {
    const { push, next } = iterate({ queueSize: 3 });
    for (let index = 0; index < 3; index++) push(index);
    expect([await next(), await next(), await next()]).toEqual([0, 1, 2]);
  });
});

describe('a store that cannot be read', () => {
  test('ends the iterator with its error, and nothing is kept for it', async () => {
    const { iterator, ends } = iterate({
      since: at(0),
      hasStore: true,
      reader: () => ({
        read: () => {
          throw new Error('disk I/O error');
        },
      }),
    });
    await expect(iterator.next()).rejects.toThrow('disk I/O error');
    expect(ends.count).toBe(1);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});
