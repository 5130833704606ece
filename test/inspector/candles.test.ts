/** What the candle chart of the page makes of bars, gaps and news: places on the axis, bands, words. */
import { describe, expect, test } from 'vitest';
import { INTERVALS, nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import { axisOf, firstChange, goesOn, HOLE_PLACES_MAX } from '../../src/inspector/page/candles/axis.ts';
import { type Held, merged, missedBehind, taken } from '../../src/inspector/page/candles/held.ts';
import {
  amountWords,
  bandWords,
  countSources,
  decimalsOf,
  timeWords,
} from '../../src/inspector/page/candles/words.ts';
import type { Bar, GapMark, SeriesNews } from '../../src/inspector/protocol.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 1, 3, 4, 5);
const at = (index: number): number => START + index * MINUTE;
const bar = (openTime: number, more: Partial<Bar> = {}): Bar => ({
  openTime,
  open: 10,
  high: 12,
  low: 9,
  close: 11,
  volume: 5,
  source: 'stream',
  ...more,
});
const forming = (openTime: number, volume = 1) => ({ openTime, open: 1, high: 1, low: 1, close: 1, volume });
const gap = (from: number, to: number, status: GapMark['status'] = 'open'): GapMark => ({
  fromOpenTime: from,
  toOpenTime: to,
  reason: 'the exchange has no such bar',
  status,
});
const held = (bars: readonly Bar[], more: Partial<Held> = {}): Held => ({
  symbol: 'BTCUSDT',
  interval: '1m',
  bars,
  gaps: [],
  ...more,
});
const news = (bars: readonly Bar[], more: Partial<SeriesNews> = {}): SeriesNews => ({
  series: 'BTCUSDT@1m',
  bars,
  ...more,
});
const times = (bars: readonly { openTime: number }[]): number[] => bars.map(({ openTime }) => openTime);
const minutes = (...indices: number[]): Bar[] => indices.map((index) => bar(at(index)));

describe('news join the bars that are held', () => {
  test('each once and in order, whether they overlap, come late or come twice', () => {
    let now = held(minutes(0, 1, 4));
    now = merged(now, news(minutes(4, 5)));
    now = merged(now, news(minutes(2, 3)));
    now = merged(now, news(minutes(2, 3)));
    expect(times(now.bars)).toEqual([0, 1, 2, 3, 4, 5].map(at));
  });

  test('and what came while the picture was on its way is in neither twice nor lost', () => {
    const waiting = [news(minutes(1, 2)), news(minutes(3)), news(minutes(4))];
    expect(times(taken(held(minutes(0, 1, 2, 3)), waiting).bars)).toEqual([0, 1, 2, 3, 4].map(at));
  });

  test('a correction takes the place of the bar, and older news do not take it back', () => {
    const revised = bar(at(1), { close: 10.5, revised: true });
    const now = merged(held(minutes(0, 1)), news([revised]));
    expect(now.bars).toEqual([bar(at(0)), revised]);
    expect(merged(now, news(minutes(1))).bars[1]).toBe(revised);
  });

  test('a bar from before all that are held stays out', () => {
    expect(times(merged(held(minutes(5)), news(minutes(2, 6))).bars)).toEqual([at(5), at(6)]);
  });

  test('the same bars are the same list', () => {
    const now = held(minutes(0, 1));
    expect(merged(now, news(minutes(0, 1))).bars).toBe(now.bars);
  });

  test('a forming bar goes with its close, and gives way to none that is behind it', () => {
    const now = merged(held(minutes(0)), news([], { forming: forming(at(1), 4) }));
    expect(merged(now, news([], { forming: forming(at(1), 3) })).forming?.volume).toBe(4);
    expect(merged(now, news([], { forming: forming(at(0), 9) })).forming?.openTime).toBe(at(1));
    expect(merged(now, news([], { forming: forming(at(2), 0) })).forming?.openTime).toBe(at(2));
    expect(merged(now, news(minutes(1)))).not.toHaveProperty('forming');
  });

  test('they are bounded', () => {
    let now = held([]);
    for (let index = 0; index < 8_000; index += 100)
      now = merged(now, news(Array.from({ length: 100 }, (_, more) => bar(at(index + more)))));
    expect(now.bars.length).toBeLessThanOrEqual(3_300);
    expect(now.bars.at(-1)?.openTime).toBe(at(7_999));
  });

  test('a hole that no gap explains means that something was missed', () => {
    expect(missedBehind(held(minutes(0, 1)), news(minutes(2)))).toBeUndefined();
    expect(missedBehind(held(minutes(0, 1)), news(minutes(1)))).toBeUndefined();
    expect(missedBehind(held(minutes(0, 1)), news(minutes(3)))).toBe(at(1));
    expect(
      missedBehind(held(minutes(0, 1), { gaps: [gap(at(2), at(2))] }), news(minutes(3))),
    ).toBeUndefined();
    expect(
      missedBehind(held(minutes(0, 1)), news(minutes(3), { gaps: [gap(at(2), at(2))] })),
    ).toBeUndefined();
    expect(missedBehind(held([]), news(minutes(3)))).toBeUndefined();
  });
});

describe('the axis of time', () => {
  test('has a place for each bar that is missing, so that a hole looks like one', () => {
    const { places, bands } = axisOf(held(minutes(0, 3, 4), { gaps: [gap(at(1), at(2))] }));
    expect(times(places)).toEqual([0, 1, 2, 3, 4].map(at));
    expect(places.map((place) => place.bar !== undefined)).toEqual([true, false, false, true, true]);
    expect(bands).toEqual([
      {
        kind: 'open',
        fromOpenTime: at(1),
        toOpenTime: at(2),
        bars: 2,
        reason: 'the exchange has no such bar',
      },
    ]);
  });

  test.each(INTERVALS)('has them where bars of %s open', (interval) => {
    const opens = [openTimeAt(interval, START)];
    for (let more = 0; more < 4; more++) opens.push(nextOpenTime(interval, opens.at(-1)!));
    const [a, b, c, d, e] = opens as [number, number, number, number, number];
    const { places, bands } = axisOf(held([bar(a), bar(e)], { interval, gaps: [gap(b, d)] }));
    expect(times(places)).toEqual(opens);
    expect(bands).toMatchObject([{ fromOpenTime: b, toOpenTime: d, bars: 3 }]);
    expect(c).toBe(places[2]?.openTime);
  });

  test('tells a gap that was filled by a band over its bars', () => {
    const { places, bands } = axisOf(held(minutes(0, 1, 2), { gaps: [gap(at(1), at(1), 'filled')] }));
    expect(places).toHaveLength(3);
    expect(bands).toMatchObject([{ kind: 'filled', fromOpenTime: at(1), toOpenTime: at(1), bars: 1 }]);
  });

  test('tells bars that have ended and are being fetched from those that the exchange lacks', () => {
    const { places, bands } = axisOf(
      held(minutes(0), { forming: forming(at(5)), gaps: [gap(at(1), at(2))] }),
    );
    expect(times(places)).toEqual([0, 1, 2, 3, 4, 5].map(at));
    expect(bands.map(({ kind, bars }) => [kind, bars])).toEqual([
      ['open', 2],
      ['awaited', 2],
    ]);
    expect(places.at(-1)?.forming?.openTime).toBe(at(5));
  });

  test('has what nobody collected, and a gap at the very end', () => {
    const { places, bands } = axisOf(held(minutes(0, 2), { gaps: [gap(at(3), at(4))] }));
    expect(bands.map(({ kind, bars }) => [kind, bars])).toEqual([
      ['unknown', 1],
      ['open', 2],
    ]);
    expect(times(places)).toEqual([0, 1, 2, 3, 4].map(at));
  });

  test('gives a hole of months no more room than a screen has, and says how long it is', () => {
    const { places, bands } = axisOf(held(minutes(0, 100_000), { gaps: [gap(at(1), at(99_999))] }));
    expect(places).toHaveLength(HOLE_PLACES_MAX + 2);
    expect(bands).toMatchObject([{ bars: 99_999, toOpenTime: at(HOLE_PLACES_MAX) }]);
  });

  test('without bars has no places, whatever gaps there are', () => {
    expect(axisOf(held([], { gaps: [gap(at(0), at(1)), gap(at(2), at(2), 'filled')] }))).toEqual({
      places: [],
      bands: [],
    });
  });

  test('is drawn anew only from where it has changed', () => {
    const before = held(minutes(0, 1), { forming: forming(at(2)) });
    const { places } = axisOf(before);
    expect(firstChange(places, axisOf(before).places)).toBe(3);
    const next = merged(before, news(minutes(2), { forming: forming(at(3)) }));
    expect(firstChange(places, axisOf(next).places)).toBe(2);
    expect(firstChange(places, axisOf(merged(next, news([bar(at(0), { close: 1 })]))).places)).toBe(0);
  });
});

describe('a drawing', () => {
  const places = (...indexes: number[]) =>
    indexes.map((index) => ({ openTime: at(index), bar: bar(at(index)) }));
  const before = places(4, 5);
  test.each<[what: string, goesOnWith: boolean, from: typeof before, to: typeof before]>([
    ['nothing new', true, before, before],
    ['a bar behind the newest', true, before, [...before, ...places(6)]],
    ['the newest one changed', true, before, [before[0]!, ...places(5)]],
    ['an older one changed', false, before, [...places(4), before[1]!]],
    ['older ones before the only one', false, places(7), places(4, 5, 6, 7)],
    ['an older one in the place of the newest', false, places(4, 7), places(4, 5)],
    ['fewer', false, before, before.slice(0, 1)],
    ['the first ones', false, [], before],
  ])('with %s is gone on with: %s', (_, goesOnWith, from, to) => {
    expect(goesOn(from, to)).toBe(goesOnWith);
  });
});

describe('figures and words', () => {
  test.each([
    [[75_530.1, 75_531], 1],
    [[0.00001234], 8],
    [[1e-7], 7],
    [[12, 13], 0],
    [[0.123456789012], 8],
  ])('prices %j have %i decimals', (prices, decimals) => {
    const bars = prices.map((price) => bar(0, { open: price, high: price, low: price, close: price }));
    expect(decimalsOf(bars)).toBe(decimals);
  });

  test.each([
    [0, '0'],
    [0.00123456, '0.001235'],
    [9_999.5, '10000'],
    [12_345, '12.35 k'],
    [7_654_321, '7.654 M'],
    [1.5e9, '1.5 G'],
  ])('an amount of %d is %s', (amount, words) => {
    expect(amountWords(amount)).toBe(words);
  });

  test('times are UTC, sources are counted, a band says what, how many and why', () => {
    expect(timeWords(START)).toBe('2026-02-03 04:05');
    expect(countSources([bar(0), bar(1, { source: 'rest' }), bar(2)])).toEqual({
      stream: 2,
      rest: 1,
      vision: 0,
    });
    const { bands } = axisOf(held(minutes(0, 2), { gaps: [gap(at(1), at(1))] }));
    expect(bandWords(bands[0]!)).toBe('gap, open · 1 bar · the exchange has no such bar');
  });
});
