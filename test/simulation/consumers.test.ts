/** The reader of a simulated world hears of what an iterator keeps back, and of nothing else. */
import { expect, test } from 'vitest';
import type { BinanceDataCollector, Candle } from '../../src/index.ts';
import { Violations } from './check/violations.ts';
import { Consumers } from './consumers.ts';
import { Life } from './world/life.ts';
import { WorldClock } from './world/world-clock.ts';

const bar = (minute: number) =>
  ({ symbol: 'BTCUSDT', interval: '1m', openTime: minute * 60_000 }) as unknown as Candle;

/** A collector whose every run gives out those bars and ends when it is let. */
function rig() {
  const world = new WorldClock(0);
  const violations = new Violations(() => world.now());
  const told = { candles: new Map<string, number[]>(), read: () => {} };
  const runs: Iterable<Candle>[] = [];
  const collector = {
    on: () => () => {},
    async *candles() {
      yield* runs.shift() ?? [];
    },
  };
  const consumers = new Consumers({
    collector: collector as unknown as BinanceDataCollector,
    world,
    life: new Life(world),
    told: () => told as never,
    violations,
  });
  const tell = (...minutes: number[]) =>
    told.candles.set(
      'BTCUSDT@1m',
      minutes.map((minute) => minute * 60_000),
    );
  return { world, consumers, runs, tell };
}

test('who is busy over a stop and the next start is not missed by the run that it has never read', async () => {
  const { world, consumers, runs, tell } = rig();
  runs.push([bar(1), bar(2)], [bar(3)]);
  consumers.suffer({ kind: 'stall', forMs: 5_000 });
  consumers.begin();
  await world.run(1_000);
  consumers.begin();
  await world.run(60_000);
  tell(3);
  expect(consumers.missed()).toBeUndefined();
  tell(3, 4);
  expect(consumers.missed()).toContain('its last bar was told and not read');
});

test('who is busy for long is not missed for a shorter matter that comes up meanwhile', async () => {
  const { world, consumers, runs } = rig();
  runs.push([bar(1), bar(2)]);
  consumers.suffer({ kind: 'stall', forMs: 60_000 });
  consumers.begin();
  await world.run(1_000);
  consumers.suffer({ kind: 'stall', forMs: 2_000 });
  await world.run(10_000);
  expect(consumers.missed()).toBeUndefined();
});

test('who has left one run reads the next', async () => {
  const { world, consumers, runs, tell } = rig();
  runs.push([bar(1), bar(2)], [bar(3)]);
  consumers.begin();
  consumers.suffer({ kind: 'leave' });
  await world.run(1_000);
  tell(1, 2);
  expect(consumers.missed()).toBeUndefined();
  consumers.begin();
  await world.run(2_000);
  tell(3, 4);
  expect(consumers.missed()).toContain('its last bar was told and not read');
});
