/** What an observer sees of actors that work, whenever it came, and what it never does to them. */
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type AnyActorLogic,
  type AnyActorRef,
  assign,
  createActor,
  createMachine,
  fromPromise,
  sendTo,
  spawnChild,
  stopChild,
} from 'xstate';
import { Observer } from '../../src/inspector/observe/observer.ts';
import type { ActorRow } from '../../src/inspector/protocol.ts';
import { FakeClock } from '../transport/fake-clock.ts';
import { type Crowd, crowd } from './crowd.ts';

function watching(...roots: AnyActorRef[]): Observer {
  const observer = new Observer({ clock: new FakeClock(), roots });
  observer.attach();
  onTestFinished(() => observer.detach());
  return observer;
}

async function observed(options: Parameters<typeof crowd>[0] = {}): Promise<[Crowd, Observer]> {
  const made = await crowd(options);
  onTestFinished(() => made.stop());
  const observer = watching(made.actor);
  observer.takeChanges();
  return [made, observer];
}

const named = (rows: Iterable<ActorRow>, name: string): ActorRow | undefined =>
  [...rows].find((row) => row.name === name);
const seen = (observer: Observer, name: string): ActorRow => named(observer.rows(), name)!;

/** A parent that makes and stops a child of any kind. */
function family(child: AnyActorLogic): AnyActorRef {
  const machine = createMachine({
    id: 'parent',
    on: {
      MAKE: { actions: spawnChild(child, { id: 'kid' }) },
      TELL: { actions: sendTo('kid', ({ event }) => (event as unknown as { say: { type: string } }).say) },
      STOP: { actions: stopChild('kid') },
      FLASH: {
        actions: [spawnChild(child, { id: 'kid' }), stopChild('kid')],
      },
      'xstate.error.actor.*': {},
    },
  });
  const parent = createActor(machine);
  parent.subscribe({ error: () => {} });
  return parent.start();
}

const kid = createMachine({
  id: 'kid',
  initial: 'young',
  states: {
    young: { on: { GROW: 'old', FAIL: { actions: 'throwUp' }, END: 'over' } },
    old: {},
    over: { type: 'final' },
  },
}).provide({
  actions: {
    throwUp: () => {
      throw new Error('sick');
    },
  },
});

describe('whoever comes late', () => {
  test('sees the whole tree, parents before children, with values and series', async () => {
    const { actor } = await crowd({ streams: 4, streamsPerFeed: 2 });
    const rows = [...watching(actor).rows()];
    const at = new Map(rows.map((row, index) => [row.id, index]));
    for (const [index, { parent }] of rows.entries()) expect(at.get(parent ?? '') ?? -1).toBeLessThan(index);
    expect(rows[0]).toEqual({
      id: expect.stringMatching(/^0\/x:\d+$/),
      name: 'collector',
      machine: 'collector',
      status: 'active',
      value: { streaming: 'full' },
      steps: 0,
    });
    expect(named(rows, 'stream.ETHUSDT@5m')).toMatchObject({
      parent: named(rows, 'feed1')!.id,
      machine: 'klineStream',
      value: { open: { proof: 'live', series: 'whole' } },
      series: 'ETHUSDT@5m',
    });
    const socket = named(rows, 'socket')!;
    expect(socket).toEqual({
      id: socket.id,
      parent: named(rows, 'feed0.a')!.id,
      name: 'socket',
      status: 'active',
      steps: 0,
    });
  });

  test('may come before the start, or to an actor that is over', () => {
    const early = createActor(kid);
    const observer = watching(early);
    early.start();
    early.send({ type: 'GROW' });
    expect([...observer.rows()]).toMatchObject([{ name: 'kid', value: 'old', steps: 1 }]);
    early.stop();
    expect([...watching(early).rows()]).toMatchObject([{ status: 'stopped', value: 'old' }]);
  });

  test('finds the actor of a row', async () => {
    const [made, observer] = await observed();
    expect(observer.find(seen(observer, 'feed0').id)).toBe(made.actor.getSnapshot().children['feed0']);
    expect(observer.find('0/x:999999')).toBeUndefined();
  });
});

describe('a transition', () => {
  test('is told with its event, its reason, the edge of the chart and where it led, once', async () => {
    const [made, observer] = await observed();
    made.drop('feed0.a', 'closed by the peer: 1006');
    const { actors, recent } = observer.takeChanges();
    const edges = ['connection.attached|SOCKET.CLOSED|0'];
    const step = { event: 'SOCKET.CLOSED', reason: 'closed by the peer: 1006', edges };
    expect(named(actors, 'feed0.a')).toMatchObject({ value: { waiting: 'resting' }, steps: 1, last: step });
    expect(recent[0]).toMatchObject({
      ...step,
      name: 'feed0.a',
      machine: 'connection',
      value: { waiting: 'resting' },
      at: 1_700_000_000_000,
    });
    expect(recent.map(({ seq }) => seq)).toEqual(recent.map((_, index) => recent[0]!.seq + index));
    expect(observer.takeChanges()).toEqual({ actors: [], gone: [], recent: [] });
    expect(observer.recent()).toEqual(recent);
  });

  test('that needs no event is told as always, with the event before it', async () => {
    const [made, observer] = await observed();
    made.drop();
    const steps = observer.takeChanges().recent.filter((step) => step.name === 'collector');
    expect(steps.map((step) => [step.event, ...step.edges, step.value])).toEqual([
      ['FEED.DOWN', 'collector|FEED.DOWN|0', { streaming: 'full' }],
      ['FEED.DOWN', 'collector.streaming.full|always|0', { streaming: 'partial' }],
      ['FEED.DOWN', 'collector.streaming|always|0', { connecting: 'polling' }],
    ]);
  });

  test('is none where an event finds nothing to do', async () => {
    const [made, observer] = await observed();
    made.tell(made.series[0]!, { type: 'CURSOR.QUIET' });
    made.actor.send({ type: 'START' });
    // The forbidden one is an edge of the chart, and is taken.
    expect(observer.takeChanges().recent.map((step) => step.edges)).toEqual([
      ['klineStream.open.proof.live|CURSOR.QUIET|0'],
    ]);
  });

  test.each([
    [{ type: 'GO', reason: 'said so' }, 'said so'],
    [{ type: 'GO', reason: { text: 'an object' } }, undefined],
    [{ type: 'GO', error: new Error('https://u:pw@host failed') }, 'https://***@host failed'],
    [{ type: 'GO', error: 'a text' }, 'a text'],
    [{ type: 'GO', end: { code: 1006 } }, 'code 1006'],
    [{ type: 'GO', reason: `listenKey=canary ${'x'.repeat(300)}` }, `listenKey=*** ${'x'.repeat(186)}…`],
    [{ type: 'GO', payload: 'whatever it carries' }, undefined],
  ])('gives its reason, cut and masked, and nothing else of %o', (event, reason) => {
    const actor = createActor(createMachine({ on: { '*': { actions: () => {} } } })).start();
    const observer = watching(actor);
    actor.send(event);
    const [step] = observer.takeChanges().recent;
    expect(Object.keys(step!).sort()).toEqual(
      [
        'seq',
        'at',
        'event',
        'edges',
        'actor',
        'name',
        'machine',
        'value',
        ...(reason === undefined ? [] : ['reason']),
      ].sort(),
    );
    expect(step!.reason).toBe(reason);
  });

  test('by the thousand leaves the last hundred and fifty, and those of other charts', async () => {
    const [made, observer] = await observed({ streams: 50 });
    made.drop('feed0.a', 'rare');
    observer.takeChanges();
    expect(made.storm(10)).toBe(1_000);
    const { actors, recent } = observer.takeChanges();
    expect(recent).toHaveLength(150);
    expect(recent.at(-1)!.seq - recent[0]!.seq).toBe(149);
    const all = observer.recent();
    expect(all.slice(-150)).toEqual(recent);
    expect(all.find(({ name }) => name === 'feed0.a')).toMatchObject({ reason: 'rare' });
    expect(all.map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq).toSorted((a, b) => a - b));
    expect(named(actors, 'stream.BTCUSDT@1m')).toMatchObject({ steps: 20 });
  });
});

test('the steps of a hundred charts have a bound', () => {
  const actors = Array.from({ length: 100 }, (_, number) =>
    createActor(createMachine({ id: `chart${number}`, on: { GO: { actions: () => {} } } })).start(),
  );
  const observer = watching(...actors);
  for (const actor of actors) for (let time = 0; time < 40; time++) actor.send({ type: 'GO' });
  const steps = observer.recent();
  // Fifteen have their own list, the others share one.
  expect(steps).toHaveLength(15 * 40 + 150);
  expect(steps.at(-1)).toMatchObject({ machine: 'chart99', seq: 3_999 });
  expect(observer.takeChanges().recent).toEqual(steps);
});

test('one that waits for its time tells when that is, on the wall', () => {
  const waits = createMachine({ id: 'waits', on: { GO: { actions: () => {} } } });
  const rowWith = (context: object): ActorRow => {
    const actor = createActor(waits.provide({}), {
      snapshot: waits.resolveState({ value: {}, context }) as never,
    }).start();
    return [...watching(actor).rows()][0]!;
  };
  expect(rowWith({ dueAt: 5_000, now: () => 2_000 }).dueAt).toBe(1_700_000_003_000);
  const broken = (): never => {
    throw new Error('no clock');
  };
  for (const context of [{ dueAt: 5_000, now: () => 6_000 }, { dueAt: 5_000 }, { dueAt: 5_000, now: broken }])
    expect(rowWith(context)).not.toHaveProperty('dueAt');
});

describe('an actor that ends', () => {
  test.each([
    ['STOP', 'stopped', undefined],
    ['TELL', 'done', { type: 'END' }],
    ['TELL', 'error', { type: 'FAIL' }],
  ])('by %s is told as %s', (type, status, say) => {
    const parent = family(kid);
    const observer = watching(parent);
    parent.send({ type: 'MAKE' });
    expect(seen(observer, 'kid')).toMatchObject({ status: 'active', value: 'young' });
    observer.takeChanges();
    parent.send({ type, say });
    expect(named(observer.takeChanges().actors, 'kid')).toMatchObject({ status });
  });

  test('by its own fault is told of, also when it is the root', () => {
    const actor = createActor(kid);
    actor.subscribe({ error: () => {} });
    const observer = watching(actor.start());
    observer.takeChanges();
    actor.send({ type: 'FAIL' });
    expect(observer.takeChanges().actors).toMatchObject([{ name: 'kid', status: 'error', value: 'young' }]);
  });

  test('before it began was never there', () => {
    const parent = family(kid);
    const observer = watching(parent);
    parent.send({ type: 'FLASH' });
    expect([...observer.rows()].map((row) => row.name)).toEqual(['parent']);
  });

  test('is kept among the last two hundred, then gone; what was never told of is never told to be gone', () => {
    const parent = family(kid);
    const observer = watching(parent);
    parent.send({ type: 'MAKE' });
    const first = observer.takeChanges().actors.find((row) => row.name === 'kid')!;
    const again = (times: number): void => {
      for (let time = 0; time < times; time++) {
        parent.send({ type: 'STOP' });
        parent.send({ type: 'MAKE' });
      }
    };
    again(200);
    expect(observer.find(first.id)).toBeDefined();
    again(300);
    expect(observer.find(first.id)).toBeUndefined();
    const { actors, gone } = observer.takeChanges();
    expect(gone).toEqual([first.id]);
    // The parent, the two hundred, the one that lives.
    expect([actors.length, [...observer.rows()].length]).toEqual([202, 202]);
  });

  test('and had no chart is gone at once: commits do not push out what is worth a look', async () => {
    const parent = family(fromPromise(async () => 1));
    const observer = watching(parent);
    parent.send({ type: 'MAKE' });
    const { id } = seen(observer, 'kid');
    await new Promise((resolve) => setImmediate(resolve));
    expect(observer.takeChanges()).toMatchObject({ gone: [id] });
    expect(observer.find(id)).toBeUndefined();
  });
});

describe('series', () => {
  test('are counted by their state as the changes are taken', async () => {
    const [made, observer] = await observed({ streams: 5 });
    expect(observer.streams()).toEqual({ live: 5 });
    const [a, b, c, d] = made.series;
    await made.silence(a!, 'mute');
    await made.silence(b!, 'quiet');
    made.hole(c!);
    expect(observer.streams()).toEqual({ live: 5 });
    observer.takeChanges();
    expect(observer.streams()).toEqual({ live: 2, mute: 1, quiet: 1, repairing: 1 });
    await made.repaired(c!);
    made.tell(d!, { type: 'CURSOR.ENDED' });
    observer.takeChanges();
    expect(observer.streams()).toEqual({ live: 2, mute: 1, quiet: 1 });
    made.drop();
    observer.takeChanges();
    expect(observer.streams()).toEqual({ awaiting: 4 });
    await made.stop();
    observer.takeChanges();
    expect(observer.streams()).toEqual({});
  });

  test('that end by the hundred, more than are kept, are counted no more', async () => {
    const [made, observer] = await observed({ streams: 300 });
    expect(observer.streams()).toEqual({ live: 300 });
    await made.stop();
    expect(observer.takeChanges().gone.length).toBeGreaterThan(100);
    expect(observer.streams()).toEqual({});
  });

  test('are told as the collector itself tells them', async () => {
    const [made, observer] = await observed({ streams: 3 });
    await made.silence(made.series[1]!, 'mute');
    observer.takeChanges();
    expect(observer.streams()).toEqual(made.collector.health().streams);
  });
});

test('actors are counted by chart and state, regions in one text', async () => {
  const [made, observer] = await observed({ streams: 5 });
  made.hole(made.series[0]!);
  const counts = observer.countByState();
  expect(counts.get('klineStream')).toEqual(
    new Map([
      ['open(proof.live carriers.one series.repairing.fetching)', 1],
      ['open(proof.live carriers.one series.whole)', 4],
    ]),
  );
  expect(counts.get('collector')).toEqual(new Map([['streaming.full', 1]]));
  await made.stop();
  expect(observer.countByState()).toEqual(new Map());
});

test('two systems are told apart, and one given twice is seen once', () => {
  const [one, other] = [createActor(kid).start(), createActor(kid).start()];
  const rows = [...watching(one, other, one).rows()];
  expect(rows.map((row) => row.id.split('/')[0])).toEqual(['0', '1']);
});

test('an observer that has gone hears nothing and holds nobody', async () => {
  const [made, observer] = await observed();
  observer.detach();
  made.storm();
  expect([...observer.rows()]).toEqual([]);
  expect(observer.takeChanges()).toEqual({ actors: [], gone: [], recent: [] });
  expect(observer.streams()).toEqual({});
  observer.attach();
  expect(seen(observer, 'feed0')).toBeDefined();
});

test('A02 whatever an event holds, XState never hears of a fault of the observer', () => {
  const machine = createMachine({ context: { n: 0 }, on: { GO: { actions: assign({ n: 1 }) } } });
  const actor = createActor(machine).start();
  const observer = watching(actor);
  const nasty = Object.defineProperty({ type: 'GO' }, 'reason', {
    get: () => {
      throw new Error('from a getter');
    },
  });
  actor.send(nasty as { type: 'GO' });
  expect(actor.getSnapshot().context).toEqual({ n: 1 });
  actor.send({ type: 'GO' });
  expect(observer.takeChanges().recent).toHaveLength(1);
});
