import { expect, test } from 'vitest';
import { createActor, createMachine, fromCallback } from 'xstate';
import { closeOnFault } from '../../machines/close-on-fault.ts';

/** A machine with a child, one of whose actions throws; `open` is what the child holds. */
function faulty(): { machine: ReturnType<typeof createMachine>; open: Set<string> } {
  const open = new Set<string>();
  const child = fromCallback(() => {
    open.add('socket');
    return () => open.delete('socket');
  });
  const bang = (): never => {
    throw new Error('bang');
  };
  const machine = createMachine({
    invoke: { id: 'child', src: child, onError: {} },
    on: { GOOD: { actions: () => {} }, BAD: { guard: bang } },
  });
  return { machine, open };
}

test('A02 a machine whose guard throws lets go of its children, and the error goes its way', () => {
  const { machine, open } = faulty();
  const errors: unknown[] = [];
  const actor = createActor(closeOnFault(machine));
  actor.subscribe({ error: (error) => errors.push(error) });
  actor.start().send({ type: 'GOOD' });
  expect([...open]).toEqual(['socket']);
  actor.send({ type: 'BAD' });
  expect(actor.getSnapshot().status).toBe('error');
  expect(String(errors[0])).toContain('bang');
  expect([...open]).toEqual([]);
});

test('children that have gone already are no reason for another fault', () => {
  const { machine, open } = faulty();
  const actor = createActor(closeOnFault(machine));
  const errors: unknown[] = [];
  actor.subscribe({ error: (error) => errors.push(error) });
  actor.start();
  Object.assign(actor.getSnapshot().children, { gone: undefined });
  actor.send({ type: 'BAD' });
  expect([errors.map(String), [...open]]).toEqual([[expect.stringContaining('bang')], []]);
});
