/** What the hosted viewer gets: everything there is, as far as anybody may see it, at the pace that it reads. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type AnyActorRef, assign, createActor, createMachine } from 'xstate';
import { statelyViewer } from '../../src/inspector/stately/viewer.ts';
import { until } from '../support/wait.ts';

const CANARY = 'canary-8c1f';

/** A lamp for each name, and one switch for all of them. */
function lamps(count: number): AnyActorRef {
  const lamp = createMachine({
    id: 'lamp',
    context: { apiKey: CANARY, times: 0 },
    initial: 'dark',
    states: {
      dark: {
        on: { SWITCH: { target: 'lit', actions: assign({ times: ({ context }) => context.times + 1 }) } },
      },
      lit: { on: { SWITCH: 'dark' } },
    },
  });
  const room = createMachine({
    id: 'room',
    context: ({ spawn }) => ({
      lamps: Array.from({ length: count }, (_, number) => spawn(lamp, { id: `lamp${number}` })),
    }),
    on: {
      SWITCH: {
        actions: ({ context, event }) => {
          for (const one of context.lamps as AnyActorRef[]) one.send(event);
        },
      },
    },
  });
  return createActor(room).start();
}

interface Told {
  readonly type: string;
  readonly sessionId: string;
  readonly name?: string;
  readonly definition?: string;
  readonly parentId?: string;
  readonly rootId: string;
  readonly _version: string;
  readonly snapshot: { status: string; value?: unknown; context?: unknown };
  readonly event?: object;
}

/** A viewer of these systems behind a server on loopback, and who connects to it. */
async function show(...roots: AnyActorRef[]) {
  const viewer = await statelyViewer({ roots });
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => viewer.attach(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    viewer.close();
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  const connect = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    const told: Told[] = [];
    socket.on('message', (data) => told.push(JSON.parse(String(data))));
    await once(socket, 'open');
    return { socket, told, registered: () => told.filter(({ type }) => type === '@xstate.actor') };
  };
  return { viewer, sockets, connect };
}

test('whoever comes is told of all actors, each behind its parent, with name, chart and state', async () => {
  const room = lamps(3);
  room.send({ type: 'SWITCH' });
  const { connect } = await show(room);
  const { registered } = await connect();
  await until('all are there', () => registered().length === 4);

  expect(registered().map(({ name }) => name)).toEqual(
    ['x:0', 'lamp0', 'lamp1', 'lamp2'].map((name) =>
      expect.stringMatching(name === 'x:0' ? /^x:\d+$/ : name),
    ),
  );
  const [root, lamp] = registered();
  expect(lamp).toMatchObject({
    parentId: root?.sessionId,
    rootId: root?.sessionId,
    snapshot: { status: 'active', value: 'lit' },
  });
  expect(JSON.parse(lamp?.definition ?? '')).toMatchObject({ id: 'lamp', states: { dark: {}, lit: {} } });
  expect(lamp?._version).toMatch(/^\d/);
});

test('an actor that the package can make nothing of is left out, and the others are told of', async () => {
  const meta = {
    toJSON() {
      throw new Error('not for the wire');
    },
  };
  const odd = createActor(createMachine({ id: 'odd', meta, on: { SWITCH: {} } })).start();
  const room = lamps(1);
  const { connect } = await show(odd, room);
  const { told, registered } = await connect();
  await until('the others are there', () => registered().length === 2);
  odd.send({ type: 'SWITCH' });
  room.send({ type: 'SWITCH' });
  await until('the lamp is lit', () => told.some(({ snapshot }) => snapshot?.value === 'lit'));
  expect(registered().map(({ name }) => name)).toContain('lamp0');
});

test('a root that is given twice is told of once', async () => {
  const room = lamps(1);
  const { connect } = await show(room, room);
  const { told, registered } = await connect();
  await until('all are there', () => registered().length === 2);
  told.length = 0;
  room.send({ type: 'SWITCH' });
  await until('it is lit', () => told.some(({ snapshot }) => snapshot?.value === 'lit'));
  expect(told.filter(({ snapshot }) => snapshot?.value === 'lit')).toHaveLength(1);
});

test('what they do follows: states with the event that led there, and events by their type alone', async () => {
  const room = lamps(2);
  const { connect } = await show(room);
  const { told, registered } = await connect();
  await until('all are there', () => registered().length === 3);
  told.length = 0;
  room.send({ type: 'SWITCH', token: CANARY });

  await until('both are lit', () => told.filter(({ snapshot }) => snapshot?.value === 'lit').length === 2);
  expect(told.filter(({ type }) => type === '@xstate.event').map(({ event }) => event)).toContainEqual({
    type: 'SWITCH',
  });
  expect(told.find(({ snapshot }) => snapshot?.value === 'lit')).toMatchObject({ event: { type: 'SWITCH' } });
});

test('X01: neither contexts nor what events carry leave the process', async () => {
  const room = lamps(2);
  const { connect } = await show(room);
  const { told, registered } = await connect();
  await until('all are there', () => registered().length === 3);
  room.send({ type: 'SWITCH', token: CANARY });
  await until('both are lit', () => told.filter(({ snapshot }) => snapshot?.value === 'lit').length === 2);
  expect(JSON.stringify(told)).not.toContain(CANARY);
});

test('actors of two systems are never taken for each other', async () => {
  const { connect } = await show(lamps(1), lamps(1));
  const { registered } = await connect();
  await until('all are there', () => registered().length === 4);
  expect(new Set(registered().map(({ sessionId }) => sessionId)).size).toBe(4);
  expect(new Set(registered().map(({ rootId }) => rootId)).size).toBe(2);
});

test('ten thousand actors are all registered', async () => {
  const { connect } = await show(lamps(10_000));
  const { registered } = await connect();
  await until('all are there', () => registered().length === 10_001);
});

const child = (room: AnyActorRef, name: string): AnyActorRef => room.getSnapshot().children[name];

test('B09: what a viewer did not read in time is left out, and how everything stands is told instead', async () => {
  const room = lamps(3);
  const { connect } = await show(room);
  const { told, registered } = await connect();
  await until('all are there', () => registered().length === 4);
  child(room, 'lamp0').send({ type: 'SWITCH' });
  for (let round = 0; round < 30_001; round++) child(room, 'lamp1').send({ type: 'SWITCH' });
  child(room, 'lamp2').send({ type: 'SWITCH' });
  const last = (number: number): unknown => {
    const { sessionId } = registered().find(({ name }) => name === `lamp${number}`) ?? {};
    return told.findLast((one) => one.sessionId === sessionId && one.snapshot !== undefined)?.snapshot.value;
  };
  await until('the last one is lit', () => last(2) === 'lit');
  expect([last(0), last(1)]).toEqual(['lit', 'lit']);
  expect(told.length).toBeLessThan(20_000);
});

test('B09: a viewer that never reads holds a megabyte, and no more', async () => {
  const room = lamps(10);
  const { connect, sockets } = await show(room);
  const { socket } = await connect();
  socket.pause();
  const [held] = sockets.clients;
  const flood = async (isEnough: () => boolean): Promise<void> => {
    while (!isEnough()) {
      room.send({ type: 'SWITCH' });
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await flood(() => (held?.bufferedAmount ?? 0) > 1_000_000);
  let rounds = 0;
  await flood(() => rounds++ === 1_000);
  expect(held?.bufferedAmount).toBeLessThan(1_500_000);
});

test('nobody listens to the actors while no viewer is there', async () => {
  const room = lamps(1);
  const inspect = vi.spyOn(room.system, 'inspect');
  const { connect, sockets } = await show(room);
  expect(inspect).not.toHaveBeenCalled();
  const first = await connect();
  await until('it is attached', () => inspect.mock.calls.length === 1);
  const unsubscribe = vi.spyOn(inspect.mock.results[0]?.value, 'unsubscribe');
  first.socket.terminate();
  await until('it has gone', () => sockets.clients.size === 0);
  expect(unsubscribe).toHaveBeenCalledOnce();
});

test('without its package it says what to install', async () => {
  const load = () => Promise.reject(new Error("Cannot find package '@statelyai/inspect'"));
  await expect(statelyViewer({ roots: [], load })).rejects.toMatchObject({
    name: 'CandlestateError',
    code: 'VIEWER_MISSING',
    message: expect.stringContaining('npm install @statelyai/inspect'),
  });
});
