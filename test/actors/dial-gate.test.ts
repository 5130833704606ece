import { describe, expect, test } from 'vitest';
import { DialGate, dialGate, permitActor } from '../../src/actors/dial-gate.ts';
import { FakeClock, settle } from '../transport/fake-clock.ts';
import { run } from './harness.ts';

const never = new AbortController().signal;
const free = (): number => 0;

/** A gate, and when each of its dials was let go. */
function rig(dialWaitMs = free) {
  const clock = new FakeClock();
  const gate = new DialGate(clock);
  const passed: { who: number; at: number }[] = [];
  let callers = 0;
  const dial = (signal = never): Promise<void> => {
    const who = callers++;
    return gate.pass(dialWaitMs, signal).then(() => void passed.push({ who, at: clock.now() }));
  };
  return { clock, gate, passed, dial };
}

describe('the dials of a process', () => {
  test('are let go four at once, then two a second, in the order in which they came', async () => {
    const one = rig();
    for (let n = 0; n < 10; n++) void one.dial();
    await settle();
    expect(one.passed).toHaveLength(4);
    await one.clock.advance(60_000);
    expect(one.passed.map(({ who }) => who)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const gaps = one.passed.slice(4).map(({ at }, n) => at - one.passed[n + 3]!.at);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(500);
    expect(one.passed.at(-1)!.at).toBeLessThan(3_500);
  });

  test('are never more than 300 in five minutes, however many are wanted', async () => {
    const one = rig();
    for (let n = 0; n < 800; n++) void one.dial();
    await one.clock.advance(1_200_000);
    expect(one.passed).toHaveLength(800);
    for (const { at } of one.passed)
      expect(
        one.passed.filter((other) => other.at >= at && other.at < at + 300_000).length,
      ).toBeLessThanOrEqual(300);
  });

  test('wait for the end of a ban, however long and however often it is prolonged, and then go on', async () => {
    const clock = { until: 30 * 86_400_000 };
    const one = rig(() => Math.max(0, clock.until - one.clock.now()));
    void one.dial();
    void one.dial();
    await one.clock.advance(86_400_000);
    clock.until += 5_000;
    await one.clock.advance(clock.until - one.clock.now() - 1);
    expect(one.passed).toEqual([]);
    await one.clock.advance(1);
    expect(one.passed).toHaveLength(2);
    expect(one.clock.pending).toBe(0);
  });

  test('that are given up make room for the next, and leave no timer', async () => {
    const one = rig();
    for (let n = 0; n < 4; n++) void one.dial();
    const mine = new AbortController();
    const mineDial = one.dial(mine.signal);
    void one.dial();
    mine.abort(new Error('closed'));
    await expect(mineDial).rejects.toThrow('closed');
    await one.clock.advance(1_100);
    expect(one.passed.map(({ who }) => who)).toEqual([0, 1, 2, 3, 5]);
    expect(one.clock.pending).toBe(0);
    await expect(one.dial(AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  });

  test('that wait are bounded', async () => {
    const one = rig();
    for (let n = 0; n < 1_004; n++) void one.dial();
    await settle();
    await expect(one.dial()).rejects.toMatchObject({ code: 'DIAL_QUEUE_FULL', retryable: true });
  });

  test('share one gate by clock and host, which lasts for as long as it matters', async () => {
    const clock = new FakeClock();
    const gate = dialGate(clock, 'ws://a.test:1/x');
    expect(dialGate(clock, 'ws://a.test:1/y')).toBe(gate);
    expect(dialGate(new FakeClock(), 'ws://a.test:1/')).not.toBe(gate);
    await gate.pass(free, never);
    expect(dialGate(clock, 'ws://b.test/')).not.toBe(gate);
    expect(dialGate(clock, 'ws://a.test:1')).toBe(gate);
    await clock.advance(10_000);
    dialGate(clock, 'ws://b.test/');
    expect(dialGate(clock, 'ws://a.test:1')).not.toBe(gate);
  });
});

describe('a permit', () => {
  const ports = (clock: FakeClock, wsUrl: () => string) => ({ clock, wsUrl, dialWaitMs: free });

  test('comes when it is time', async () => {
    const clock = new FakeClock();
    const logic = permitActor(ports(clock, () => 'ws://a.test'));
    await Promise.all([1, 2, 3, 4].map(() => run(logic, { id: 'feed0.a' })));
    const fifth = run(logic, { id: 'feed0.a' });
    await clock.advance(1_100);
    await fifth;
  });

  test('is refused when there is no address yet', async () => {
    const logic = permitActor(
      ports(new FakeClock(), () => {
        throw new Error('not running');
      }),
    );
    await expect(run(logic, { id: 'feed0.a' })).rejects.toThrow('not running');
  });
});
