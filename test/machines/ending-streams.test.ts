import { expect, test } from 'vitest';
import { type AnyActorRef, createActor, createMachine, fromCallback, fromPromise } from 'xstate';
import { endingStreams } from '../../machines/ending-streams.ts';

test('the streams of a feed are stopped together before it hears CLOSE, with what they do; others are not', () => {
  const open = new Set<string>();
  const holds = (name: string) =>
    fromCallback(() => {
      open.add(name);
      return () => open.delete(name);
    });
  const called: AbortSignal[] = [];
  const stream = createMachine({
    invoke: [
      { src: holds('edges') },
      {
        src: fromPromise(({ signal }) => {
          called.push(signal);
          return new Promise(() => {});
        }),
      },
    ],
    after: { 10: {} },
  });
  const heard: string[] = [];
  const machine = createMachine({
    invoke: [
      { id: 'one', src: 'klineStream' },
      { id: 'two', src: 'klineStream' },
      { id: 'socket', src: 'socket' },
    ],
    on: {
      OTHER: {},
      CLOSE: { actions: () => void heard.push('CLOSE') },
      'xstate.done.actor.*': { actions: () => void heard.push('done') },
    },
  }).provide({ actors: { klineStream: stream, socket: holds('socket') } } as never);
  const actor = createActor(endingStreams(machine)).start();
  const { one, two } = actor.getSnapshot().children as Record<string, AnyActorRef | undefined>;
  actor.send({ type: 'OTHER' });
  expect([...open]).toEqual(['edges', 'socket']);
  actor.send({ type: 'CLOSE' });
  expect([one, two].map((child) => child?.getSnapshot().status)).toEqual(['stopped', 'stopped']);
  expect(Object.keys(actor.getSnapshot().children)).toEqual(['socket']);
  expect([...open]).toEqual(['socket']);
  expect(called.map(({ aborted }) => aborted)).toEqual([true, true]);
  expect(heard).toEqual(['CLOSE']);
  // Twice is once.
  actor.send({ type: 'CLOSE' });
  actor.stop();
  expect([...open]).toEqual([]);
});
