import { describe, expect, test } from 'vitest';
import { MAX_TIMER_MS, sleep, systemClock } from '../../src/transport/clock.ts';
import { within } from '../support/wait.ts';
import { FakeClock, settle } from './fake-clock.ts';

describe('sleep', () => {
  test('ends when its time is over, and not before', async () => {
    const clock = new FakeClock();
    let isOver = false;
    void sleep(clock, 1_000).then(() => {
      isOver = true;
    });
    await clock.advance(999);
    expect(isOver).toBe(false);
    await clock.advance(1);
    expect(isOver).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('T04 longer than a timer can be is slept in pieces', async () => {
    const clock = new FakeClock();
    const days = 90 * 86_400_000;
    let isOver = false;
    void sleep(clock, days).then(() => {
      isOver = true;
    });
    await clock.advance(days - 1);
    expect(isOver).toBe(false);
    await clock.advance(1);
    expect(isOver).toBe(true);
    expect(Math.max(...clock.delays)).toBeLessThanOrEqual(MAX_TIMER_MS);
    expect(clock.delays.length).toBe(4);
  });

  test('is ended by its signal, with the reason, and leaves no timer', async () => {
    const clock = new FakeClock();
    const over = new AbortController();
    const sleeping = sleep(clock, 1_000, over.signal);
    over.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    expect(clock.pending).toBe(0);
  });

  test('does not begin when its signal is aborted already', async () => {
    const clock = new FakeClock();
    await expect(sleep(clock, 1_000, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
    expect(clock.delays).toEqual([]);
  });

  test.each([0, -5])('of %i ms is over at once', async (ms) => {
    await within('sleep', sleep(new FakeClock(), ms), 500);
  });

  test('T06 whose every timer comes five seconds late is over five seconds late, however many pieces it has', async () => {
    const clock = new FakeClock();
    const lateMs = 5_000;
    const late = {
      ...bound(clock),
      setTimeout: (wake: () => void, ms: number) => clock.setTimeout(wake, ms + lateMs),
    };
    const days = 90 * 86_400_000;
    let isOver = false;
    void sleep(late, days).then(() => {
      isOver = true;
    });
    await clock.advance(days + lateMs - 1);
    expect(isOver).toBe(false);
    await clock.advance(1);
    expect(isOver).toBe(true);
    expect(clock.delays.length).toBe(4);
  });

  test('that a timer woke too early goes on', async () => {
    const clock = new FakeClock();
    const early = {
      ...bound(clock),
      setTimeout: (wake: () => void, ms: number) => clock.setTimeout(wake, ms / 2),
    };
    let isOver = false;
    void sleep(early, 1_000).then(() => {
      isOver = true;
    });
    await clock.advance(900);
    expect(isOver).toBe(false);
    await clock.advance(100);
    await settle();
    expect(isOver).toBe(true);
  });
});

const bound = (clock: FakeClock) => ({
  now: () => clock.now(),
  wallNow: () => clock.wallNow(),
  clearTimeout: (timer: unknown) => clock.clearTimeout(timer),
});

describe("the machine's clock", () => {
  test('T04 never fires a long timer at once', async () => {
    let hasFired = false;
    const timer = systemClock.setTimeout(() => {
      hasFired = true;
    }, 2 ** 40);
    await new Promise((resolve) => systemClock.setTimeout(() => resolve(undefined), 5));
    systemClock.clearTimeout(timer);
    expect(hasFired).toBe(false);
  });
});
