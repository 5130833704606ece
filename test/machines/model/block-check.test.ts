import { describe, expect, test } from 'vitest';
import { blockOf, candlesIn } from '../../../machines/model/block.ts';
import { checkBlock } from '../../../machines/model/block-check.ts';
import { joinBlocks, lackingRuns, mergeBlocks } from '../../../machines/model/block-runs.ts';
import { DAY_MS, type Interval, nextOpenTime } from '../../../machines/model/interval.ts';
import type { Candle } from '../../../machines/model/kline.ts';
import { bar } from '../../pipeline/candles.ts';

const DAY = Date.parse('2026-02-03T00:00:00Z');
const HOUR = DAY_MS / 24;
const series = (interval: Interval) => ({ symbol: 'BTCUSDT', interval }) as const;

/** The bars of some days, in order; each knows which it is by its values. */
function days(count: number, interval: Interval = '1h', change: Partial<Candle> = {}): Candle[] {
  const candles: Candle[] = [];
  for (let open = DAY; open < DAY + count * DAY_MS; open = nextOpenTime(interval, open))
    candles.push(bar(open, 'vision', series(interval), { count: 100, ...change }));
  return candles;
}

function check(candles: readonly Candle[], count = 1, wanted?: { from: number; to: number }) {
  const file = { from: DAY, to: DAY + count * DAY_MS };
  const { interval } = candles[0] ?? series('1h');
  const block = blockOf(series(interval), 'vision', candles);
  const { flawed, sound } = checkBlock(block, file, wanted);
  return {
    block,
    sound,
    flaws: flawed.map(({ from, to, flaws }) => [(from - DAY) / HOUR, (to - DAY) / HOUR, flaws]),
    hours: [...candlesIn(sound)].map(({ openTime }) => (openTime - DAY) / HOUR),
    isDoubtful: flawed.some((day) => day.isDoubtful),
  };
}

const FULL = Array.from({ length: 24 }, (_, hour) => hour);
const without = (...hours: number[]): number[] => FULL.filter((hour) => !hours.includes(hour));

describe('a file as it should be', () => {
  test.each(['1m', '15m', '1h', '4h', '1d'] as const)('of %s passes, and is not copied', (interval) => {
    const { flaws, sound, block } = check(days(2, interval), 2);
    expect(flaws).toEqual([]);
    expect(sound).toBe(block);
  });

  test('of a month passes', () => {
    const from = Date.parse('2026-02-01T00:00:00Z');
    const block = blockOf(series('1M'), 'vision', [bar(from, 'vision', series('1M'))]);
    expect(checkBlock(block, { from, to: Date.parse('2026-03-01T00:00:00Z') }).flawed).toEqual([]);
  });

  test('may be looked at in part: what is missing elsewhere does not matter', () => {
    const some = days(1).slice(5);
    const { flaws, hours } = check(some, 1, { from: DAY + 6 * HOUR, to: DAY + 9 * HOUR });
    expect(flaws).toEqual([]);
    expect(hours).toEqual([6, 7, 8]);
  });
});

describe('flaws are found and the sound rows kept:', () => {
  const full = days(1);
  const changed = (hour: number, change: Partial<Candle>): Candle[] =>
    full.map((candle, at) => (at === hour ? { ...candle, ...change } : candle));
  const open = (hour: number): number => DAY + hour * HOUR;

  test.each<[string, readonly Candle[], object, number[]]>([
    ['an empty file', [], { hole: 24 }, []],
    ['a hole', full.filter((_, at) => at !== 3 && at !== 4), { hole: 2 }, without(3, 4)],
    ['a beginning that lacks', full.slice(2), { hole: 2 }, without(0, 1)],
    ['an end that lacks', full.slice(0, 23), { hole: 1 }, without(23)],
    ['a row twice', [...full.slice(0, 5), full[4]!, ...full.slice(5)], { duplicate: 1 }, FULL],
    ['a row twice, far apart', [...full, full[4]!], { duplicate: 1, order: 1 }, FULL],
    [
      'two values of a bar',
      [...full, { ...full[4]!, volume: 2.25 }],
      { conflict: 1, order: 1, hole: 1 },
      without(4),
    ],
    ['rows that are swapped', [full[1]!, full[0]!, ...full.slice(2)], { order: 1 }, FULL],
    ['a crooked open time', changed(3, { openTime: open(3) + 1 }), { misaligned: 1, hole: 1 }, without(3)],
    ['a wrong close time', changed(3, { closeTime: open(4) }), { closeTime: 1, hole: 1 }, without(3)],
    ['a low above the high', changed(3, { low: 1_000 }), { impossible: 1, hole: 1 }, without(3)],
    ['no number', changed(3, { quoteVolume: Number.NaN }), { impossible: 1, hole: 1 }, without(3)],
    ['half a trade', changed(3, { count: 1.5 }), { impossible: 1, hole: 1 }, without(3)],
    ['a row of another day', [...full, bar(open(24), 'vision', series('1h'))], { outside: 1 }, FULL],
    ['a row of no time', [...full, { ...full[0]!, openTime: Number.NaN }], { outside: 1 }, FULL],
  ])('%s', (_, candles, flaws, hours) => {
    const found = check(candles);
    expect(found.flaws).toEqual([[0, 24, flaws]]);
    expect(found.hours).toEqual(hours);
    expect(found.isDoubtful).toBe(false);
  });

  const ohlc = { open: 5, high: 6, low: 4, close: 5 };
  test.each<[string, Partial<Candle>]>([
    ['an open below the low', { ...ohlc, open: 3 }],
    ['an open above the high', { ...ohlc, open: 7 }],
    ['a close below the low', { ...ohlc, close: 3 }],
    ['a close above the high', { ...ohlc, close: 7 }],
    ['a price below zero', { open: -1, high: -1, low: -1, close: -1 }],
    ['a price without end', { ...ohlc, high: Number.POSITIVE_INFINITY }],
    ['fewer trades than none', { count: -1 }],
    ...(['volume', 'quoteVolume', 'takerBuyVolume', 'takerBuyQuoteVolume'] as const).flatMap(
      (field): [string, Partial<Candle>][] => [
        [`a ${field} below zero`, { [field]: -1 }],
        [`a ${field} without end`, { [field]: Number.POSITIVE_INFINITY }],
      ],
    ),
  ])('%s can not be', (_, change) => {
    expect(check(changed(3, ohlc)).flaws).toEqual([]);
    expect(check(changed(3, change)).flaws).toEqual([[0, 24, { impossible: 1, hole: 1 }]]);
  });

  test.each([
    ['an hour', HOUR],
    ['a second', 1_000],
    ['a day', -DAY_MS],
  ])('labels that are shifted by %s make every row useless', (_, shift) => {
    const shifted = full.map((candle) => ({
      ...candle,
      openTime: candle.openTime + shift,
      closeTime: candle.closeTime + shift,
    }));
    const found = check(shifted);
    expect(found.flaws).toEqual([[0, 24, expect.objectContaining({ shifted: 1, hole: 24 })]]);
    expect(found.hours).toEqual([]);
  });

  test('each on its day, in a file of several', () => {
    const three = days(4).filter(({ openTime }) => openTime < open(22) || openTime >= open(27));
    expect(check([...three, three[60]!], 4).flaws).toEqual([
      [0, 24, { hole: 2 }],
      [24, 48, { hole: 3 }],
      [48, 72, { duplicate: 1, order: 1 }],
    ]);
    expect(check(three, 4, { from: open(30), to: open(50) }).flaws).toEqual([]);
    expect(check(three, 4, { from: open(23), to: open(26) }).flaws).toEqual([
      [23, 24, { hole: 1 }],
      [24, 26, { hole: 2 }],
    ]);
  });
});

describe('bars without trades', () => {
  const quietAt = (candles: readonly Candle[], ...hours: number[]): Candle[] =>
    candles.map((candle, at) => (hours.includes(at) ? { ...candle, volume: 0, count: 0 } : candle));

  test('are doubtful where there are trades in most', () => {
    const { flaws, hours, isDoubtful } = check(quietAt(days(2), 30, 31), 2);
    expect(flaws).toEqual([[24, 48, { silent: 2 }]]);
    expect(isDoubtful).toBe(true);
    expect(hours).toHaveLength(48);
  });

  test('are doubtful also when trades are counted, and their volume is nothing', () => {
    const candles = days(1).map((candle, at) => (at === 5 ? { ...candle, volume: 0 } : candle));
    expect(check(candles).flaws).toEqual([[0, 24, { silent: 1 }]]);
  });

  test('of three days are doubtful by the month, and one that opens at a price of nothing is possible', () => {
    const candles = days(24, '3d', { low: 0 });
    const silent = { ...candles[1]!, count: 0 };
    expect(check(candles.with(1, silent), 24).flaws).toEqual([[0, 24 * 24, { silent: 1 }]]);
    expect(check(candles, 24).flaws).toEqual([]);
  });

  test('are as they should be where there are few, or fewer than fifty in half of the bars', () => {
    expect(check(quietAt(days(2, '1h', { count: 49 }), 30), 2).flaws).toEqual([]);
    expect(check(quietAt(days(2, '1h', { count: 50 }), 30), 2).flaws).toEqual([[24, 48, { silent: 1 }]]);
    const half = days(1).map((candle, at) => (at % 2 === 0 ? candle : { ...candle, count: 1 }));
    expect(check(quietAt(half, 5)).flaws).toEqual([]);
  });
});

describe('blocks side by side', () => {
  const block = (hours: readonly number[], close: number) =>
    blockOf(
      series('1h'),
      'rest',
      hours.map((hour) => bar(DAY + hour * HOUR, 'rest', series('1h'), { close })),
    );
  const told = (blocks: readonly ReturnType<typeof block>[]): number[] =>
    blocks.flatMap((one) =>
      [...candlesIn(one)].map(({ openTime, close }) => (openTime - DAY) / HOUR + close / 1000),
    );

  test('are merged in order; where both have a bar it is the first one’s', () => {
    expect(told(mergeBlocks(block([1, 2, 5], 100), block([0, 2, 3, 5, 7], 200)))).toEqual([
      0.2, 1.1, 2.1, 3.2, 5.1, 7.2,
    ]);
    expect(told(mergeBlocks(block([], 100), block([4], 200)))).toEqual([4.2]);
    expect(told(mergeBlocks(block([4], 100), block([], 200)))).toEqual([4.1]);
    expect(mergeBlocks(block(FULL, 100), block(FULL, 200))).toHaveLength(1);
  });

  test('that follow each other are one, with all rows; one alone is itself', () => {
    const [one, two] = [block([0, 1], 100), block([2, 5], 200)];
    const joined = joinBlocks([one, two, block([], 1), block([7], 300)]);
    expect([joined.rows, told([joined])]).toEqual([5, [0.1, 1.1, 2.2, 5.2, 7.3]]);
    expect([...candlesIn(joined)].at(-1)).toEqual([...candlesIn(block([7], 300))][0]);
    expect(joinBlocks([one])).toBe(one);
  });

  test('never share memory: each can be handed to another thread', () => {
    const merged = mergeBlocks(block([1, 2, 5], 100), block([0, 2, 3, 5, 7], 200));
    expect(new Set(merged.map(({ columns }) => columns.openTime.buffer)).size).toBe(merged.length);
  });

  test('lack what none of them has', () => {
    const span = { from: DAY, to: DAY + 6 * HOUR };
    const runs = lackingRuns('1h', span, [block([1, 2], 1), block([4], 1)]);
    expect(runs.map((run) => [(run.fromOpenTime - DAY) / HOUR, (run.toOpenTime - DAY) / HOUR])).toEqual([
      [0, 0],
      [3, 3],
      [5, 5],
    ]);
    expect(lackingRuns('1h', span, [])).toEqual([{ fromOpenTime: DAY, toOpenTime: DAY + 5 * HOUR }]);
  });
});
