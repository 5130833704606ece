import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExchangeClock } from '../../src/transport/exchange-clock.ts';
import { FakeClock } from './fake-clock.ts';

const SERVER = 1_700_000_000_000;
const MINUTE = 60_000;

describe('the exchange clock', () => {
  test('knows no time before the first reading', () => {
    const clock = new ExchangeClock(new FakeClock(), 1);
    expect(clock.now()).toBeNaN();
    expect(clock.earliestAt(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(clock.uncertaintyMs).toBe(Number.POSITIVE_INFINITY);
  });

  test('takes the answer as made in the middle of the round trip', async () => {
    const local = new FakeClock();
    const clock = new ExchangeClock(local, 1);
    clock.set(SERVER, -100, 100);
    expect(clock.now()).toBe(SERVER);
    expect(clock.uncertaintyMs).toBe(100);
    expect(clock.earliestAt(100)).toBe(SERVER);
    await local.advance(5_000);
    expect(clock.now()).toBe(SERVER + 5_000);
  });

  test('proves no more than the stamps of streams allow, for as long as they come', async () => {
    const local = new FakeClock();
    const clock = new ExchangeClock(local, 2);
    clock.set(SERVER + 90_000, 0, 0);
    expect(clock.provenAt(0)).toBe(SERVER + 90_000);
    clock.stamped(SERVER, local.now());
    expect(clock.provenAt(0)).toBe(SERVER);
    await local.advance(10_000);
    expect(clock.provenAt(10_000)).toBe(SERVER + 20_000);
    expect(clock.provenAt(10_001)).toBe(SERVER + 90_000 + 20_002);
    clock.stamped(SERVER + 500_000, local.now());
    expect(clock.provenAt(10_000)).toBe(SERVER + 90_000 + 20_000);
  });

  test('knows when any stamp came, also one that lags', async () => {
    const local = new FakeClock();
    const clock = new ExchangeClock(local, 60);
    expect(clock.sinceStampMs).toBeUndefined();
    clock.stamped(SERVER, local.now());
    await local.advance(700);
    expect(clock.sinceStampMs).toBe(700);
    clock.stamped(SERVER - 5_000, local.now());
    expect(clock.sinceStampMs).toBe(0);
  });

  test('runs as fast as it is told', () => {
    const clock = new ExchangeClock(new FakeClock(), 60);
    clock.set(SERVER, 0, 0);
    expect(clock.at(1_000)).toBe(SERVER + MINUTE);
    clock.set(SERVER, 0, 0);
    expect(clock.earliestAt(1_000)).toBe(SERVER + MINUTE);
  });

  test('keeps the reading with the shortest round trip', () => {
    const clock = new ExchangeClock(new FakeClock(), 1);
    clock.set(SERVER, 0, 20);
    clock.set(SERVER + 1_000 + 30, 1_000, 1_100);
    expect(clock.uncertaintyMs).toBe(10);
    expect(clock.at(10)).toBe(SERVER);
    clock.set(SERVER + 2_000 - 8, 2_000, 2_002);
    expect(clock.uncertaintyMs).toBe(1);
  });

  test('replaces it by a worse one when it has grown old', () => {
    const clock = new ExchangeClock(new FakeClock(), 1);
    clock.set(SERVER, 0, 20);
    clock.set(SERVER + 15 * MINUTE, 15 * MINUTE - 50, 15 * MINUTE + 20);
    expect(clock.uncertaintyMs).toBe(10);
    clock.set(SERVER + 15 * MINUTE, 15 * MINUTE - 50, 15 * MINUTE + 21);
    expect(clock.uncertaintyMs).toBe(35.5);
  });

  test('believes a second reading that the one in use contradicts, as after the machine slept', () => {
    for (const jump of [3_600_000, -3_600_000]) {
      const clock = new ExchangeClock(new FakeClock(), 1);
      clock.set(SERVER, 0, 10);
      expect(clock.set(SERVER + MINUTE + jump, MINUTE, MINUTE + 200)).toBe(false);
      expect(clock.at(MINUTE)).toBeCloseTo(SERVER + MINUTE, -2);
      expect(clock.set(SERVER + MINUTE + 200 + jump, MINUTE + 200, MINUTE + 400)).toBe(true);
      expect(clock.at(MINUTE + 300)).toBe(SERVER + MINUTE + 200 + jump);
    }
  });

  test('forgets a contradiction that the next reading does not share', () => {
    const clock = new ExchangeClock(new FakeClock(), 1);
    clock.set(SERVER, 0, 10);
    expect(clock.set(SERVER + 3_600_000, 100, 110)).toBe(false);
    expect(clock.set(SERVER + 200, 200, 210)).toBe(true);
    expect(clock.set(SERVER + 3_600_200, 300, 310)).toBe(false);
    expect(clock.at(300)).toBeCloseTo(SERVER + 295, -1);
  });

  test('never claims a time that the exchange had not reached, and errs by half a round trip at most', () => {
    const reading = fc.record({
      gap: fc.integer({ min: 0, max: 20 * MINUTE }),
      rtt: fc.double({ min: 0, max: 5_000, noNaN: true }),
      /** Where in the round trip the server looked at its clock. */
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.array(reading, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(1, 0.5, 10, 60, 3_600),
        fc.integer({ min: 0, max: 30 * MINUTE }),
        (readings, timeScale, later) => {
          const truth = (instant: number): number => SERVER + instant * timeScale;
          const clock = new ExchangeClock(new FakeClock(), timeScale);
          let at = 0;
          for (const { gap, rtt, share } of readings) {
            const sentAt = at + gap;
            at = sentAt + rtt;
            clock.set(Math.floor(truth(sentAt + share * rtt)), sentAt, at);
            for (const instant of [at, at + later]) {
              expect(clock.earliestAt(instant)).toBeLessThanOrEqual(truth(instant) + 1e-3);
              expect(Math.abs(clock.at(instant) - truth(instant))).toBeLessThanOrEqual(
                clock.uncertaintyMs + 1.001,
              );
            }
          }
        },
      ),
    );
  });
});
