/** Group A of the fault matrix: what XState leaves to whoever uses it. */
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import { Observer } from '../../src/inspector/observe/observer.ts';
import { startInspector } from '../../src/inspector/start.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { blanked, filesBelow, lineOf, read } from '../architecture/source.ts';
import { Crowd } from '../inspector/crowd.ts';
import { readExposition, sampled } from '../inspector/exposition.ts';
import { collectFrom, newStore, query, startExchange } from '../support/collector.ts';
import { until } from '../support/wait.ts';
import { FakeClock } from '../transport/fake-clock.ts';

async function crowd(streams: number): Promise<Crowd> {
  // No timer goes off while it is looked at, however slow the machine.
  const made = new Crowd({ streams, clock: new FakeClock() });
  onTestFinished(() => made.stop());
  await made.start();
  return made;
}

function watching(actor: AnyActorRef): Observer {
  const observer = new Observer({ clock: systemClock, roots: [actor] });
  observer.attach();
  onTestFinished(() => observer.detach());
  return observer;
}

describe('an event for an actor that has ended', () => {
  test('A04 is dropped, counted and told by /metrics', async () => {
    const made = await crowd(4);
    const { actor, collector } = made;
    await using inspector = await startInspector(collector, { port: 0 });
    const late = async (): Promise<number | undefined> => {
      const text = await (await fetch(new URL('/metrics', inspector.url))).text();
      return sampled(readExposition(text), 'candlestate_late_events_total');
    };
    expect(await late()).toBe(0);
    const feed = (actor.getSnapshot() as AnyMachineSnapshot).children['feed0'] as AnyActorRef;
    await made.stop();
    const before = feed.getSnapshot();
    for (let count = 0; count < 3; count++) feed.send({ type: 'CLOSE', withinMs: 1_000 });
    expect(feed.getSnapshot()).toBe(before);
    await expect.poll(late).toBe(3);
  });

  test('A04 is sent by nobody in a whole life: start, drops, stop, and all of it again', async () => {
    const exchange = await startExchange();
    const { collector, candles } = collectFrom(exchange, { store: newStore() });
    const observer = watching(collector.actor);
    for (let life = 0; life < 2; life++) {
      await collector.startStreaming();
      exchange.inject({ kind: 'drop' });
      const count = candles.length;
      await until('candles', () => candles.length > count + 4);
      await collector.stop();
    }
    expect(observer.takeChanges().recent.length).toBeGreaterThan(20);
    expect(observer.lateEvents()).toBe(0);
  });
});

describe('an observer', () => {
  /** Each actor by its name, with where it stands. */
  const stand = (actor: AnyActorRef): unknown => {
    const { status, value, children = {} } = actor.getSnapshot() as AnyMachineSnapshot;
    const below = Object.entries<AnyActorRef | undefined>(children);
    return { status, value, children: below.map(([id, child]) => [id, child && stand(child)]) };
  };

  /** The same life, whoever looks; µs of the processor that a transition took in the best of five storms. */
  async function live(made: Crowd): Promise<{ course: unknown[]; perStepUs: number }> {
    const course: unknown[] = [];
    let perStepUs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round++) {
      const before = process.cpuUsage();
      const steps = made.storm(20);
      const { user, system } = process.cpuUsage(before);
      perStepUs = Math.min(perStepUs, (user + system) / steps);
      course.push(stand(made.actor));
      made.drop();
      course.push(stand(made.actor));
      made.hole(made.series[round]!);
      await made.open();
      course.push(stand(made.actor));
    }
    return { course, perStepUs };
  }

  test('A06 changes nothing of what actors do, and costs each transition some microseconds', async () => {
    const [alone, watched] = [await crowd(20), await crowd(20)];
    const observer = watching(watched.actor);
    const [one, other] = [await live(alone), await live(watched)];
    expect(other.course).toEqual(one.course);
    expect(observer.recent().length).toBeGreaterThan(100);
    // Some six more on an idle machine; one that others use as well may take several times as long.
    expect(other.perStepUs - one.perStepUs, 'µs for each transition').toBeLessThan(50);
  });
});

describe('what is kept over a restart', () => {
  test('A07 is data and never a chart: no snapshot is written, and none is given to an actor', () => {
    const paths = ['machines', 'src'].flatMap((room) => filesBelow(room, '.ts'));
    const offences = paths.flatMap((path) => {
      const source = blanked(read(path), true);
      const found = source.matchAll(/\bgetPersistedSnapshot\b|\bcreateActor\([^;]*?\bsnapshot\s*[:,}]/gu);
      return [...found].map(({ index }) => `${path}:${lineOf(source, index)}`);
    });
    expect(paths.length).toBeGreaterThan(100);
    expect(offences).toEqual([]);
  });

  test('A07 is the store alone, and in it bars, gaps and what is known of them', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const { collector, candles } = collectFrom(exchange, { store });
    await collector.startStreaming();
    await until('candles', () => candles.length > 2);
    await collector.stop();
    expect(readdirSync(dirname(store))).toEqual(['candles.db', 'candles.db.lock']);
    const tables = query(store, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
    expect(tables.map(({ name }) => name)).toEqual(['candles', 'gaps', 'meta', 'revisions', 'watermarks']);
  });
});
