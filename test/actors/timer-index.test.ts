/** XState's own scheduler, with an index beside it: `docs/decisions/0008-timers-of-actors.md`. */
import { describe, expect, test, vi } from 'vitest';
import {
  type AnyActor,
  type AnyActorRef,
  createActor,
  createMachine,
  raise,
  sendParent,
  stopChild,
} from 'xstate';
import { indexTimers } from '../../src/actors/timer-index.ts';
import { FakeClock } from '../transport/fake-clock.ts';

const COUNT = 20;

/** Waits by a delay of its chart, and for two events with and without a name. */
const waiting = createMachine({
  initial: 'first',
  entry: [
    raise({ type: 'NAMELESS' }, { delay: 700 }),
    sendParent({ type: 'HEARD' }, { delay: 800, id: 'heard' }),
  ],
  states: { first: { after: { 1000: 'second' } }, second: { after: { 1000: 'first' } } },
  on: { AGAIN: { target: '.first', reenter: true } },
});
/** The same by the delay alone. */
const patient = createMachine({
  initial: 'first',
  states: { first: { after: { 1000: 'second' } }, second: { after: { 1000: 'first' } } },
});

function tree(child: typeof waiting | typeof patient, ids: readonly string[], clock = new FakeClock()) {
  const parent = createMachine({
    initial: 'on',
    after: { 60000: {} },
    states: { on: { invoke: ids.map((id) => ({ src: child, id })), on: { OFF: 'off' } }, off: {} },
    on: { HEARD: {}, LEAVE: { actions: stopChild('a') } },
  });
  return { root: createActor(parent, { clock: clock as never }) as AnyActor, clock };
}
const many = Array.from({ length: COUNT }, (_, index) => `child-${index}`);
type Timers = Record<string, { readonly source: AnyActorRef }>;
const internals = (root: AnyActor) =>
  root.system as unknown as { _snapshot: { _scheduledEvents: Timers }; scheduler: Record<string, unknown> };
/** Ids of the actors that have timers. */
const waits = (root: AnyActor): string[] =>
  Object.values(internals(root)._snapshot._scheduledEvents).map(({ source }) => source.id);
const childOf = (root: AnyActor, id: string): AnyActor =>
  (root.getSnapshot() as { children: Record<string, AnyActor> }).children[id] as AnyActor;

/** How often the stop of all children looks through the timers of the whole system. */
function walks(root: AnyActor): number {
  let seen = 0;
  const inner = internals(root)._snapshot;
  inner._scheduledEvents = new Proxy(inner._scheduledEvents, {
    ownKeys: (timers) => {
      seen += 1;
      return Reflect.ownKeys(timers);
    },
  });
  root.send({ type: 'OFF' });
  return seen;
}

describe('the timers of actors', () => {
  test('are found by the actor in the XState that is installed: nobody looks through those of all', () => {
    const { root } = tree(patient, many);
    expect(indexTimers(root)).toBe(true);
    root.start();
    expect(walks(root)).toBe(0);
    expect(waits(root)).toEqual([root.id]);
  });

  test('are looked through for each actor without the index, which is what it is for', () => {
    const { root } = tree(patient, many);
    root.start();
    expect(walks(root)).toBe(COUNT);
  });

  test('go off as before, are armed again, and are cancelled with their actor', async () => {
    const { root, clock } = tree(waiting, ['a', 'b']);
    indexTimers(root);
    root.start();
    const a = childOf(root, 'a');
    await clock.advance(1_000);
    expect(a.getSnapshot().value).toBe('second');
    a.send({ type: 'AGAIN' });
    await clock.advance(999);
    expect(a.getSnapshot().value).toBe('first');
    root.send({ type: 'OFF' });
    expect(waits(root)).toEqual([root.id]);
    await clock.advance(5_000);
    expect(a.getSnapshot()).toMatchObject({ status: 'stopped', value: 'first' });
    root.stop();
    expect(waits(root)).toEqual([]);
  });

  test('without a name of their own are cancelled with their actor too', () => {
    const { root } = tree(waiting, ['a', 'b']);
    indexTimers(root);
    root.start();
    expect(waits(root)).toHaveLength(1 + 2 * 3);
    root.send({ type: 'OFF' });
    expect(waits(root)).toEqual([root.id]);
  });

  test('of one actor leave those of another alone', async () => {
    const { root, clock } = tree(patient, ['a', 'b']);
    indexTimers(root);
    root.start();
    const [a, b] = [childOf(root, 'a'), childOf(root, 'b')];
    root.send({ type: 'LEAVE' });
    expect(waits(root).sort()).toEqual(['b', root.id].sort());
    await clock.advance(1_000);
    expect([a, b].map((child) => child.getSnapshot().value)).toEqual(['first', 'second']);
  });

  test.each(['schedule', 'cancel', 'cancelAll'])('are left to XState where it has no %s', (name) => {
    const { root } = tree(patient, many);
    const before = { ...internals(root).scheduler, [name]: undefined };
    Object.assign(internals(root).scheduler, before);
    expect(indexTimers(root)).toBe(false);
    expect(internals(root).scheduler).toEqual(before);
  });

  test('are left to an XState that arms them by another way, and are cancelled there', async () => {
    const xstate = await import('xstate');
    vi.resetModules();
    vi.doMock('xstate', () => ({
      ...xstate,
      createActor: (...args: Parameters<typeof createActor>) => {
        const actor = xstate.createActor(...args);
        const { scheduler } = internals(actor as AnyActor);
        // Whatever is put there, the system goes on to use its own.
        const { schedule } = scheduler;
        Object.defineProperty(scheduler, 'schedule', { get: () => schedule, set: () => {} });
        return actor;
      },
    }));
    const { indexTimers: another } = await import('../../src/actors/timer-index.ts');
    vi.doUnmock('xstate');
    const { root } = tree(patient, many);
    expect(another(root)).toBe(false);
    root.start();
    root.send({ type: 'OFF' });
    expect(waits(root)).toEqual([root.id]);
  });

  test('are left to XState where it has no scheduler at all', () => {
    expect(indexTimers({ system: {} })).toBe(false);
  });
});
