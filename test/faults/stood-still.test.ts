/** Processes that stand still and machines that sleep, at their true length, on simulated time: whole collectors, nothing real. */
import { describe, expect, test } from 'vitest';
import { expectWhole, ofSeries } from '../support/collector.ts';
import { MINUTE, simulated } from './simulated.ts';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
const HOUR = 60 * MINUTE;
const JUMPED = 'the clock jumped, or the machine slept';

describe.each([
  ['T01 an event loop that stands still for 30 s', 'freeze', 30_000],
  ['T02 a machine that sleeps for eight hours, its monotonic clock too,', 'sleep', 8 * HOUR],
] as const)('%s', (_title, kind, ms) => {
  test.each([
    // Nobody says so to the process: its socket stays open and silent.
    ['its way to the exchange gone', true],
    ['the way as it was', false],
  ])('and has %s believes nothing that is old, and has all in the end', async (_, isGone) => {
    const { world, exchange, network, begin, until, within, stored, gaps } = simulated({ symbols: SYMBOLS });
    const { life, collector, candles, log } = begin();
    await until('bars', () => candles.length > 2 * SYMBOLS.length);
    // In the middle of a minute, with nothing under way.
    await world.run(world.now() + MINUTE - ((exchange.now() + 20_000) % MINUTE));
    if (isGone) network.blackhole('all');
    const stoodAt = world.now();
    life[kind](ms);
    await world.run(stoodAt + ms);
    const [wokenAt, before] = [exchange.now(), candles.length];
    expect(exchange.now() - stoodAt).toBeGreaterThanOrEqual(ms);
    if (isGone) {
      // A pong that does not come says it: five seconds, and a moment to ask.
      await until('it doubts', () => !collector.isConnected, 7_000);
      expect(log.lines.some(({ message }) => message.includes(JUMPED))).toBe(true);
    }
    // No series is said to be live that lacks a bar whose close is long over.
    let lies = 0;
    await world.run(world.now() + 2 * MINUTE, () => {
      const { series } = collector.status();
      for (const { state, last } of series)
        if (
          state === 'live' &&
          exchange.now() - wokenAt > 15_000 &&
          exchange.now() - last!.closeTime > 1.5 * MINUTE
        )
          lies += 1;
      return true;
    });
    expect(lies).toBe(0);
    await until('bars of later', () =>
      SYMBOLS.every((symbol) =>
        candles.some((one) => one.symbol === symbol && one.openTime > wokenAt + MINUTE),
      ),
    );
    expect(collector.isConnected).toBe(true);
    expect(collector.status().series.map(({ state }) => state)).toEqual(['live', 'live']);
    expect(candles.length - before).toBeGreaterThanOrEqual(SYMBOLS.length * Math.floor(ms / MINUTE));
    expect(await within('its end', collector.stop())).toMatchObject({ clean: true });
    expectWhole(stored(), exchange, SYMBOLS, 3 + Math.floor(ms / MINUTE));
    for (const symbol of SYMBOLS) expect(ofSeries(candles, symbol)).toEqual(ofSeries(stored(), symbol));
    expect(gaps()).toEqual([]);
  });
});
