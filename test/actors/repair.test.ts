import { describe, expect, test } from 'vitest';
import type { CursorEvent } from '../../machines/kline-stream.types.ts';
import { INTERVALS, openTimeAt } from '../../machines/model/interval.ts';
import { cursorActions } from '../../src/actors/cursor.ts';
import { type RepairPorts, repairActor } from '../../src/actors/repair.ts';
import type { VenueRequest } from '../../src/binance/rest.ts';
import { ExchangeError } from '../../src/errors.ts';
import { ExchangeClock } from '../../src/transport/exchange-clock.ts';
import { at, BTC, frame, MINUTE, rig } from '../pipeline/candles.ts';
import { noPast } from '../support/no-past.ts';
import { FakeClock } from '../transport/fake-clock.ts';
import { clockSetTo, klinesAt, rowOf } from './exchange.ts';
import { fakeLogger, fakeRest, run } from './harness.ts';

/** Of an exchange without an archive, and a store that keeps up. */
const byRest = { past: noPast, whenDrained: async <Result>(_: AbortSignal, work: () => Result) => work() };

/** A series whose bar 0 is due, the exchange being at `now`. */
function owing(
  now: number,
  reply: (request: VenueRequest, asked: number) => unknown,
  ports: Partial<RepairPorts> = {},
) {
  const clock = new FakeClock();
  const exchangeClock = clockSetTo(clock, now);
  const one = rig({ exchangeNow: at(0) + 10 });
  one.pipeline.take(frame(at(0), { closed: false }), 1);
  one.time.exchange = now;
  const { rest, asked } = fakeRest(reply);
  const { logger, lines } = fakeLogger();
  const logic = repairActor({
    ...byRest,
    ...ports,
    rest,
    clock,
    exchangeClock,
    pipeline: one.pipeline,
    logger,
  });
  const repair = (): Promise<{ owed: number }> => run(logic, BTC);
  return { ...one, clock, repair, asked, lines };
}

describe('a repair', () => {
  test('pages through a hole of five thousand bars, in order, and owes nothing then', async () => {
    const now = at(5_000) + 30_000;
    const { repair, asked, story } = owing(now, (request) => klinesAt(BTC, now, request));
    expect(await repair()).toMatchObject({ owed: 0 });
    expect(story()).toEqual(Array.from({ length: 5_000 }, (_, index) => index));
    expect(asked.map(({ params }) => params['limit'])).toEqual([1_500, 1_500, 1_500, 501]);
    expect(asked[1]?.params['startTime']).toBe(at(1_500));
  });

  test('of history waits with those of all series, and tells them when bars come', async () => {
    const now = at(2_000) + 30_000;
    const moved: (number | undefined)[] = [];
    const one = owing(now, (request) => {
      moved.push(one.cursor.owing.waitsIn?.movedAt);
      return klinesAt(BTC, now, request);
    });
    await one.repair();
    expect(moved).toEqual([Number.NEGATIVE_INFINITY, one.clock.now()]);
    expect(one.cursor.owing.waitsIn).toBeUndefined();
  });

  test('of a few bars waits in no queue', async () => {
    const now = at(100) + 30_000;
    let waitsIn: unknown = 'not asked';
    const one = owing(now, (request) => {
      ({ waitsIn } = one.cursor.owing);
      return klinesAt(BTC, now, request);
    });
    await one.repair();
    expect(waitsIn).toBeUndefined();
  });

  test('asks for one row more than it lacks, for the open one', async () => {
    const now = at(3) + 30_000;
    const { repair, asked, story } = owing(now, (request) => klinesAt(BTC, now, request));
    await repair();
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ params: { startTime: at(0), limit: 4 }, weight: 1 });
    expect(story()).toEqual([0, 1, 2]);
  });

  test('asks nothing when nothing has ended', async () => {
    const { repair, asked } = owing(at(0) + 59_999, () => []);
    expect(await repair()).toMatchObject({ owed: 0 });
    expect(asked).toEqual([]);
  });

  test.each(INTERVALS)('asks nothing of %s while the time of the exchange is not known', async (interval) => {
    const series = { symbol: 'BTCUSDT', interval };
    const clock = new FakeClock();
    const one = rig({ series: [series], exchangeNow: Number.NaN });
    one.pipeline.take(frame(openTimeAt(interval, at(0)), { closed: false, series }), 1);
    one.pipeline.scan();
    const { rest, asked } = fakeRest(() => []);
    const { logger } = fakeLogger();
    const exchangeClock = new ExchangeClock(clock, 1);
    const ports = { ...byRest, rest, clock, exchangeClock, pipeline: one.pipeline, logger };
    expect(await run(repairActor(ports), series)).toEqual({ owed: 0, taken: 0 });
    expect(asked).toEqual([]);
  });

  test('never passes on the open row, though its bar had ended when the answer came', async () => {
    const now = at(2) + 59_000;
    const one = owing(now, async (request, asked) => {
      if (asked > 1) return klinesAt(BTC, now + one.clock.now(), request);
      // Looked up while bar 2 was open, and long under way.
      const rows = klinesAt(BTC, now, request);
      rows.at(-1)![5] = '0.001';
      await one.clock.advance(30_000);
      return rows;
    });
    await one.repair();
    expect(one.story()).toEqual([0, 1, 2]);
    expect(one.out().map((row) => 'candle' in row && row.candle.volume)).toEqual([2, 2, 2]);
    expect(one.asked).toHaveLength(2);
  });

  test('never passes on the open row when our idea of the time may be late by a round trip', async () => {
    // The answer of /time was 400 ms under way: the exchange may be up to 400 ms further, or not at all.
    const clock = new FakeClock();
    await clock.advance(1_000);
    const exchangeClock = new ExchangeClock(clock, 1);
    exchangeClock.set(at(2) + 59_700, 600, 1_000);
    const truth = at(2) + 59_750;
    const one = rig({ exchangeNow: at(0) + 10 });
    one.pipeline.take(frame(at(0), { closed: false }), 1);
    one.time.exchange = at(3) + 100;
    await clock.advance(200);
    expect(exchangeClock.now()).toBeGreaterThan(at(3));
    const { rest } = fakeRest((request) => klinesAt(BTC, truth + 100, request));
    const { logger } = fakeLogger();
    await run(repairActor({ ...byRest, rest, clock, exchangeClock, pipeline: one.pipeline, logger }), BTC);
    expect(one.story()).toEqual([0, 1]);
  });

  test('stops when an answer brings nothing, and says what is still owed', async () => {
    const now = at(10) + 30_000;
    const { repair, asked, story } = owing(now, () => []);
    expect(await repair()).toMatchObject({ owed: 10 });
    expect(asked).toHaveLength(1);
    expect(story()).toEqual([]);
  });

  test.each([
    ['of bars that are held: the same page again', [-2, -1]],
    ['that does not ascend', [0, 2, 1]],
    ['that names a bar twice', [0, 1, 1]],
  ])('H07 stops with an error at an answer %s', async (_, indices) => {
    const now = at(3) + 30_000;
    const { repair, asked, story } = owing(now, () => indices.map((index) => rowOf({ ...barAt(index) })));
    await expect(repair()).rejects.toMatchObject({ code: 'KLINES_NO_PROGRESS', retryable: true });
    expect(asked).toHaveLength(1);
    expect(story()).toEqual([]);
  });

  test('takes so many pages and no more: what is left is for the next', async () => {
    const now = at(40_000) + 30_000;
    const { repair, asked, story } = owing(now, (request) => klinesAt(BTC, now, request));
    expect((await repair()).owed).toBe(10_000);
    expect(asked).toHaveLength(20);
    expect(story()).toHaveLength(30_000);
  });

  test('names a hole of the exchange after three repairs over ten seconds, and goes on behind it', async () => {
    const now = at(6) + 30_000;
    const missing = new Set([at(2), at(3)]);
    const one = owing(now, (request) => klinesAt(BTC, now, request, missing));
    for (const late of [0, 5_000, 10_000]) {
      one.time.monotonic = late;
      await one.repair();
    }
    expect(one.story()).toEqual([0, 1, '2–3', 4, 5]);
    expect(await one.repair()).toMatchObject({ owed: 0 });
  });

  test('names all holes of a long answer together, though it takes the answer slice by slice', async () => {
    const now = at(1_400) + 30_000;
    const missing = new Set([at(400), at(900), at(901), at(1_390)]);
    const one = owing(now, (request) => klinesAt(BTC, now, request, missing));
    for (const late of [0, 5_000, 10_000]) {
      expect(one.story().filter((row) => typeof row === 'string')).toEqual([]);
      one.time.monotonic = late;
      await one.repair();
    }
    expect(one.story().filter((row) => typeof row === 'string')).toEqual(['400–400', '900–901', '1390–1390']);
    expect(one.story()).toHaveLength(1_400 - 4 + 3);
  });

  test('waits with a long answer for a store that is behind, and not with a short one', async () => {
    for (const [missing, waits] of [
      [1_000, 4],
      [100, 0],
    ] as const) {
      let waited = 0;
      const now = at(missing) + 30_000;
      const one = owing(now, (request) => klinesAt(BTC, now, request), {
        whenDrained: async (_, work) => {
          waited += 1;
          return work();
        },
      });
      await one.repair();
      expect(one.story()).toHaveLength(missing);
      expect(waited).toBe(waits);
    }
  });

  test('brings what lies before bars that are held, though the clock says that nothing is owed', async () => {
    const { repair, pipeline, story, time } = owing(at(0), (request) => klinesAt(BTC, at(3) + 10, request));
    // Our clock lags by three minutes; the exchange says so in its frames.
    time.exchange = at(0);
    pipeline.take(frame(at(2)), 1);
    const { owed } = await repair();
    expect(owed).toBe(2);
    expect(story()).toEqual([]);
  });

  test('hands on the error of the exchange, and says it', async () => {
    const failure = new ExchangeError('no', { code: '-1003', status: 429, retryable: true });
    const { repair, lines, story } = owing(at(3) + 30_000, () => {
      throw failure;
    });
    await expect(repair()).rejects.toBe(failure);
    expect(lines).toMatchObject([{ level: 'warn', fields: { series: 'BTCUSDT@1m', reason: 'no' } }]);
    expect(story()).toEqual([]);
  });

  test('is spoilt by an answer that is no list of bars', async () => {
    const { repair } = owing(at(3) + 30_000, () => ({ code: 0 }));
    await expect(repair()).rejects.toMatchObject({ code: 'HTTP_MALFORMED' });
  });
});

const barAt = (index: number) => {
  const one = rig({ exchangeNow: at(index) + MINUTE });
  one.pipeline.take(frame(at(index)), 1);
  const [row] = one.out();
  if (row === undefined || !('candle' in row)) throw new Error('no bar');
  return row.candle;
};

describe('the cursor of a stream', () => {
  test('tells its edges for as long as the stream lives', () => {
    const { pipeline } = rig({ exchangeNow: at(0) + 10 });
    const actions = cursorActions(
      pipeline,
      () => 0,
      () => 0,
    );
    const chart = () => {
      const heard: string[] = [];
      let status: 'active' | 'stopped' = 'active';
      const self = { getSnapshot: () => ({ status }), send: ({ type }: CursorEvent) => heard.push(type) };
      const args = { context: { series: BTC }, self };
      actions.attachCursor(args);
      const stop = (): void => {
        status = 'stopped';
      };
      return { heard, stop, detach: () => actions.detachCursor(args) };
    };
    const first = chart();
    pipeline.take(frame(at(0), { closed: false }), 1);
    expect(first.heard).toEqual(['CURSOR.FIRST_FRAME']);
    const later = chart();
    // It has been replaced, and takes nothing from who came after it.
    first.detach();
    pipeline.take(frame(at(0), { closed: false }), 2);
    expect([first.heard.length, later.heard]).toEqual([1, ['CURSOR.FIRST_FRAME']]);
    later.stop();
    pipeline.take(frame(at(0), { closed: false }), 3);
    expect(later.heard).toHaveLength(1);
    const last = chart();
    last.detach();
    pipeline.take(frame(at(0), { closed: false }), 4);
    expect(last.heard).toEqual([]);
  });

  test('that cannot be had is a failure of the stream', () => {
    const { pipeline } = rig({ exchangeNow: at(0) + 10 });
    const heard: string[] = [];
    const self = {
      getSnapshot: () => ({ status: 'active' as const }),
      send: ({ type }: CursorEvent) => heard.push(type),
    };
    pipeline.add = () => {
      throw new Error('no room');
    };
    cursorActions(
      pipeline,
      () => 0,
      () => 0,
    ).attachCursor({ context: { series: BTC }, self });
    expect(heard).toEqual(['CURSOR.FAILED']);
  });
});
