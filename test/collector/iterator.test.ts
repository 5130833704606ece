/** `candles()`: for one consumer each, whatever its pace. */
import { describe, expect, test } from 'vitest';
import type { Candle } from '../../src/index.ts';
import { ConsumerLaggedError } from '../../src/index.ts';
import {
  collectFrom,
  expectContiguous,
  expectWhole,
  newStore,
  ofSeries,
  startExchange,
  storedCandles,
} from '../support/collector.ts';
import { until, within } from '../support/wait.ts';

/** Everything that an iterator still gives. */
async function drain(source: AsyncIterable<Candle>): Promise<Candle[]> {
  const all: Candle[] = [];
  for await (const candle of source) all.push(candle);
  return all;
}

describe('an iterator', () => {
  test('gives the candles of the event, in order, each once, and ends at stop', async () => {
    const exchange = await startExchange();
    const { collector, candles } = collectFrom(exchange, { store: newStore() });
    const all = drain(collector.candles());
    const bitcoin = drain(collector.candles({ symbol: 'btcusdt', interval: '1m' }));
    await collector.startStreaming();
    await until('candles', () => candles.length > 15);
    await collector.stop();
    expect(await within('its end', all)).toEqual(candles);
    expect(await within('its end', bitcoin)).toEqual(ofSeries(candles, 'BTCUSDT'));
    expectWhole(candles, exchange);
  });

  test('made in mid-run starts at the next closed bar', async () => {
    const { collector, candles } = collectFrom(await startExchange(), { symbols: ['BTCUSDT'] });
    await collector.startStreaming();
    await until('candles', () => candles.length > 3);
    const before = candles.length;
    const all = drain(collector.candles());
    await until('more candles', () => candles.length > before + 3);
    await collector.stop();
    expect(await within('its end', all)).toEqual(candles.slice(before));
  });

  test('made after the stop is over at once', async () => {
    const { collector } = collectFrom(await startExchange());
    expect(await within('its end', drainAfterStop(collector))).toEqual([]);
  });

  test('with since replays from the store what opens behind it, then goes on live, without a seam', async () => {
    const exchange = await startExchange();
    const { collector, candles } = collectFrom(exchange, { store: newStore() });
    await collector.startStreaming();
    await until('candles to replay', () => candles.length > 9);
    const since = ofSeries(candles, 'BTCUSDT')[1]!.openTime;
    const replayed = drain(collector.candles({ symbol: 'BTCUSDT', since: new Date(since) }));
    const before = candles.length;
    await until('live candles', () => candles.length > before + 6);
    await collector.stop();
    const got = await within('its end', replayed);
    expect(got).toEqual(ofSeries(candles, 'BTCUSDT').filter((candle) => candle.openTime > since));
    expectContiguous(got);
  });

  test('S16 with since gives a later run what an earlier one stored', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const one = collectFrom(exchange, { store });
    await one.collector.startStreaming();
    await until('candles', () => one.candles.length > 6);
    await one.collector.stop();
    const two = collectFrom(exchange, { store });
    const all = drain(two.collector.candles({ since: 0 }));
    await two.collector.startStreaming();
    await until('candles of the second', () => two.candles.length > 6);
    await two.collector.stop();
    const got = await within('its end', all);
    for (const symbol of ['BTCUSDT', 'ETHUSDT'])
      expect(ofSeries(got, symbol)).toEqual(ofSeries(storedCandles(store), symbol));
  });

  test('B01 that is not read until the end catches up from the store, exactly once, and holds nobody up', async () => {
    const exchange = await startExchange({ timeScale: 12_000 });
    const store = newStore();
    const { collector, candles } = collectFrom(exchange, { store, queueSize: 5 });
    const slow = collector.candles();
    await collector.startStreaming();
    // Its queue is bounded at 5 and a page of 500 read ahead.
    await until('far more candles than it may hold', () => candles.length > 700, 15_000);
    await collector.stop();
    const got = await within('its end', drain(slow));
    for (const symbol of ['BTCUSDT', 'ETHUSDT'])
      expect(ofSeries(got, symbol)).toEqual(ofSeries(storedCandles(store), symbol));
    expect(got).toHaveLength(candles.length);
  });

  test('B01 that is not read, without a store, throws a ConsumerLaggedError, and then it is over', async () => {
    const exchange = await startExchange({ timeScale: 12_000 });
    const { collector, candles } = collectFrom(exchange, { queueSize: 100 });
    const slow = collector.candles();
    await collector.startStreaming();
    await until('far more candles than it may hold', () => candles.length > 300, 15_000);
    await expect(slow.next()).rejects.toBeInstanceOf(ConsumerLaggedError);
    expect(await slow.next()).toEqual({ done: true, value: undefined });
    const fresh = await within('another consumer', collector.candles().next());
    expect(fresh.done).toBe(false);
  });

  test.each(['break', 'throw', 'return', 'dispose'])(
    'L07 left by %s is over, the collector goes on',
    async (way) => {
      const { collector, candles } = collectFrom(await startExchange());
      await collector.startStreaming();
      const iterator = collector.candles();
      if (way === 'return') {
        const pending = iterator.next();
        await until('it waits', () => true);
        await iterator.return?.();
        await within('the read that waited', pending);
      } else if (way === 'dispose') await iterator[Symbol.asyncDispose]();
      else {
        const leave = async (): Promise<void> => {
          for await (const _ of iterator) {
            if (way === 'break') break;
            throw new Error('of the loop');
          }
        };
        await leave().catch(() => {});
      }
      expect(await within('its end', iterator.next())).toEqual({ done: true, value: undefined });
      const before = candles.length;
      await until('more candles', () => candles.length > before + 2);
      expect((await collector.stop()).clean).toBe(true);
    },
  );
});

async function drainAfterStop(collector: ReturnType<typeof collectFrom>['collector']): Promise<Candle[]> {
  await collector.startStreaming();
  await collector.stop();
  return drain(collector.candles());
}
