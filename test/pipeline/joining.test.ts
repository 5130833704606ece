/** Series that are collected from some later moment on. */
import { describe, expect, test } from 'vitest';
import type { Series } from '../../machines/model/kline.ts';
import { Delivery } from '../../src/pipeline/delivery.ts';
import { within } from '../support/wait.ts';
import { at, BTC, bar, ETH, rig } from './candles.ts';

const HOUR: Series = { symbol: 'ETHUSDT', interval: '1h' };

describe('a series that joins', () => {
  test('goes on behind what the store holds of it from an earlier run', () => {
    const { pipeline } = rig({ series: [BTC] });
    pipeline.resume(ETH, at(-3));
    expect(pipeline.add(ETH).due).toBe(at(-2));
    expect(pipeline.add(HOUR).due).toBeUndefined();
  });

  test('has a buffer from then on, and keeps it', () => {
    const delivery = new Delivery({ bufferSize: 3, queueSize: 9, hasStore: false, series: [BTC] });
    expect(delivery.buffer('ETHUSDT@1m')).toBeUndefined();
    delivery.add(ETH);
    delivery.deliver([{ candle: bar(at(0), 'stream', ETH) }]);
    delivery.add(ETH);
    expect(delivery.bufferSizes()).toEqual({ 'BTCUSDT@1m': 0, 'ETHUSDT@1m': 1 });
  });
});

describe('iterators that were there before', () => {
  function deliveryOf(change: { hasStore?: boolean; stored?: number } = {}) {
    const { hasStore = false, stored = 0 } = change;
    const delivery = new Delivery({ bufferSize: 3, queueSize: 9, hasStore, series: [BTC] });
    if (hasStore)
      delivery.setReader({
        read: (series, after) =>
          Array.from({ length: stored }, (_, index) => bar(at(index), 'rest', series)).filter(
            (one) => one.symbol === 'ETHUSDT' && one.openTime > after,
          ),
      });
    const next = async (iterator: AsyncIterator<{ symbol: string; openTime: number }>): Promise<string> => {
      const { value, done } = await within('the next candle', iterator.next());
      return done ? 'done' : `${value.symbol} ${(value.openTime - at(0)) / 60_000}`;
    };
    return { delivery, next };
  }

  test('give out its bars when they were asked for everything', async () => {
    const { delivery, next } = deliveryOf();
    const all = delivery.iterate([BTC], undefined, () => true);
    delivery.add(ETH);
    delivery.deliver([{ candle: bar(at(0), 'stream', ETH) }, { candle: bar(at(0)) }]);
    expect([await next(all), await next(all)]).toEqual(['ETHUSDT 0', 'BTCUSDT 0']);
  });

  test('do not when they were asked for others', async () => {
    const { delivery, next } = deliveryOf();
    const hours = delivery.iterate([BTC], undefined, (series) => series.interval === '1h');
    const named = delivery.iterate([BTC], undefined);
    delivery.add(ETH);
    delivery.deliver([{ candle: bar(at(0), 'stream', ETH) }, { candle: bar(at(0)) }]);
    expect([await next(hours), await next(named)]).toEqual(['BTCUSDT 0', 'BTCUSDT 0']);
  });

  test('replay what the store has of it when they were asked to', async () => {
    const { delivery, next } = deliveryOf({ hasStore: true, stored: 3 });
    const all = delivery.iterate([BTC], at(0), () => true);
    delivery.add(ETH);
    expect([await next(all), await next(all)]).toEqual(['ETHUSDT 1', 'ETHUSDT 2']);
    delivery.deliver([{ candle: bar(at(3), 'stream', ETH) }]);
    expect(await next(all)).toBe('ETHUSDT 3');
  });
});
