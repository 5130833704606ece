/** How long a bar has been owed, and how long a series has been silent, by the looks through all cursors. */
import { describe, expect, test } from 'vitest';
import { streamRig } from '../faults/stream-rig.ts';
import { at, BTC, bar, frame, rig } from './candles.ts';

const down = (): never => {
  throw Object.assign(new Error('HTTP 503'), { retryable: true });
};

describe('the time that a bar is owed', () => {
  test('counts from when it was, not from its end, and ends when it comes', async () => {
    let answer: (() => never) | undefined = down;
    const one = streamRig({
      startAt: at(0) + 30_000,
      answer: (_request, _now, usual) => (answer === undefined ? usual() : answer()),
    });
    const cursor = one.pipeline.cursor(BTC)!;
    one.tell('FEED.UP');
    one.take(at(0), { closed: false });
    await one.clock.advance(34_900);
    expect(cursor.owedMs(one.clock.now())).toBe(0);
    await one.clock.advance(60_100);
    // Owed 5 s after its end, and found by one of four looks a second.
    expect(cursor.owedMs(one.clock.now())).toBeGreaterThanOrEqual(59_500);
    expect(cursor.owedMs(one.clock.now())).toBeLessThanOrEqual(60_000);
    answer = undefined;
    await one.clock.advance(31_000);
    expect(one.candles().map(({ openTime }) => openTime)).toContain(at(0));
    expect(cursor.owedMs(one.clock.now())).toBeLessThan(1_000);
    one.stop();
  });

  test('starts anew with each bar that a repair brings, however long the repair', () => {
    const { pipeline, time, cursor } = rig();
    cursor.onEdge = () => {};
    cursor.heardSince = 0;
    pipeline.take(frame(at(0), { closed: false }), 1);
    time.exchange = at(100);
    for (let bars = 0; bars < 50; bars++) {
      pipeline.scan();
      time.monotonic += 40_000;
      pipeline.scan();
      expect(cursor.owedMs(time.monotonic)).toBe(40_000);
      pipeline.fill(cursor, [bar(at(bars), 'rest')], at(100), time.exchange);
      expect(cursor.owedMs(time.monotonic)).toBe(0);
    }
  });

  test('does not count while nobody heard of it: over a stop', () => {
    const { pipeline, time, cursor } = rig();
    cursor.onEdge = () => {};
    cursor.heardSince = 0;
    pipeline.take(frame(at(0), { closed: false }), 1);
    time.exchange = at(100);
    pipeline.scan();
    time.monotonic = 5_000;
    expect(cursor.owedMs(time.monotonic)).toBe(5_000);
    time.monotonic = 3_600_000;
    cursor.heardSince = 3_599_000;
    pipeline.scan();
    expect(cursor.owedMs(time.monotonic)).toBe(1_000);
  });
});

describe('the time in a queue of history', () => {
  /** A bar is owed since 0, and its series waits in a queue; it is 100 s later. */
  function waiting() {
    const { pipeline, time, cursor } = rig();
    const queue = { movedAt: Number.NEGATIVE_INFINITY };
    cursor.onEdge = () => {};
    cursor.heardSince = 0;
    pipeline.take(frame(at(0), { closed: false }), 1);
    time.exchange = at(100);
    pipeline.scan();
    cursor.owing.waitsIn = queue;
    return { cursor, queue, now: 100_000 };
  }

  test('does not count while bars of others come, and counts when none does', () => {
    const { cursor, queue, now } = waiting();
    expect(cursor.owedMs(now)).toBe(now);
    queue.movedAt = now - 10;
    expect(cursor.owedMs(now)).toBe(10);
    expect(cursor.owedMs(now + 60_000)).toBe(60_010);
  });

  test('does not count after its turn either, but only once', () => {
    const { cursor, queue, now } = waiting();
    queue.movedAt = now;
    cursor.owing.leaveQueue(cursor.due);
    expect(cursor.owedMs(now + 1_000)).toBe(1_000);
    cursor.owing.waitsIn = queue;
    queue.movedAt = now + 70_000;
    cursor.owing.leaveQueue(cursor.due);
    expect(cursor.owedMs(now + 70_000)).toBe(70_000);
  });

  test('counts when its turn was in vain', () => {
    const { cursor, queue, now } = waiting();
    queue.movedAt = now;
    cursor.owing.unansweredSince = now;
    expect(cursor.owedMs(now)).toBe(now);
    cursor.owing.leaveQueue(cursor.due);
    expect(cursor.owedMs(now)).toBe(now);
  });
});

describe('the forming bar of a cursor', () => {
  test('is the newest frame, until it closes or another way has closed it', () => {
    const { pipeline, time, cursor } = rig();
    expect(cursor.forming).toBeUndefined();
    pipeline.take(frame(at(0), { closed: false }), 1);
    expect(cursor.forming).toMatchObject({ openTime: at(0) });
    time.exchange = at(1) + 100;
    pipeline.take(frame(at(0)), 1);
    expect(cursor.forming).toBeUndefined();
    pipeline.take(frame(at(1), { closed: false }), 1);
    expect(cursor.forming).toMatchObject({ openTime: at(1) });
    time.exchange = at(3);
    pipeline.fill(cursor, [bar(at(1), 'rest')], at(2), time.exchange);
    expect(cursor.forming).toBeUndefined();
  });
});
