import { describe, expect, test } from 'vitest';
import { type Candle, type Series, seriesKey } from '../../machines/model/kline.ts';
import type { Revision, Row } from '../../machines/model/row.ts';
import { type AuditQuestion, Audits } from '../../src/pipeline/audits.ts';
import { at, BTC, bar, MINUTE, T0 } from './candles.ts';

/** Audits at a given time, over a store that is a map; what is offered is committed at once. */
function rig(options: { timeScale?: number; room?: () => boolean } = {}) {
  const store = new Map<string, Candle>();
  const keyOf = (series: Series, openTime: number): string => `${seriesKey(series)}@${openTime}`;
  const find = (series: Series, openTime: number): Candle | undefined => store.get(keyOf(series, openTime));
  const audits = new Audits({
    timeScale: options.timeScale ?? 1,
    random: () => 0.5,
    held: find,
    stored: find,
  });
  const time = { now: 0, exchangeNow: at(0) };
  const revisions: Revision[] = [];
  const commit = (...candles: Candle[]): void => {
    for (const candle of candles) store.set(keyOf(candle, candle.openTime), candle);
    audits.note(
      candles.map((candle) => ({ candle })),
      time.exchangeNow,
    );
  };
  const offer = (row: Row): boolean => {
    if (options.room?.() === false || !('revision' in row)) return false;
    revisions.push(row.revision);
    return true;
  };
  const answer = (question: AuditQuestion, told: readonly Candle[] = question.bars): void =>
    audits.answered(question, told, time, offer);
  return {
    audits,
    store,
    time,
    revisions,
    commit,
    answer,
    next: () => audits.next(time),
    /** Minutes of exchange time later. */
    pass: (minutes: number) => {
      time.exchangeNow += minutes * MINUTE;
      time.now += minutes * MINUTE;
    },
  };
}

const minutesOf = (question: AuditQuestion | undefined): number[] | undefined =>
  question?.bars.map((one) => (one.openTime - T0) / MINUTE);

/** Commits a bar a minute and answers what is asked, for so long; says what was asked, and at which minute. */
function live(one: ReturnType<typeof rig>, minutes: number, series: readonly Series[] = [BTC]) {
  const asked: { minute: number; bars: number[]; rows: number }[] = [];
  for (let minute = 0; minute < minutes; minute++) {
    one.pass(1);
    one.commit(...series.map((each) => bar(at(minute), 'stream', each)));
    for (let question = one.next(); question !== undefined; question = one.next()) {
      asked.push({ minute: minute + 1, bars: minutesOf(question)!, rows: question.rows });
      one.answer(question);
    }
  }
  return asked;
}

describe('closed bars', () => {
  test('that wait are bounded, and so is a question: below the rows at which it weighs more', () => {
    const one = rig({ timeScale: 6_000 });
    one.pass(1_200);
    one.commit(...Array.from({ length: 1_100 }, (_, index) => bar(at(210 + index))));
    expect(one.audits.waiting).toBe(1_000);
    expect(one.audits.counters.uncompared).toBe(100);
    const question = one.next();
    expect(question?.bars.length).toBeGreaterThan(400);
    expect(question?.rows).toBeLessThanOrEqual(499);
  });

  test('are compared once each, within a quarter of an hour of their end, many at a time', () => {
    const one = rig();
    const asked = live(one, 120);
    const compared = asked.flatMap(({ bars, minute }) =>
      bars.map((index) => ({ index, age: minute - index - 1 })),
    );
    expect(compared.map(({ index }) => index)).toEqual(compared.map((_, index) => index));
    expect(compared.length).toBeGreaterThan(105);
    for (const { age } of compared) {
      expect(age).toBeGreaterThanOrEqual(6);
      expect(age).toBeLessThanOrEqual(15);
    }
    expect(asked.length).toBeLessThanOrEqual(20);
    expect(one.audits.counters).toEqual({ compared: compared.length, revised: 0, uncompared: 0 });
    expect(one.revisions).toEqual([]);
  });

  test('of a long interval are asked for one by one, in time', () => {
    const one = rig();
    const hourly: Series = { symbol: 'BTCUSDT', interval: '1h' };
    const open = Math.ceil(T0 / 3_600_000) * 3_600_000;
    one.time.exchangeNow = open + 3_600_000 + 1_000;
    one.commit(bar(open, 'stream', hourly));
    one.pass(9);
    expect(one.next()).toBeUndefined();
    one.pass(5);
    expect(one.next()).toMatchObject({ series: hourly, rows: 1 });
  });

  test('of an archive, and those that ended long before they were stored, are not asked about', () => {
    const one = rig();
    one.time.exchangeNow = at(100);
    one.commit(bar(at(97), 'vision'), ...[0, 50, 83].map((index) => bar(at(index), 'rest')));
    expect(one.audits.waiting).toBe(0);
    one.commit(bar(at(86), 'rest'));
    expect(one.audits.waiting).toBe(1);
  });

  test('are not asked about before they have settled', () => {
    const one = rig();
    live(one, 11);
    // Due by the age of the oldest, while the youngest has just ended.
    one.pass(0.9);
    one.time.exchangeNow = at(12) + 10_000;
    one.commit(bar(at(11)));
    expect(minutesOf(one.next())?.at(-1)).toBe(5);
  });

  test('that REST has otherwise are corrected, with what they were', () => {
    const one = rig();
    one.pass(3);
    one.commit(...[0, 1, 2].map((index) => bar(at(index))));
    one.pass(12);
    const question = one.next()!;
    const told = question.bars.map((each) => ({ ...each, source: 'rest' as const }));
    told[1] = { ...told[1]!, count: 77 };
    one.answer(question, told);
    expect(one.revisions).toEqual([{ before: bar(at(1)), after: told[1], seenAt: one.time.exchangeNow }]);
    expect(one.audits.counters).toEqual({ compared: 2, revised: 1, uncompared: 0 });
    expect(one.audits.waiting).toBe(0);
  });

  test('for whose correction there is no room are compared again later', () => {
    let room = false;
    const one = rig({ room: () => room });
    one.pass(1);
    one.commit(bar(at(0)));
    one.pass(12);
    const told = [bar(at(0), 'rest', BTC, { count: 77 })];
    one.answer(one.next()!, told);
    expect([one.revisions, one.next()]).toEqual([[], undefined]);
    room = true;
    one.pass(2);
    one.answer(one.next()!, told);
    expect(one.revisions).toHaveLength(1);
  });

  test('that REST lacks are asked for again, and left at last', () => {
    const one = rig();
    one.pass(1);
    one.commit(bar(at(0)));
    let asked = 0;
    for (let minute = 0; minute < 60; minute++) {
      one.pass(1);
      const question = one.next();
      if (question === undefined) continue;
      asked += 1;
      one.answer(question, []);
    }
    expect(asked).toBeGreaterThan(2);
    expect(asked).toBeLessThan(12);
    expect(one.audits.waiting).toBe(0);
    expect(one.audits.counters).toEqual({ compared: 0, revised: 0, uncompared: 1 });
  });

  test('are left, counted and never piled up, when REST has no answer for hours', () => {
    const one = rig();
    for (let minute = 0; minute < 600; minute++) {
      one.pass(1);
      one.commit(bar(at(minute)));
      const question = one.next();
      if (question !== undefined) one.audits.failed(question, false, one.time);
      expect(one.audits.waiting).toBeLessThan(40);
    }
    expect(one.audits.counters.uncompared).toBeGreaterThan(550);
    // Once it answers again, all that waits is one question.
    one.pass(2);
    one.answer(one.next()!);
    expect(one.audits.counters.compared).toBeGreaterThan(20);
  });

  test('of a symbol that the exchange does not know any more are left at once', () => {
    const one = rig();
    one.pass(1);
    one.commit(bar(at(0)));
    one.pass(12);
    one.audits.failed(one.next()!, true, one.time);
    expect([one.audits.waiting, one.audits.counters.uncompared]).toEqual([0, 1]);
  });

  test('at six thousand times the speed wait together: a question has hundreds of them', () => {
    const one = rig({ timeScale: 6_000 });
    const asked: number[] = [];
    // A second of wall time is a hundred minutes; twenty series may have ten questions.
    const series = Array.from(
      { length: 20 },
      (_, index): Series => ({ symbol: `S${index}`, interval: '1m' }),
    );
    for (let minute = 0; minute < 2_000; minute++) {
      one.time.exchangeNow += MINUTE;
      one.commit(...series.map((each) => bar(at(minute), 'stream', each)));
      const question = minute % 10 === 0 ? one.next() : undefined;
      if (question === undefined) continue;
      asked.push(question.bars.length);
      expect(question.rows).toBeLessThan(500);
      one.answer(question);
    }
    expect(asked.slice(-20).every((count) => count > 150)).toBe(true);
    expect(one.audits.counters.uncompared).toBe(0);
    expect(one.audits.counters.compared).toBeGreaterThan(20 * 1_700);
  });

  test('of a thousand series are asked about one series after the other, the oldest first', () => {
    const one = rig();
    const series = Array.from(
      { length: 50 },
      (_, index): Series => ({ symbol: `S${index}`, interval: '1m' }),
    );
    const asked = live(one, 30, series);
    expect(asked.length).toBeLessThanOrEqual(50 * 4);
    expect(one.audits.counters.compared).toBeGreaterThan(50 * 18);
  });
});

describe('a bar that the stream closed', () => {
  test('and that waited half an hour behind a hole is compared once it is stored', () => {
    const one = rig();
    one.pass(40);
    one.commit(bar(at(1)), bar(at(2)));
    const question = one.next();
    expect(minutesOf(question)).toEqual([1, 2]);
    one.answer(question!, [{ ...bar(at(1), 'rest', BTC, { count: 99 }) }, bar(at(2), 'rest')]);
    expect(one.revisions).toMatchObject([{ before: bar(at(1)), after: { count: 99 } }]);
    expect(one.next()).toBeUndefined();
  });

  test('is left when REST does not answer for half an hour more', () => {
    const one = rig();
    one.pass(40);
    one.commit(bar(at(1)));
    one.audits.failed(one.next()!, false, one.time);
    const look = (minutes: number): AuditQuestion | undefined => {
      for (let minute = 0; minute < minutes; minute++) {
        one.pass(1);
        one.next();
      }
      return one.next();
    };
    expect(minutesOf(look(20))).toEqual([1]);
    expect(look(11)).toBeUndefined();
    expect(one.audits.counters.uncompared).toBe(1);
  });

  test('before its machine slept for hours is compared when that wakes', () => {
    const one = rig();
    one.pass(2);
    one.commit(bar(at(1)));
    expect(one.next()).toBeUndefined();
    one.pass(300);
    expect(minutesOf(one.next())).toEqual([1]);
    one.audits.failed(one.next()!, false, one.time);
    one.pass(3);
    one.answer(one.next()!);
    expect(one.audits.counters).toEqual({ compared: 1, revised: 0, uncompared: 0 });
  });

  test('long ago by what REST said, as a backfill has it, is not asked about again', () => {
    const one = rig();
    one.pass(40);
    one.commit(bar(at(1), 'rest'));
    expect(one.next()).toBeUndefined();
  });
});

describe('a bar that closes a second time', () => {
  const other = (index: number, count = 77) => bar(at(index), 'stream', BTC, { count });

  test('with the same values is nothing', () => {
    const one = rig();
    one.commit(bar(at(0)));
    one.audits.secondClose({ ...bar(at(0)) }, 0);
    one.time.now += 120_000;
    expect(one.next()).toBeUndefined();
  });

  test('with other values has REST asked, once, after a moment, and corrected if REST says so', () => {
    const one = rig();
    one.commit(bar(at(0)));
    for (let times = 0; times < 5; times++) one.audits.secondClose(other(0), times);
    one.time.now += 900;
    expect(one.next()).toBeUndefined();
    one.time.now += 200;
    const question = one.next()!;
    expect(question).toMatchObject({ bars: [bar(at(0))], rows: 1 });
    expect(one.next()).toBeUndefined();
    const after = { ...other(0), source: 'rest' as const };
    one.answer(question, [after]);
    expect(one.revisions).toEqual([{ before: bar(at(0)), after, seenAt: at(0) }]);
    // Until it is committed, and after, that is what is held.
    one.audits.secondClose(other(0), one.time.now);
    one.audits.secondClose(other(0, 78), one.time.now);
    one.time.now += 15_000;
    expect(one.next()?.bars).toEqual([after]);
    one.store.set(`BTCUSDT@1m@${at(0)}`, after);
    one.audits.note([{ revision: one.revisions[0]! }], at(0));
    one.audits.secondClose(other(0), one.time.now);
    one.time.now += 60_000;
    expect(one.next()).toBeUndefined();
  });

  test('is compared with the others all the same, as it is stored by then', () => {
    const one = rig();
    one.pass(1);
    one.commit(bar(at(0)));
    one.audits.secondClose(other(0), one.time.now);
    one.time.now += 1_100;
    const after = { ...other(0), source: 'rest' as const };
    one.answer(one.next()!, [after]);
    one.pass(12);
    expect(one.next()?.bars).toEqual([after]);
  });

  test('before it is stored is kept until it is, and forgotten when it never is', () => {
    const one = rig();
    one.audits.secondClose(other(0), 0);
    one.audits.secondClose(other(1), 0);
    one.time.now = 5_000;
    expect(one.next()).toBeUndefined();
    one.commit(bar(at(0)), other(1));
    one.time.now = 7_000;
    expect(minutesOf(one.next())).toEqual([0]);
    one.time.now = 200_000;
    expect(one.next()).toBeUndefined();
  });

  test('and a third time, differing from both: REST is asked, whichever of them is stored', () => {
    const one = rig();
    one.audits.secondClose(other(0), 0);
    one.audits.secondClose(other(0, 78), 0);
    one.commit(other(0));
    one.time.now = 2_000;
    expect(minutesOf(one.next())).toEqual([0]);
  });

  test('over and over has REST asked no more than every ten seconds', () => {
    const one = rig();
    one.commit(bar(at(0)));
    let asked = 0;
    for (; one.time.now < 60_000; one.time.now += 100) {
      one.audits.secondClose(other(0), one.time.now);
      const question = one.next();
      if (question === undefined) continue;
      asked += 1;
      one.answer(question);
    }
    expect(asked).toBeGreaterThan(3);
    expect(asked).toBeLessThan(8);
  });

  test('is asked about again when REST had no answer', () => {
    const one = rig();
    one.commit(bar(at(0)));
    one.audits.secondClose(other(0), 0);
    one.time.now = 1_100;
    one.audits.failed(one.next()!, false, one.time);
    expect(one.next()).toBeUndefined();
    one.time.now = 12_000;
    expect(minutesOf(one.next())).toEqual([0]);
  });

  test('a hundred thousand times is bounded, and what is left out is counted', () => {
    const one = rig();
    for (let index = 0; index < 3_000; index++) one.audits.secondClose(other(index), 0);
    expect(one.audits.counters.uncompared).toBe(2_000);
  });
});
