/** Group L of the fault matrix: one life after the other. The other rows are shown where their parts are tested. */
import { expect, onTestFinished, test } from 'vitest';
import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import { Crowd } from '../inspector/crowd.ts';
import { FakeClock } from '../transport/fake-clock.ts';

/** How many actors live below. */
function living(actor: AnyActorRef): number {
  const { children = {} } = actor.getSnapshot() as AnyMachineSnapshot;
  return Object.values<AnyActorRef | undefined>(children)
    .filter((child) => child?.getSnapshot().status === 'active')
    .reduce((sum, child) => sum + 1 + living(child as AnyActorRef), 0);
}

test('L05 a hundred lives of all charts in simulated time: each begins afresh and leaves neither actor nor timer', async () => {
  const clock = new FakeClock();
  const made = new Crowd({ streams: 20, clock });
  onTestFinished(() => made.stop());
  const { actor } = made;
  const stand = () => ({
    state: actor.getSnapshot().value,
    actors: living(actor),
    timers: clock.pending,
    scheduled: Object.keys(actor.system.getSnapshot()._scheduledEvents).length,
  });
  const lives: ReturnType<typeof stand>[][] = [];
  for (let life = 0; life < 100; life++) {
    await made.start();
    const streaming = stand();
    actor.send({ type: 'STOP', reason: 'asked' });
    await clock.advance(5_000);
    lives.push([streaming, stand()]);
  }
  expect(lives).toEqual(lives.map(() => lives[0]));
  expect(lives[0]).toMatchObject([
    { state: { streaming: 'full' } },
    { state: 'stopped', actors: 0, timers: 0, scheduled: 0 },
  ]);
});
