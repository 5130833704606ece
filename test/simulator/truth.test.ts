import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { INTERVALS, type Interval, nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import { createTruth, type WireBar } from '../../src/simulator/index.ts';

const truth = createTruth({
  seed: 1,
  symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'DOGEUSDT', '币安人生USDT', 'STILLUSDT'],
  quietSymbols: ['STILLUSDT'],
});
const day = Date.UTC(2026, 1, 3);
const symbols = fc.constantFrom('BTCUSDT', 'SOLUSDT', 'DOGEUSDT', '币安人生USDT', 'STILLUSDT');
const times = fc.integer({ min: Date.UTC(2019, 9, 1), max: Date.UTC(2030, 0, 1) });
const bar = (symbol: string, interval: Interval, openTime: number): WireBar => {
  const found = truth.bar(symbol, interval, openTime);
  if (!found) throw new Error(`no bar ${symbol} ${interval} ${openTime}`);
  return found;
};

describe('truth of a seed', () => {
  test('never changes: bars of seed 1 as they were first written down', () => {
    expect(bar('BTCUSDT', '1m', Date.UTC(2026, 0, 1))).toEqual({
      openTime: 1767225600000,
      closeTime: 1767225659999,
      open: '77383.30',
      high: '77403.60',
      low: '77359.50',
      close: '77386.50',
      volume: '21.284',
      quoteVolume: '1647031.55390',
      takerBuyVolume: '12.341',
      takerBuyQuoteVolume: '954899.89590',
      count: 170,
      firstTradeId: 3682080000,
      lastTradeId: 3682080169,
    });
    expect(bar('BTCUSDT', '1M', Date.UTC(2026, 0, 1))).toMatchObject({
      open: '77383.30',
      high: '81267.00',
      low: '76120.50',
      close: '78337.10',
      volume: '891869.108',
      quoteVolume: '70068737008.02040',
      count: 9152813,
    });
    expect(bar('DOGEUSDT', '1M', Date.UTC(2026, 0, 1))).toMatchObject({
      open: '702.04',
      close: '751.44',
      volume: '3997240.74',
      count: 1518227,
    });
  });

  test('is another one for another seed, and the same whatever was asked before', () => {
    const other = createTruth({ seed: 2, symbols: ['BTCUSDT'] });
    expect(other.bar('BTCUSDT', '1m', day)).not.toEqual(bar('BTCUSDT', '1m', day));
    const fresh = createTruth({ seed: 1, symbols: ['SOLUSDT', 'BTCUSDT'] });
    const backwards = Array.from({ length: 50 }, (_, i) => day + (49 - i) * 60_000);
    for (const time of backwards)
      expect(fresh.bar('BTCUSDT', '1m', time)).toEqual(bar('BTCUSDT', '1m', time));
  });

  test('has possible prices, and each minute opens where the one before closed', () => {
    fc.assert(
      fc.property(symbols, times, (symbol, time) => {
        const openTime = openTimeAt('1m', time);
        const now = bar(symbol, '1m', openTime);
        expect(now.open).toBe(bar(symbol, '1m', openTime - 60_000).close);
        const [open, high, low, close] = [now.open, now.high, now.low, now.close].map(Number) as [
          number,
          number,
          number,
          number,
        ];
        expect(low).toBeGreaterThan(0);
        expect(low).toBeLessThanOrEqual(Math.min(open, close));
        expect(high).toBeGreaterThanOrEqual(Math.max(open, close));
        expect(Number(now.takerBuyVolume)).toBeLessThanOrEqual(Number(now.volume));
        if (now.count > 0) {
          const average = Number(now.quoteVolume) / Number(now.volume);
          expect(average).toBeGreaterThanOrEqual(low * (1 - 1e-12));
          expect(average).toBeLessThanOrEqual(high * (1 + 1e-12));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('has larger bars that are exactly the sum of their minutes', () => {
    for (const interval of ['3m', '5m', '15m', '1h', '4h', '1d'] as const) {
      const whole = bar('DOGEUSDT', interval, day);
      const minutes: WireBar[] = [];
      for (let t = day; t < nextOpenTime(interval, day); t += 60_000) minutes.push(bar('DOGEUSDT', '1m', t));
      const sum = (field: 'volume' | 'quoteVolume' | 'takerBuyVolume' | 'takerBuyQuoteVolume'): string => {
        const [units, decimals] = exactSum(minutes.map((minute) => minute[field]));
        return units
          .toString()
          .padStart(decimals + 1, '0')
          .replace(new RegExp(`(\\d{${decimals}})$`), '.$1');
      };
      expect(whole.open).toBe(minutes[0]?.open);
      expect(whole.close).toBe(minutes.at(-1)?.close);
      expect(Number(whole.high)).toBe(Math.max(...minutes.map((minute) => Number(minute.high))));
      expect(Number(whole.low)).toBe(Math.min(...minutes.map((minute) => Number(minute.low))));
      expect(whole.count).toBe(minutes.reduce((total, minute) => total + minute.count, 0));
      for (const field of ['volume', 'quoteVolume', 'takerBuyVolume', 'takerBuyQuoteVolume'] as const) {
        expect(whole[field]).toBe(sum(field));
      }
    }
  });

  test('has weeks and months that are the sum of their days', () => {
    for (const interval of ['3d', '1w', '1M'] as const) {
      const open = openTimeAt(interval, day);
      const whole = bar('SOLUSDT', interval, open);
      let count = 0;
      for (let t = open; t < nextOpenTime(interval, open); t += 86_400_000)
        count += bar('SOLUSDT', '1d', t).count;
      expect(whole.count).toBe(count);
      expect(whole.open).toBe(bar('SOLUSDT', '1d', open).open);
    }
  });

  test('forms each bar without ever taking anything back, up to its final values', () => {
    const intervals = fc.constantFrom(
      ...INTERVALS.filter((interval) => !['3d', '1w', '1M'].includes(interval)),
    );
    fc.assert(
      fc.property(
        symbols,
        intervals,
        times,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
        (s, i, t, at) => {
          const openTime = openTimeAt(i, t);
          const length = nextOpenTime(i, openTime) - openTime;
          let before = truth.forming(s, i, openTime);
          for (const share of [...at, 1].sort((a, b) => a - b)) {
            const now = truth.forming(s, i, openTime + Math.floor(share * (length - 1)));
            if (!before || !now) throw new Error('no bar');
            for (const field of [
              'volume',
              'quoteVolume',
              'takerBuyVolume',
              'takerBuyQuoteVolume',
              'count',
              'high',
            ] as const) {
              expect(Number(now[field])).toBeGreaterThanOrEqual(Number(before[field]));
            }
            expect(Number(now.low)).toBeLessThanOrEqual(Number(before.low));
            expect(now.open).toBe(before.open);
            before = now;
          }
          expect(before).toEqual(truth.bar(s, i, openTime));
        },
      ),
      { numRuns: 120 },
    );
  });

  test('has some minutes without trades in small symbols, and nothing else in a quiet one', () => {
    let idle = 0;
    for (let t = day; t < day + 86_400_000; t += 60_000) {
      const small = bar('DOGEUSDT', '1m', t);
      if (small.count === 0) {
        idle++;
        expect(small).toMatchObject({ volume: '0', quoteVolume: '0', firstTradeId: -1, lastTradeId: -1 });
        expect(new Set([small.open, small.high, small.low, small.close]).size).toBe(1);
      }
      expect(bar('STILLUSDT', '1m', t)).toMatchObject({ count: 0, close: bar('STILLUSDT', '1d', day).open });
    }
    expect(idle).toBeGreaterThan(20);
    expect(idle).toBeLessThan(80);
  });

  test('knows no bar before the exchange opened, off the grid or of another symbol', () => {
    expect(truth.bar('BTCUSDT', '1m', Date.UTC(2019, 7, 31, 23, 59))).toBeUndefined();
    expect(truth.bar('BTCUSDT', '1m', Date.UTC(2019, 8, 1))).toBeDefined();
    expect(truth.bar('BTCUSDT', '5m', day + 60_000)).toBeUndefined();
    expect(truth.bar('NOSUCHUSDT', '1m', day)).toBeUndefined();
  });

  test('gives candles whose numbers are those of the text', () => {
    expect(truth.candle('BTCUSDT', '1m', Date.UTC(2026, 0, 1))).toEqual({
      symbol: 'BTCUSDT',
      interval: '1m',
      openTime: 1767225600000,
      open: 77383.3,
      high: 77403.6,
      low: 77359.5,
      close: 77386.5,
      volume: 21.284,
      closeTime: 1767225659999,
      quoteVolume: 1647031.5539,
      count: 170,
      takerBuyVolume: 12.341,
      takerBuyQuoteVolume: 954899.8959,
      source: 'rest',
    });
  });

  test('refuses names that are no symbols', () => {
    expect(() => createTruth({ seed: 1, symbols: ['btcusdt'] })).toThrow(/btcusdt/);
    expect(() => createTruth({ seed: 1, symbols: ['A/B'] })).toThrow(/A\/B/);
    expect(() => createTruth({ seed: 1, symbols: [] })).toThrow(/at least one/);
    expect(() => createTruth({ seed: 0.5, symbols: ['BTCUSDT'] })).toThrow(/seed/);
  });
});

/** Sum of decimal texts in whole units of the finest scale among them. */
function exactSum(texts: readonly string[]): [bigint, number] {
  const decimals = Math.max(...texts.map((text) => text.split('.')[1]?.length ?? 0));
  const units = texts.map((text) => {
    const [whole = '0', rest = ''] = text.split('.');
    return BigInt(whole + rest.padEnd(decimals, '0'));
  });
  return [units.reduce((a, b) => a + b, 0n), decimals];
}
