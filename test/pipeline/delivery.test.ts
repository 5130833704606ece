import { describe, expect, test } from 'vitest';
import type { Candle, Series } from '../../machines/model/kline.ts';
import { Delivery, type Problem } from '../../src/pipeline/delivery.ts';
import { Listeners } from '../../src/pipeline/listeners.ts';
import { within } from '../support/wait.ts';
import { settle } from '../transport/fake-clock.ts';
import { at, BTC, bar, ETH, frame, rig } from './candles.ts';

const delivery = () => new Delivery({ bufferSize: 3, queueSize: 10, hasStore: true, series: [BTC, ETH] });
/** What an iterator gives out to its end. */
async function rest(iterator: AsyncIterable<Candle>): Promise<Candle[]> {
  const all: Candle[] = [];
  for await (const candle of iterator) all.push(candle);
  return all;
}

const rows = (...indices: number[]) => indices.map((index) => ({ candle: bar(at(index)) }));

describe('listeners', () => {
  test('are called in the order they came, for as long as they listen', () => {
    const heard: string[] = [];
    const listeners = new Listeners<{ note: string }>(() => {});
    const off = listeners.on('note', (text) => heard.push(`a ${text}`));
    listeners.on('note', (text) => heard.push(`b ${text}`));
    listeners.emit('note', '1');
    off();
    off();
    listeners.emit('note', '2');
    expect(heard).toEqual(['a 1', 'b 1', 'b 2']);
  });

  test('given twice are called twice, and each ends by itself', () => {
    let calls = 0;
    const listener = (): number => ++calls;
    const listeners = new Listeners<{ note: string }>(() => {});
    const off = listeners.on('note', listener);
    listeners.on('note', listener);
    listeners.emit('note', '');
    off();
    listeners.emit('note', '');
    expect(calls).toBe(3);
    expect(listeners.of('note').entries).toHaveLength(1);
  });

  test('may leave while they are called', () => {
    const heard: string[] = [];
    const listeners = new Listeners<{ note: string }>(() => {});
    const off = listeners.on('note', () => {
      off();
      heard.push('once');
    });
    listeners.on('note', () => heard.push('always'));
    listeners.emit('note', '');
    listeners.emit('note', '');
    expect(heard).toEqual(['once', 'always', 'always']);
  });

  test('that throw, or reject, hurt only themselves and are reported', async () => {
    const faults: unknown[] = [];
    const heard: string[] = [];
    const listeners = new Listeners<{ note: string }>((_, error) => faults.push(error));
    listeners.on('note', () => {
      throw new Error('thrown');
    });
    listeners.on('note', () => Promise.reject(new Error('rejected')));
    listeners.on('note', (text) => heard.push(text));
    listeners.emit('note', 'x');
    await Promise.resolve();
    expect(heard).toEqual(['x']);
    expect(faults).toMatchObject([{ message: 'thrown' }, { message: 'rejected' }]);
  });
});

describe('delivery', () => {
  test('hands every committed candle to buffer, listeners and iterators, once and in order', async () => {
    const one = delivery();
    const heard: number[] = [];
    one.listeners.on('candle', (candle) => heard.push(candle.openTime));
    const iterator = one.iterate([BTC], undefined);
    one.deliver(rows(0, 1, 2, 3));
    one.endIterators();
    const read: number[] = [];
    for await (const candle of iterator) read.push(candle.openTime);
    expect(heard).toEqual([0, 1, 2, 3].map(at));
    expect(read).toEqual([0, 1, 2, 3].map(at));
    expect(one.buffer('BTCUSDT@1m')?.map((candle) => candle.openTime)).toEqual([1, 2, 3].map(at));
    expect(one.bufferSizes()).toEqual({ 'BTCUSDT@1m': 3, 'ETHUSDT@1m': 0 });
    expect(one.buffer('XRPUSDT@1m')).toBeUndefined();
  });

  test('what one consumer does to a candle no other sees', () => {
    const one = delivery();
    one.listeners.on('candle', (candle) => {
      (candle as { close: number }).close = -1;
    });
    const seen: number[] = [];
    one.listeners.on('candle', (candle) => seen.push(candle.close));
    one.deliver(rows(0));
    const { close } = bar(at(0));
    expect(seen).toEqual([close]);
    expect(one.buffer('BTCUSDT@1m')?.[0]?.close).toBe(close);
  });

  test('announces a gap between the candles where it lies, and not as a candle', () => {
    const one = delivery();
    const heard: unknown[] = [];
    one.listeners.on('candle', (candle) => heard.push(candle.openTime));
    one.listeners.on('gap', (gap) => heard.push(gap));
    const gap = { ...BTC, fromOpenTime: at(1), toOpenTime: at(2), reason: 'none', detectedAt: 5 };
    one.deliver([...rows(0), { gap }, ...rows(3)]);
    expect(heard).toEqual([
      at(0),
      { ...BTC, fromOpenTime: at(1), toOpenTime: at(2), reason: 'none', status: 'open' },
      at(3),
    ]);
  });

  test('B02 a listener that throws is an error event, and stops neither the others nor the iterators', async () => {
    const one = delivery();
    const problems: Problem[] = [];
    one.listeners.on('candle', () => {
      throw new Error('boom');
    });
    one.listeners.on('error', (problem) => problems.push(problem));
    const iterator = one.iterate([BTC], undefined);
    one.deliver(rows(0, 1));
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatchObject({ code: 'CONSUMER_THREW', cause: { message: 'boom' } });
    expect((await within('the candle', iterator.next())).value).toEqual(bar(at(0)));
  });

  test('a listener of errors that throws itself ends there', () => {
    const one = delivery();
    let calls = 0;
    one.listeners.on('error', () => {
      calls += 1;
      throw new Error('again');
    });
    one.listeners.emit('error', { code: 'X', message: '' });
    expect(calls).toBe(1);
  });

  test('forming bars are made only when somebody listens', () => {
    const { pipeline, delivery: one } = rig();
    const frames = [0, 1].map(() => frame(at(0), { closed: false, k: { v: 'x' } }));
    pipeline.take(frames[0]!, 1);
    expect(pipeline.counters.malformed).toBe(0);
    const heard: number[] = [];
    const off = one.listeners.on('update', (candle) => heard.push(candle.openTime));
    pipeline.take(frame(at(0), { closed: false }), 1);
    pipeline.take(frames[1]!, 1);
    expect(heard).toEqual([at(0)]);
    expect(pipeline.counters.malformed).toBe(1);
    off();
    pipeline.take(frame(at(0), { closed: false }), 1);
    expect(heard).toHaveLength(1);
  });

  test('announces bars of a gap that turned up as filled, by the runs that they make, and not as candles', async () => {
    const one = delivery();
    const heard: unknown[] = [];
    one.listeners.on('candle', (candle) => heard.push(candle.openTime));
    one.listeners.on('gap', (gap) => heard.push(gap));
    const iterator = one.iterate([BTC], undefined);
    one.deliver(rows(0, 4));
    const candles = [1, 3].map((index) => bar(at(index), 'rest'));
    one.deliver([{ fill: { ...BTC, reason: 'none', candles, filledAt: 9 } }]);
    const filled = (index: number) => ({
      ...BTC,
      fromOpenTime: at(index),
      toOpenTime: at(index),
      reason: 'none',
      status: 'filled',
    });
    expect(heard).toEqual([at(0), at(4), filled(1), filled(3)]);
    // They belong between the others all the same.
    expect(one.buffer('BTCUSDT@1m')).toEqual([candles[0], candles[1], bar(at(4))]);
    expect(one.deliveredOf('BTCUSDT@1m')).toBe(2);
    one.endIterators();
    expect(await rest(iterator)).toEqual([bar(at(0)), bar(at(4))]);
  });

  test('announces a correction with what was before, and corrects the buffer', () => {
    const one = delivery();
    const heard: unknown[] = [];
    one.listeners.on('candle', (candle) => heard.push(candle.openTime));
    one.listeners.on('revision', (revision) => heard.push(revision));
    one.deliver(rows(0, 1, 2));
    const [before, after] = [bar(at(1)), bar(at(1), 'rest', BTC, { count: 99 })];
    one.deliver([{ revision: { before, after, seenAt: 9 } }]);
    expect(heard).toEqual([at(0), at(1), at(2), { before, after }]);
    expect(one.buffer('BTCUSDT@1m')).toEqual([bar(at(0)), after, bar(at(2))]);
    expect(one.held(BTC, at(1))).toEqual(after);
    // Of a bar that is in memory no more the store alone is corrected.
    const old = bar(at(-5));
    one.deliver([{ revision: { before: old, after: { ...old, count: 1 }, seenAt: 9 } }]);
    expect(one.buffer('BTCUSDT@1m')).toHaveLength(3);
    expect([one.held(BTC, at(-5)), one.stored(BTC, at(-5))]).toEqual([undefined, undefined]);
    one.setReader({ read: (_, after_) => (after_ === at(-5) - 1 ? [old] : []) });
    expect([one.stored(BTC, at(-5)), one.stored(BTC, at(-6))]).toEqual([old, undefined]);
  });

  test('of a series that is added later goes to buffer and listeners, and to iterators that want the like', async () => {
    const one = delivery();
    const late: Series = { symbol: 'NEWUSDT', interval: '1m' };
    const all = one.iterate([BTC, ETH], undefined, () => true);
    const replaying = one.iterate([BTC], at(0) - 1, (series) => series.symbol === 'NEWUSDT');
    const picky = one.iterate([BTC], undefined);
    const stored = [0, 1].map((index) => bar(at(index), 'rest', late));
    one.setReader({ read: (series, after) => (series.symbol === 'NEWUSDT' && after < at(0) ? stored : []) });
    const first = replaying.next();
    // What it was asked for has been read to its end; it waits.
    for (let turn = 0; turn < 5; turn++) await settle();
    one.add(late);
    one.add(late);
    expect((await within('the first', first)).value).toEqual(stored[0]);
    one.deliver([{ candle: bar(at(2), 'stream', late) }]);
    expect(one.buffer('NEWUSDT@1m')).toEqual([bar(at(2), 'stream', late)]);
    one.endIterators();
    expect(await rest(all)).toEqual([bar(at(2), 'stream', late)]);
    expect(await rest(picky)).toEqual([]);
    expect((await rest(replaying))[0]).toEqual(stored[1]);
  });
});
