/** What asks REST while nobody waits: comparisons, and gaps that may be filled yet. */
import { describe, expect, test } from 'vitest';
import { type Candle, seriesKey } from '../../machines/model/kline.ts';
import type { Row } from '../../machines/model/row.ts';
import { auditBarsActor } from '../../src/actors/audit-bars.ts';
import { recheckGapsActor } from '../../src/actors/recheck-gaps.ts';
import type { VenueRequest } from '../../src/binance/rest.ts';
import { ExchangeError } from '../../src/errors.ts';
import { Audits } from '../../src/pipeline/audits.ts';
import { OpenGaps } from '../../src/pipeline/open-gaps.ts';
import { RowBuffer } from '../../src/pipeline/row-buffer.ts';
import { at, BTC, bar, ETH, MINUTE } from '../pipeline/candles.ts';
import { FakeClock } from '../transport/fake-clock.ts';
import { clockSetTo, klinesAt, rowOf } from './exchange.ts';
import { fakeLogger, fakeRest, host } from './harness.ts';

type Reply = (request: VenueRequest, asked: number) => unknown;

function rig(reply: Reply) {
  const clock = new FakeClock();
  const exchangeClock = clockSetTo(clock, at(0));
  const { rest, asked } = fakeRest(reply);
  const { logger, lines } = fakeLogger();
  const buffer = new RowBuffer(1_000);
  const ports = { rest, clock, exchangeClock, random: () => 0, logger, rows: buffer };
  /** Rows that were offered, by kind. */
  const offered = (): Row[] => [...buffer.batch()];
  return { clock, exchangeClock, ports, asked, lines, offered };
}

function auditing(reply: Reply, stored: readonly Candle[] = [], watermark?: number) {
  const one = rig(reply);
  const audits = new Audits({
    timeScale: 1,
    random: () => 0,
    held: (series, openTime) =>
      stored.find((candle) => seriesKey(candle) === seriesKey(series) && candle.openTime === openTime),
    stored: () => undefined,
  });
  const reads: number[] = [];
  const start = () =>
    host(
      auditBarsActor({
        ...one.ports,
        audits,
        watermarks: () => (watermark === undefined ? [] : [{ ...BTC, openTime: watermark }]),
        read: (series, after) => {
          reads.push(after);
          return stored.filter((candle) => candle.symbol === series.symbol && candle.openTime > after);
        },
      }),
    );
  const commit = (candle: Candle): void => audits.note([{ candle }], one.exchangeClock.now());
  return { ...one, audits, commit, start, reads };
}

describe('the comparison of closed bars', () => {
  test('asks REST in the background for all that wait, and corrects what differs', async () => {
    const wrong = bar(at(2), 'stream', BTC, { count: 99 });
    const one = auditing((request) => klinesAt(BTC, at(0) + one.clock.now(), request));
    const actor = one.start();
    for (let minute = 0; minute < 13; minute++) {
      await one.clock.advance(MINUTE);
      one.commit(minute === 2 ? wrong : bar(at(minute)));
    }
    actor.stop();
    expect(one.asked).toEqual([
      expect.objectContaining({
        priority: 'background',
        weight: 1,
        params: { ...BTC, startTime: at(0), limit: 6 },
      }),
    ]);
    const [row, ...others] = one.offered();
    expect(others).toEqual([]);
    expect(row).toEqual({
      revision: { before: wrong, after: bar(at(2), 'rest'), seenAt: expect.any(Number) },
    });
    expect(one.audits.counters).toEqual({ compared: 4, revised: 1, uncompared: 0 });
  });

  test('takes no bar for final that had not certainly ended when REST was asked', async () => {
    const one = auditing(() => [rowOf(bar(at(0), 'rest', BTC, { count: 99 }))]);
    one.exchangeClock.set(at(0), one.clock.now(), one.clock.now());
    const actor = one.start();
    // A second close of a bar that by our clock has only just ended, or not at all.
    one.commit(bar(at(0)));
    one.audits.secondClose(bar(at(0), 'stream', BTC, { count: 99 }), 0);
    await one.clock.advance(30_000);
    expect(one.offered()).toEqual([]);
    actor.stop();
  });

  test('of a bar that closed twice, differently, comes at once', async () => {
    const held = bar(at(-3));
    const told = bar(at(-3), 'rest', BTC, { count: 99 });
    const one = auditing(() => [rowOf(told), rowOf(bar(at(-2), 'rest'))], [held]);
    const audits = new Audits({ timeScale: 1, random: () => 0, held: () => held, stored: () => held });
    const actor = host(auditBarsActor({ ...one.ports, audits, watermarks: () => [], read: () => [] }));
    audits.secondClose({ ...told, source: 'stream' }, 0);
    await one.clock.advance(2_000);
    actor.stop();
    expect(one.asked.map(({ params }) => params)).toEqual([{ ...BTC, startTime: at(-3), limit: 2 }]);
    expect(one.offered()).toEqual([{ revision: { before: held, after: told, seenAt: expect.any(Number) } }]);
  });

  test('a last row with nothing behind it, lately ended, may be of a copy that lags, and corrects nothing', async () => {
    const partial = bar(at(-3), 'rest', BTC, { count: 1 });
    const held = bar(at(-3));
    const one = auditing(() => [rowOf(partial)]);
    const audits = new Audits({ timeScale: 1, random: () => 0, held: () => held, stored: () => held });
    const actor = host(auditBarsActor({ ...one.ports, audits, watermarks: () => [], read: () => [] }));
    audits.secondClose(bar(at(-3), 'stream', BTC, { count: 99 }), 0);
    await one.clock.advance(60_000);
    expect(one.asked.length).toBeGreaterThan(0);
    expect(one.offered()).toEqual([]);
    actor.stop();
  });

  test('a last row with nothing behind it counts when it says what the second close said', async () => {
    const held = bar(at(-3));
    const told = bar(at(-3), 'rest', BTC, { count: 99 });
    const one = auditing(() => [rowOf(told)]);
    const audits = new Audits({ timeScale: 1, random: () => 0, held: () => held, stored: () => held });
    const actor = host(auditBarsActor({ ...one.ports, audits, watermarks: () => [], read: () => [] }));
    audits.secondClose({ ...told, source: 'stream' }, 0);
    await one.clock.advance(2_000);
    actor.stop();
    expect(one.offered()).toEqual([{ revision: { before: held, after: told, seenAt: expect.any(Number) } }]);
  });

  test('takes up what an earlier run stored within the last quarter of an hour', async () => {
    const stored = [-30, -14, -13, -1].map((index) => bar(at(index), 'rest'));
    const one = auditing((request) => klinesAt(BTC, at(0) + one.clock.now(), request), stored, at(-1));
    const actor = one.start();
    await one.clock.advance(12 * MINUTE);
    actor.stop();
    expect(one.audits.counters.compared).toBe(3);
  });

  test('reads nothing of a store that ended long ago', async () => {
    const one = auditing(() => [], [bar(at(-30))], at(-30));
    const actor = one.start();
    await one.clock.advance(20 * MINUTE);
    actor.stop();
    expect([one.reads, one.asked]).toEqual([[], []]);
  });

  test('survives every error, ever more slowly, and not before the exchange allows', async () => {
    const one = auditing((request, asked) => {
      if (asked === 1)
        throw new ExchangeError('banned', {
          code: '-1003',
          status: 418,
          retryable: true,
          retryAfterMs: 150_000,
        });
      if (asked === 2) return { odd: true };
      return klinesAt(BTC, at(0) + one.clock.now(), request);
    });
    const actor = one.start();
    await one.clock.advance(MINUTE);
    one.commit(bar(at(0)));
    await one.clock.advance(10 * MINUTE + 1_000);
    expect(one.asked).toHaveLength(1);
    await one.clock.advance(148_000);
    expect(one.asked).toHaveLength(1);
    await one.clock.advance(10 * MINUTE);
    expect(one.asked).toHaveLength(3);
    expect(one.lines.map((line) => line.message)).toEqual(
      Array(2).fill('closed bars could not be compared with REST'),
    );
    expect(one.audits.counters.compared).toBe(1);
    actor.stop();
  });

  test('ends when it is disposed of: no timer is left, and nothing is asked any more', async () => {
    const one = auditing(() => new Promise(() => {}));
    const actor = one.start();
    await one.clock.advance(MINUTE);
    one.commit(bar(at(0)));
    await one.clock.advance(11 * MINUTE);
    expect(one.asked).toHaveLength(1);
    actor.stop();
    await one.clock.advance(60 * MINUTE);
    expect([one.clock.pending, one.asked.length, one.lines]).toEqual([0, 1, []]);
  });
});

describe('asking for gaps again', () => {
  const gap = (from: number, to: number, series = BTC): Row => ({
    gap: { ...series, fromOpenTime: at(from), toOpenTime: at(to), reason: 'none', detectedAt: 1 },
  });
  function rechecking(reply: Reply) {
    const one = rig(reply);
    const openGaps = new OpenGaps({ random: () => 0, spacingMs: [5_000, 60_000] });
    const start = () =>
      host(
        recheckGapsActor({ ...one.ports, openGaps, isCollected: (series) => series.symbol === 'BTCUSDT' }),
      );
    return { ...one, openGaps, start };
  }

  test('fills a gap with what has turned up, in the background, and asks for no bar behind it', async () => {
    const one = rechecking((request) => klinesAt(BTC, at(0), request, new Set([at(-8)])));
    one.openGaps.note([gap(-9, -7), gap(-9, -7, ETH)], 0);
    const actor = one.start();
    await one.clock.advance(10_000);
    expect(one.asked).toEqual([
      expect.objectContaining({
        priority: 'background',
        params: { ...BTC, startTime: at(-9), endTime: at(-6), limit: 4 },
      }),
    ]);
    // What REST sends besides is not of the gap.
    expect(one.offered()).toEqual([
      {
        fill: {
          ...BTC,
          reason: 'none',
          candles: [-9, -7].map((index) => bar(at(index), 'rest')),
          filledAt: expect.any(Number),
        },
      },
    ]);
    await one.clock.advance(60_000);
    expect(one.asked.map(({ params }) => params['startTime'])).toEqual([at(-9), at(-8)]);
    actor.stop();
  });

  test('takes neither open bars nor bars that can not be there', async () => {
    const odd = bar(at(-2), 'rest', BTC, { closeTime: at(-1) + 5 });
    const one = rechecking(() => [rowOf(odd), rowOf(bar(at(0), 'rest'))]);
    one.openGaps.note([gap(-2, 0)], 0);
    const actor = one.start();
    await one.clock.advance(10_000);
    expect(one.asked).toHaveLength(1);
    expect(one.offered()).toEqual([]);
    actor.stop();
  });

  test('pages through a gap of months, a page a second, and never in a flood when REST fails', async () => {
    const one = rechecking((request, asked) => {
      if (asked === 2) throw new Error('no network');
      return klinesAt(BTC, at(0), request);
    });
    one.openGaps.note([gap(-6_000, -10)], 0);
    const actor = one.start();
    await one.clock.advance(5_000);
    expect(one.asked).toHaveLength(1);
    await one.clock.advance(1_000);
    expect(one.asked).toHaveLength(2);
    await one.clock.advance(4_900);
    expect(one.asked).toHaveLength(2);
    await one.clock.advance(5_000);
    expect(one.asked.map(({ params }) => params['startTime'])).toEqual(
      [-6_000, -4_500, -4_500, -3_000, -1_500].map(at),
    );
    expect(one.openGaps.size).toBe(0);
    actor.stop();
    expect(one.clock.pending).toBe(0);
  });
});
