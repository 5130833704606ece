import { describe, expect, onTestFinished, test } from 'vitest';
import { keepTimeActor, setClock } from '../../src/actors/keep-time.ts';
import { timeRequest } from '../../src/binance/rest.ts';
import { sleep } from '../../src/transport/clock.ts';
import { ExchangeClock } from '../../src/transport/exchange-clock.ts';
import { FakeClock, settle } from '../transport/fake-clock.ts';
import { fakeLogger, fakeRest, host } from './harness.ts';

const HOUR = 3_600_000;
const SERVER = 1_700_000_000_000;

/** A time keeper beside an exchange whose time is the local one plus `offset.ms`. */
function keeping(serverTime?: (asked: number) => number | Promise<number>) {
  const clock = new FakeClock();
  const offset = { ms: SERVER };
  const exchangeNow = (): number => offset.ms + clock.now();
  const times: number[] = [];
  const { rest } = fakeRest(async (_, asked) => {
    times.push(clock.now());
    return { serverTime: (await serverTime?.(asked)) ?? exchangeNow() };
  });
  const exchangeClock = new ExchangeClock(clock, 1);
  exchangeClock.set(exchangeNow(), 0, 0);
  const { logger, lines } = fakeLogger();
  const actor = host(keepTimeActor({ rest, clock, exchangeClock, logger }));
  onTestFinished(actor.stop);
  return { actor, clock, offset, exchangeNow, exchangeClock, times, lines };
}

describe('at the start', () => {
  test("the exchange's time is set by the shortest of three round trips", async () => {
    const clock = new FakeClock();
    const exchangeClock = new ExchangeClock(clock, 1);
    const trips = [300, 20, 100];
    const { rest, asked } = fakeRest(async (_, count) => {
      await clock.advance(trips[count - 1]!);
      return { serverTime: 1_000_000 + Math.round(clock.now() - trips[count - 1]! / 2) };
    });
    await setClock({ rest, clock, exchangeClock }, new AbortController().signal);
    expect(asked).toEqual([timeRequest, timeRequest, timeRequest]);
    expect(exchangeClock.uncertaintyMs).toBe(10);
    expect(exchangeClock.now()).toBe(1_000_000 + clock.now());
  });

  test('of an exchange that is slow to answer one reading is enough, for somebody waits', async () => {
    const clock = new FakeClock();
    const exchangeClock = new ExchangeClock(clock, 1);
    const { rest, asked } = fakeRest(async () => {
      await clock.advance(3_000);
      return { serverTime: SERVER };
    });
    await setClock({ rest, clock, exchangeClock }, new AbortController().signal);
    expect(asked).toEqual([timeRequest]);
    expect(exchangeClock.uncertaintyMs).toBe(1_500);
  });

  test.each([
    ['the first', 1],
    ['the second', 2],
    ['the third', 3],
  ])('one wrong answer of several, %s, is outvoted', async (_, wrong) => {
    const clock = new FakeClock();
    const exchangeClock = new ExchangeClock(clock, 1);
    const { rest } = fakeRest((_, asked) => ({ serverTime: SERVER + (asked === wrong ? HOUR : 0) }));
    await setClock({ rest, clock, exchangeClock }, new AbortController().signal);
    expect(exchangeClock.now()).toBe(SERVER);
  });

  test('an exchange that contradicts itself each time has no time to go by, and may be asked again', async () => {
    const clock = new FakeClock();
    const { rest } = fakeRest((_, asked) => ({ serverTime: SERVER + asked * HOUR }));
    const setting = setClock(
      { rest, clock, exchangeClock: new ExchangeClock(clock, 1) },
      new AbortController().signal,
    );
    await expect(setting).rejects.toMatchObject({ code: 'TIME_CONTRADICTORY', retryable: true });
  });
});

describe("while it runs, the exchange's time", () => {
  test('is read every five minutes, and sooner after a failure, which is said', async () => {
    const keeper = keeping((asked) => {
      if (asked === 2) throw new Error('down');
      return SERVER + keeper.clock.now();
    });
    await keeper.clock.advance(1_000_000);
    expect(keeper.times).toEqual([300_000, 600_000, 615_000, 915_000]);
    expect(keeper.lines).toMatchObject([{ level: 'warn', fields: { reason: 'down' } }]);
    keeper.actor.stop();
    await settle();
    expect(keeper.clock.pending).toBe(0);
    await keeper.clock.advance(1_000_000);
    expect(keeper.times).toHaveLength(4);
    expect(keeper.lines).toHaveLength(1);
  });

  test.each([
    ['eight hours of sleep, for which the monotonic clock stood still', 8 * HOUR, 8 * HOUR],
    ['a local calendar that is set back by an hour', -HOUR, 0],
    ['a local calendar that is set 90 s ahead', 90_000, 0],
  ])('is read at once after %s, and that is reported', async (_, calendarMs, asleepMs) => {
    const keeper = keeping();
    await keeper.clock.advance(10_000);
    keeper.clock.jumpedMs += calendarMs;
    keeper.offset.ms += asleepMs;
    await keeper.clock.advance(1_000);
    expect(keeper.actor.types()).toEqual(['TIME.JUMPED']);
    expect(keeper.exchangeClock.now()).toBe(keeper.exchangeNow());
    await keeper.clock.advance(60_000);
    expect(keeper.actor.types()).toEqual(['TIME.JUMPED']);
  });

  test('is read at once when the process stood still', async () => {
    const keeper = keeping();
    await keeper.clock.advance(10_000);
    keeper.clock.freeze(30_000);
    await keeper.clock.advance(1_000);
    expect(keeper.actor.types()).toEqual(['TIME.JUMPED']);
    expect(String(keeper.actor.heard[0]?.['reason'])).toMatch(/stood still for \d+ ms/u);
    expect(keeper.times).toHaveLength(1);
  });

  test('is waited for: an answer that is long in coming is no process that stood still', async () => {
    const keeper = keeping(async () => {
      await sleep(keeper.clock, 30_000, new AbortController().signal);
      return keeper.exchangeNow();
    });
    await keeper.clock.advance(400_000);
    expect(keeper.times).toEqual([300_000]);
    expect(keeper.actor.types()).toEqual([]);
  });

  test('is read once more when the process stood still while it was read', async () => {
    const keeper = keeping(async (asked) => {
      if (asked === 1) await sleep(keeper.clock, 30_000, new AbortController().signal);
      return keeper.exchangeNow();
    });
    await keeper.clock.advance(310_000);
    keeper.clock.freeze(10_000);
    await keeper.clock.advance(60_000);
    expect(keeper.actor.types()).toEqual(['TIME.JUMPED']);
    expect(keeper.times).toHaveLength(2);
  });

  test('is not changed by one wrong answer, which two right ones outvote', async () => {
    const keeper = keeping((asked) => SERVER + keeper.clock.now() + (asked === 1 ? HOUR : 0));
    await keeper.clock.advance(301_000);
    expect(keeper.times).toEqual([300_000, 300_000]);
    expect(keeper.exchangeClock.now()).toBe(keeper.exchangeNow());
  });
});
