import { describe, expect, test } from 'vitest';
import type { Series } from '../../machines/model/kline.ts';
import type { Fill, Gap, Row } from '../../machines/model/row.ts';
import { type GapQuestion, OpenGaps } from '../../src/pipeline/open-gaps.ts';
import { at, BTC, bar, ETH, MINUTE, T0 } from './candles.ts';

const gap = (from: number, to: number, series: Series = BTC): { gap: Gap } => ({
  gap: { ...series, fromOpenTime: at(from), toOpenTime: at(to), reason: 'none', detectedAt: 1 },
});

function rig(options: { spacingMs?: readonly number[] } = {}) {
  const openGaps = new OpenGaps({ random: () => 0, ...options });
  const time = { now: 0, exchangeNow: at(10_000) };
  const fills: Fill[] = [];
  const how = { room: true };
  const offer = (row: Row): boolean => {
    if (how.room && 'fill' in row) fills.push(row.fill);
    return how.room;
  };
  const next = (isCollected: (series: Series) => boolean = () => true) =>
    openGaps.next(time.now, isCollected);
  /** Answers as REST does: of the bars in `has`, from where it is asked, as many rows as it may. */
  const answer = (question: GapQuestion, has: (index: number) => boolean): number => {
    const rows: ReturnType<typeof bar>[] = [];
    for (
      let at_ = question.gap.fromOpenTime;
      at_ <= question.gap.toOpenTime && rows.length < question.rows;
      at_ += MINUTE
    )
      if (has((at_ - T0) / MINUTE)) rows.push(bar(at_, 'rest'));
    openGaps.answered(question, rows, rows.length >= question.rows, time, offer);
    return rows.length;
  };
  return { openGaps, time, fills, how, next, answer };
}

const filledOf = (fills: readonly Fill[]): number[] =>
  fills.flatMap((fill) => fill.candles.map((candle) => (candle.openTime - T0) / MINUTE));

describe('an open gap', () => {
  test('is asked about again after a quarter of a minute, then ever more rarely, for as long as it is open', () => {
    const { openGaps, time, next, answer } = rig();
    openGaps.note([gap(0, 5)], 0);
    const asked: number[] = [];
    for (; time.now < 30 * 60 * MINUTE; time.now += MINUTE / 4) {
      const question = next();
      if (question === undefined) continue;
      asked.push(time.now / MINUTE);
      answer(question, () => false);
    }
    expect(asked).toEqual([0.25, 1.25, 6.25, 21.25, 81.25, 441.25, 801.25, 1161.25, 1521.25]);
    expect(openGaps.size).toBe(1);
  });

  test('is filled by what turns up, and asked about no more', () => {
    const { openGaps, time, next, answer, fills } = rig();
    openGaps.note([gap(3, 5)], 0);
    time.now = MINUTE;
    const question = next()!;
    expect(question).toEqual({ gap: gap(3, 5).gap, rows: 3 });
    answer(question, () => true);
    expect(fills).toEqual([
      {
        ...BTC,
        reason: 'none',
        candles: [3, 4, 5].map((index) => bar(at(index), 'rest')),
        filledAt: time.exchangeNow,
      },
    ]);
    expect(openGaps.size).toBe(0);
    // The commit of what was offered changes nothing more.
    openGaps.note([{ fill: fills[0]! }], time.now);
    expect(openGaps.size).toBe(0);
  });

  test('filled in part is asked about for the rest, in its own time', () => {
    const { openGaps, time, next, answer, fills } = rig();
    openGaps.note([gap(0, 9)], 0);
    time.now = MINUTE / 4;
    answer(next()!, (index) => index === 4 || index === 5);
    expect(filledOf(fills)).toEqual([4, 5]);
    expect(openGaps.size).toBe(2);
    time.now += MINUTE / 2;
    expect(next()).toBeUndefined();
    time.now += MINUTE / 2;
    const rest = [next()!];
    answer(rest[0]!, () => false);
    rest.push(next()!);
    expect(rest.map(({ gap: { fromOpenTime, toOpenTime } }) => [fromOpenTime, toOpenTime])).toEqual([
      [at(0), at(3)],
      [at(6), at(9)],
    ]);
  });

  test('of a year is asked for page by page, and filled by the hundred', () => {
    const { openGaps, time, next, answer, fills } = rig();
    openGaps.note([gap(0, 5_999)], 0);
    time.now = MINUTE;
    const pages: number[] = [];
    // Of the second thousand there is nothing still.
    const has = (index: number): boolean => index < 1_000 || index >= 2_000;
    for (let question = next(); question !== undefined; question = next()) {
      expect(question.rows).toBeLessThanOrEqual(1_500);
      pages.push((question.gap.fromOpenTime - T0) / MINUTE);
      answer(question, has);
    }
    expect(pages).toEqual([0, 2_500, 4_000, 5_500]);
    expect(Math.max(...fills.map((fill) => fill.candles.length))).toBeLessThanOrEqual(100);
    expect(filledOf(fills)).toHaveLength(5_000);
    expect(openGaps.size).toBe(1);
    time.now += 5 * MINUTE;
    expect(next()).toMatchObject({ gap: gap(1_000, 1_999).gap, rows: 1_000 });
  });

  test('goes on at the page that got no answer, and not at once', () => {
    const { openGaps, time, next, answer } = rig();
    openGaps.note([gap(0, 2_999)], 0);
    time.now = MINUTE;
    answer(next()!, () => true);
    openGaps.failed(next()!, time.now);
    expect(next()).toBeUndefined();
    time.now += MINUTE;
    expect(next()).toMatchObject({ gap: { fromOpenTime: at(1_500) } });
  });

  test('waits for room when the store is behind, and loses nothing', () => {
    const { openGaps, time, next, answer, how, fills } = rig();
    openGaps.note([gap(0, 5)], 0);
    time.now = MINUTE;
    how.room = false;
    answer(next()!, () => true);
    expect([fills, next(), openGaps.size]).toEqual([[], undefined, 1]);
    how.room = true;
    time.now += 5_000;
    answer(next()!, () => true);
    expect(filledOf(fills)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(openGaps.size).toBe(0);
  });

  test('of a series that is not collected is left alone, until it is', () => {
    const { openGaps, time, next } = rig();
    openGaps.note([gap(0, 5, ETH)], 0);
    time.now = 600 * MINUTE;
    expect(next((series) => series.symbol !== 'ETHUSDT')).toBeUndefined();
    expect(next()).toMatchObject({ gap: { symbol: 'ETHUSDT' } });
  });

  test('that the store tells of again is one', () => {
    const { openGaps } = rig();
    openGaps.note([gap(0, 5), gap(0, 5), gap(7, 9)], 0);
    openGaps.note([gap(0, 5), gap(7, 7), gap(0, 5, ETH)], 0);
    expect(openGaps.size).toBe(3);
  });

  test('in which a bar comes by the stream is asked about soon, but not each time', () => {
    const { openGaps, time, next, answer } = rig();
    openGaps.note([gap(0, 5)], 0);
    let asked = 0;
    for (; time.now < 50_000; time.now += 500) {
      openGaps.hint(bar(at(2)), time.now);
      openGaps.hint(bar(at(9)), time.now);
      const question = next();
      if (question === undefined) continue;
      asked += 1;
      expect(time.now).toBeLessThanOrEqual(1_500);
      answer(question, () => false);
    }
    expect(asked).toBe(1);
  });

  test('one too many is not kept in memory', () => {
    const { openGaps } = rig();
    openGaps.note(
      Array.from({ length: 10_050 }, (_, index) =>
        gap(2 * index, 2 * index, { symbol: `S${index}`, interval: '1m' }),
      ),
      0,
    );
    expect(openGaps.size).toBe(10_000);
  });

  test('is asked about in a spacing of one’s own', () => {
    const { openGaps, time, next } = rig({ spacingMs: [10] });
    openGaps.note([gap(0, 5)], 0);
    time.now = 10;
    expect(next()).toBeDefined();
  });
});
