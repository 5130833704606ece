/** Simulated time: what happens in which order, and what a process sees of it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Life } from './life.ts';
import { WorldClock } from './world-clock.ts';

const EPOCH = Date.UTC(2026, 2, 1);

function scene() {
  const world = new WorldClock(EPOCH);
  const life = new Life(world);
  const told: string[] = [];
  const tell = (what: string) => (): void => void told.push(`${what} ${world.now()} ${life.now()}`);
  return { world, life, told, tell };
}

describe('the clock of a world', () => {
  test('stands still for who waits for the next turn of the loop', async () => {
    const { world, told, tell } = scene();
    world.setTimeout(
      () =>
        void Promise.resolve()
          .then(() => nextTurn())
          .then(tell('a turn later')),
      10,
    );
    world.setTimeout(tell('seconds later'), 6_000);
    await world.run(10_000);
    expect(told).toEqual(['a turn later 10 10', 'seconds later 6000 6000']);
  });

  test('lets things happen in the order of their time, and of two at once the one that was asked for first', async () => {
    const { world, told, tell } = scene();
    for (const [name, ms] of [
      ['c', 30],
      ['a', 10],
      ['b', 10],
      ['d', 5_000],
      ['z', 0],
    ] as const)
      world.setTimeout(tell(name), ms);
    await world.run(1_000);
    expect(told).toEqual(['z 0 0', 'a 10 10', 'b 10 10', 'c 30 30']);
    expect([world.now(), world.wallNow(), world.pending, world.nextAt]).toEqual([
      1_000,
      EPOCH + 1_000,
      1,
      5_000,
    ]);
  });

  test('does not let happen what was called off', async () => {
    const { world, told, tell } = scene();
    const [first, second] = [world.setTimeout(tell('first'), 10), world.setTimeout(tell('second'), 20)];
    world.setTimeout(() => world.clearTimeout(second), 15);
    world.clearTimeout(first);
    world.clearTimeout(first);
    await world.run(100);
    expect([told, world.pending]).toEqual([[], 0]);
  });

  test('lets every promise settle before the next thing happens', async () => {
    const { world, told, tell } = scene();
    world.setTimeout(async () => {
      for (let turn = 0; turn < 100; turn++) await undefined;
      tell('settled')();
    }, 10);
    world.setTimeout(tell('next'), 10.5);
    await world.run(20);
    expect(told).toEqual(['settled 10 10', 'next 10.5 10.5']);
  });

  test('stops where it is when somebody has seen enough, and passes on what is thrown', async () => {
    const { world, told, tell } = scene();
    for (let ms = 1; ms <= 9; ms++) world.setTimeout(tell('step'), ms);
    await world.run(100, () => told.length < 3);
    expect([told.length, world.now()]).toEqual([3, 3]);
    world.setTimeout(() => {
      throw new Error('broken');
    }, 0);
    await expect(world.run(100)).rejects.toThrow('broken');
  });
});

describe('a life', () => {
  test('T01 that stands still comes to everything afterwards, in order, and its clock has gone on', async () => {
    const { world, life, told, tell } = scene();
    life.setTimeout(tell('timer'), 10);
    life.setTimeout(tell('later'), 200);
    world.setTimeout(() => life.deliver(tell('frame')), 20);
    life.freeze(100);
    life.freeze(50);
    await world.run(60);
    expect([told, life.isStill]).toEqual([[], true]);
    await world.run(300);
    expect(told).toEqual(['timer 100 100', 'frame 100 100', 'later 200 200']);
    expect(life.isStill).toBe(false);
  });

  test('T02 that sleeps does not see that time, and its timers wait for what was left of them', async () => {
    const { world, life, told, tell } = scene();
    life.setTimeout(tell('soon'), 10);
    life.setTimeout(tell('timer'), 130);
    world.setTimeout(() => life.sleep(1_000), 30);
    world.setTimeout(() => life.deliver(tell('frame')), 500);
    await world.run(2_000);
    expect(told).toEqual(['soon 10 10', 'frame 1030 30', 'timer 1130 130']);
    expect(life.wallNow()).toBe(EPOCH + 2_000);
  });

  test('keeps a timer that was due when it fell asleep', async () => {
    const { world, life, told, tell } = scene();
    world.setTimeout(() => life.sleep(100), 10);
    life.setTimeout(tell('same moment'), 10);
    life.freeze(20);
    life.setTimeout(tell('held'), 5);
    await world.run(200);
    expect(told).toEqual(['held 110 10', 'same moment 110 10']);
  });

  test('T03 sees the calendar jump, and nothing else', async () => {
    const { world, life, told, tell } = scene();
    life.stepWall(-3_600_000);
    life.setTimeout(tell('timer'), 10);
    await world.run(20);
    expect([life.wallNow(), told]).toEqual([EPOCH + 20 - 3_600_000, ['timer 10 10']]);
  });

  test('T06 has late timers', async () => {
    const { world, life, told, tell } = scene();
    life.setLateness(50);
    life.setTimeout(tell('timer'), 10);
    await world.run(100);
    expect(told).toEqual(['timer 60 60']);
  });

  test('that was killed does nothing any more, and nothing reaches it', async () => {
    const { world, life, told, tell } = scene();
    life.setTimeout(tell('timer'), 10);
    life.freeze(5);
    life.deliver(tell('held'));
    life.kill();
    life.setTimeout(tell('after'), 1);
    life.deliver(tell('frame'));
    await world.run(100);
    expect([told, life.timers, life.isDead, world.pending]).toEqual([[], 0, true, 0]);
  });

  test('has timers of whole milliseconds, one at least, so that time goes on', async () => {
    const { world, life, told, tell } = scene();
    life.setTimeout(tell('at once'), 0);
    life.setTimeout(tell('less than can be told'), 1e-9);
    life.setTimeout(tell('and a half'), 2.5);
    await world.run(10);
    expect(told).toEqual(['at once 1 1', 'less than can be told 1 1', 'and a half 2 2']);
  });

  test('calls off its timers', async () => {
    const { world, life, told, tell } = scene();
    const timer = life.setTimeout(tell('timer'), 10);
    life.clearTimeout(timer);
    life.clearTimeout(timer);
    life.clearTimeout(undefined);
    await world.run(100);
    expect([told, life.timers]).toEqual([[], 0]);
  });
});
