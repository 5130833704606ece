/** A long hole: whole days come from the archive, REST has the rest. */
import { describe, expect, test } from 'vitest';
import { DAY_MS, type Interval, openTimeAt } from '../../machines/model/interval.ts';
import type { Candle } from '../../machines/model/kline.ts';
import { type RepairPorts, repairActor } from '../../src/actors/repair.ts';
import { archivePages } from '../../src/history/archive-pages.ts';
import { at, BTC, MINUTE, rig } from '../pipeline/candles.ts';
import { FakeClock } from '../transport/fake-clock.ts';
import { clockSetTo, klinesAt } from './exchange.ts';
import { fakeLogger, fakeRest, run } from './harness.ts';
import { type FakeDay, fakeHistory, opensIn } from './past.ts';

const HOUR = 60 * MINUTE;
/** A midnight. */
const D0 = openTimeAt('1d', at(0)) + DAY_MS;
const day = (index: number): number => D0 + index * DAY_MS;
/** What the exchange takes for now: late on day 9, so that days up to 7 are published. */
const NOW = day(9) + 18 * HOUR + 30_000;

/** A series that lacks all from `due` on. */
function owing(
  options: {
    due?: number;
    now?: number;
    interval?: Interval;
    days?: (dayStart: number) => FakeDay;
    missing?: ReadonlySet<number>;
    rowsMax?: number;
    whenDrained?: RepairPorts['whenDrained'];
  } = {},
) {
  const { due = day(2), now = NOW, interval = '1m', missing } = options;
  const series = { symbol: 'BTCUSDT', interval };
  const clock = new FakeClock();
  const exchangeClock = clockSetTo(clock, now);
  const one = rig({ series: [series], exchangeNow: now, rowsMax: 200_000 });
  one.pipeline.startAt(series, due);
  const { rest, asked } = fakeRest((request) => klinesAt(series, now, request, missing));
  const { logger, lines } = fakeLogger();
  const history = fakeHistory(options.days);
  const past = archivePages({
    source: () => history.source,
    exchangeNow: () => exchangeClock.now(),
    clock,
    logger,
  });
  const { whenDrained = async (_signal, work) => work() } = options;
  const ports = { rest, past, whenDrained, clock, exchangeClock, pipeline: one.pipeline, logger };
  const logic = repairActor(ports);
  const repair = (): Promise<{ owed: number; taken: number }> => run(logic, series);
  const candles = (): Candle[] => one.out().flatMap((row) => ('candle' in row ? [row.candle] : []));
  const gaps = () => one.out().flatMap((row) => ('gap' in row ? [row.gap] : []));
  return { ...one, ...history, series, clock, repair, asked, lines, candles, gaps };
}

const opens = (candles: readonly Candle[]): number[] => candles.map(({ openTime }) => openTime);
const from = (candles: readonly Candle[], source: Candle['source']): number[] =>
  opens(candles.filter((candle) => candle.source === source));
const startsOf = (asked: readonly { params: Readonly<Record<string, unknown>> }[]): unknown[] =>
  asked.map(({ params }) => params['startTime']);

describe('a hole of days', () => {
  test('comes from the archive as far as it is published, and from REST behind that', async () => {
    const one = owing();
    expect(await one.repair()).toMatchObject({ owed: 0 });
    const candles = one.candles();
    expect(opens(candles)).toEqual(opensIn(BTC, day(2), openTimeAt('1m', NOW)));
    expect(from(candles, 'vision')).toEqual(opensIn(BTC, day(2), day(8)));
    expect(startsOf(one.asked)).toEqual([day(8), day(8) + 1_500 * MINUTE]);
    expect(one.loads).toEqual({ begun: 1, ended: 1 });
  });

  test("that begins in the middle of one is REST's up to midnight, and not a bar further", async () => {
    const one = owing({ due: day(1) + 20 * HOUR });
    await one.repair();
    expect(one.asked[0]?.params).toMatchObject({ startTime: day(1) + 20 * HOUR, limit: 240 });
    expect(one.asked[0]?.priority).toBe('background');
    expect(from(one.candles(), 'vision')).toEqual(opensIn(BTC, day(2), day(8)));
    expect(opens(one.candles())).toEqual(opensIn(BTC, day(1) + 20 * HOUR, openTimeAt('1m', NOW)));
  });

  test.each([
    ['of minutes', day(9) + 18 * HOUR - 3 * MINUTE],
    ['of less than a day', day(8) + 20 * HOUR],
    ['of days that are not published yet', day(8)],
    ['over a midnight, without a whole day', day(6) + MINUTE],
  ])('%s asks nothing of the archive', async (title, due) => {
    const now = title.startsWith('over') ? day(7) + 12 * HOUR : NOW;
    const one = owing({ due, now });
    expect(await one.repair()).toMatchObject({ owed: 0 });
    expect(one.plans).toEqual([]);
    expect(from(one.candles(), 'vision')).toEqual([]);
  });

  test.each(['1h', '2h', '1d', '3d', '1M'] as const)(
    'of %s: only where a file saves a page',
    async (interval) => {
      const one = owing({ interval, due: day(1) });
      await one.repair();
      expect(one.plans.length > 0).toBe(interval === '1h');
    },
  );

  test('goes to the store slice by slice, each when the one before is written', async () => {
    let waits = 0;
    const one = owing({
      whenDrained: async (_signal, work) => {
        waits += 1;
        expect(one.rows.size).toBeLessThanOrEqual(300);
        one.out();
        return work();
      },
    });
    await one.repair();
    // Six days, and what REST has of the two behind them.
    expect(waits).toBe(6 * 5 + 5 + 4);
    expect(one.candles()).toHaveLength((NOW - 30_000 - day(2)) / MINUTE);
  });

  test('is given up at once when the store does not keep up and the stream ends', async () => {
    const reason = new Error('closed');
    const one = owing({ whenDrained: () => Promise.reject(reason) });
    await expect(one.repair()).rejects.toBe(reason);
    expect(one.loads).toEqual({ begun: 1, ended: 1 });
  });

  test('of months takes its turns: sixty days, and the others of the queue may come', async () => {
    const now = day(102) + 30_000;
    const one = owing({ due: D0, now });
    expect((await one.repair()).owed).toBe(42 * 1_440);
    expect(one.loaded).toHaveLength(60);
    await one.repair();
    expect(one.loaded).toEqual(Array.from({ length: 101 }, (_, index) => day(index)));
    expect(startsOf(one.asked)).toEqual([day(101)]);
  });
});

describe('a day of the archive', () => {
  test('with a hole that REST has too is asked of REST, three times, before that is a gap', async () => {
    const missing = new Set(opensIn(BTC, day(3) + HOUR, day(3) + HOUR + 5 * MINUTE));
    const one = owing({ days: () => ({ lacking: missing }), missing });
    const gap = { fromOpenTime: day(3) + HOUR, toOpenTime: day(3) + HOUR + 4 * MINUTE };
    for (const late of [0, 5_000, 10_000]) {
      expect(one.gaps()).toEqual([]);
      one.time.monotonic = late;
      await one.repair();
    }
    expect(one.gaps()).toMatchObject([{ ...gap, reason: 'the exchange has no such bar' }]);
    const expected = opensIn(BTC, day(2), openTimeAt('1m', NOW)).filter((at) => !missing.has(at));
    expect(opens(one.candles())).toEqual(expected);
    // What is behind the hole on its day is REST's; the next days are the archive's again.
    expect(from(one.candles(), 'rest')[0]).toBe(gap.toOpenTime + MINUTE);
    expect(from(one.candles(), 'vision')).toContain(day(5));
    expect(one.loaded.filter((at) => at === day(3))).toEqual([day(3)]);
  });

  test('without its first bar is not asked for again', async () => {
    const missing = new Set([day(4)]);
    const one = owing({ due: day(4), days: () => ({ lacking: missing }), missing });
    for (const late of [0, 5_000, 10_000, 15_000]) {
      one.time.monotonic = late;
      await one.repair();
    }
    expect(one.gaps()).toMatchObject([{ fromOpenTime: day(4), toOpenTime: day(4) }]);
    expect(one.loaded.filter((at) => at === day(4))).toEqual([day(4)]);
    expect(one.loaded).toContain(day(6));
  });

  test('that could not be asked for to its end lacks nothing there: REST is asked', async () => {
    const cut = day(3) + 12 * HOUR;
    const one = owing({ days: (start) => (start === day(3) ? { unreachedFrom: cut } : {}) });
    await one.repair();
    expect(one.gaps()).toEqual([]);
    expect(opens(one.candles())).toEqual(opensIn(BTC, day(2), openTimeAt('1m', NOW)));
    expect(from(one.candles(), 'rest').slice(0, 720)).toEqual(opensIn(BTC, cut, day(4)));
  });

  test('what was odd about it is said', async () => {
    const note = { kind: 'missing file', found: 'HTTP 404', done: 'taken from REST' } as const;
    const one = owing({ days: (start) => (start === day(3) ? { notes: [note] } : {}) });
    await one.repair();
    expect(one.lines).toMatchObject([
      {
        level: 'warn',
        message: 'archive: missing file',
        fields: { series: 'BTCUSDT@1m', found: 'HTTP 404' },
      },
    ]);
  });
});

describe('an archive in trouble', () => {
  test('that fails is left for REST, which goes on where it stopped', async () => {
    const failure = new Error('no such luck');
    const one = owing({ days: (start) => (start === day(4) ? { error: failure } : {}) });
    expect(await one.repair()).toMatchObject({ owed: 0 });
    expect(opens(one.candles())).toEqual(opensIn(BTC, day(2), openTimeAt('1m', NOW)));
    expect(from(one.candles(), 'vision')).toEqual(opensIn(BTC, day(2), day(4)));
    expect(one.lines).toMatchObject([{ level: 'warn', fields: { reason: 'no such luck' } }]);
    expect(one.loads).toEqual({ begun: 1, ended: 1 });
  });

  test("that can't be reached is left alone for five minutes by the turns that follow", async () => {
    const note = { kind: 'unreachable', found: 'ECONNREFUSED', done: 'REST is asked from here on' } as const;
    const one = owing({ due: day(-100), days: () => ({ notes: [note] }) });
    await one.repair();
    expect(one.plans).toHaveLength(1);
    await one.repair();
    expect(one.plans).toHaveLength(1);
    expect(one.asked.length).toBeGreaterThan(0);
    await one.clock.advance(5 * MINUTE);
    one.pipeline.goBackTo(one.series, day(-20));
    await one.repair();
    expect(one.plans).toHaveLength(2);
  });

  test('is not blamed for what REST could not be asked', async () => {
    const note = { kind: 'unreachable', found: 'REST: banned', done: 'left for another time' } as const;
    const days = (start: number): FakeDay =>
      start === day(-5) ? { unreachedFrom: start + HOUR, notes: [note] } : {};
    const one = owing({ due: day(-100), days });
    await one.repair();
    await one.repair();
    expect(one.plans).toHaveLength(2);
  });
});
