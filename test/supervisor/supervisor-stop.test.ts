import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Logger } from '../../src/ports.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import { settle } from '../transport/fake-clock.ts';
import { codeOf, never, outcomes, scene, watchUncaught } from './supervisor.scene.ts';

watchUncaught();

describe('a stop', () => {
  test('ten times at once is one, with one report', async () => {
    const { supervisor, add, story, stopped } = scene();
    add('a');
    await supervisor.start();
    const stops = Array.from({ length: 10 }, (_, i) => supervisor.stop({ reason: `stop ${i}` }));
    const report = await stopped(stops[0]);
    for (const stop of [...stops, supervisor.stop(), supervisor.ended]) expect(await stop).toBe(report);
    expect(report.reason).toBe('stop 0');
    expect(story).toEqual(['+a', '-a']);
  });

  test('before the start calls nothing, and leaves it startable', async () => {
    const { supervisor, add, story } = scene();
    add('a');
    expect(outcomes(await supervisor.stop())).toEqual(['a closed']);
    expect(story).toEqual([]);
    await supervisor.start();
    expect(story).toEqual(['+a']);
  });

  test.each([
    ['a start', { start: (stop: () => unknown) => stop() }],
    ['a stop', { stop: (stop: () => unknown) => stop() }],
    ['a verification', { verify: (stop: () => unknown) => stop() }],
  ])('from inside %s is over in time, also when that waits for it', async (_, calls) => {
    const { supervisor, story, stopped } = scene();
    const stop = (): Promise<unknown> => supervisor.stop({ reason: 'from inside' });
    const component: Record<string, unknown> = { name: 'a' };
    for (const [name, call] of Object.entries(calls)) component[name] = () => call(stop);
    supervisor.register(component as never);
    const starting = codeOf(supervisor.start());
    await settle();
    const report = await stopped();
    expect(report.durationMs).toBeLessThanOrEqual(5_000);
    expect(await supervisor.stop()).toBe(report);
    await starting;
    expect(story).toEqual([]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('busy');
      },
      'busy',
    ],
    ['rejects with what is no error', () => Promise.reject('busy'), 'busy'],
    ['rejects with nothing', () => Promise.reject(), 'undefined'],
    [
      'answers with a thing that can not be awaited',
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: that is the trap
        get then() {
          throw new Error('trap');
        },
      }),
      'trap',
    ],
  ])('that %s is reported as failed, and the others are stopped', async (_, stop, error) => {
    const { supervisor, add, story, stopped } = scene();
    add('ground');
    add('top', ['ground'], { stop: stop as never });
    await supervisor.start();
    const report = await stopped();
    expect(story.at(-1)).toBe('-ground');
    const [line] = report.components;
    expect(line).toMatchObject({ name: 'top', outcome: 'failed' });
    if (error !== 'undefined') expect(line?.error).toBe(error);
    expect(report).toMatchObject({ clean: false, sound: false });
  });

  test('passes on what a component tells of its end, and nothing else', async () => {
    const { supervisor, add, stopped } = scene();
    const part = { name: 'feed', outcome: 'forced' as const, durationMs: 3 };
    add('a', [], {
      stop: () => ({ parts: [part, 7, null], lost: 3, notes: { gaps: 2, odd: {} }, password: 'secret' }),
    });
    add('b', [], { stop: () => ({ parts: 'none', lost: -1, notes: 4 }) });
    add('c', [], { stop: () => 'fine' });
    await supervisor.start();
    const { components, clean, sound } = await stopped();
    const line = { outcome: 'closed', durationMs: 0 };
    expect(components).toEqual([
      { name: 'a', ...line, parts: [part], lost: 3, notes: { gaps: 2 } },
      { name: 'b', ...line },
      { name: 'c', ...line },
    ]);
    expect([clean, sound]).toEqual([false, false]);
  });

  test('takes an error or a detail that is no text as what it says: the line in the log can be made', async () => {
    const lines: string[] = [];
    const say = (message: string): void => void lines.push(message);
    const { supervisor, add, stopped } = scene({
      logger: { debug: () => {}, info: say, warn: () => {}, error: say },
    });
    const odd = { name: 'feed', outcome: 'forced', error: new Error('deaf') };
    add('a', [], { stop: () => ({ parts: [odd, { ...odd, error: 7 }] }) });
    add('b', [], { verify: () => [{ name: 'rows', outcome: 'skipped', detail: 5 as never }] });
    await supervisor.start();
    const report = await stopped();
    expect(report.components.find(({ name }) => name === 'a')?.parts).toEqual([
      { name: 'feed', outcome: 'forced', durationMs: 0, error: 'deaf' },
      { name: 'feed', outcome: 'forced', durationMs: 0, error: '7' },
    ]);
    expect(report.sound).toBe(true);
    expect(lines.join()).toMatch(/feed forced 0 ms "deaf".*b\.rows skipped \(5\)/);
  });

  test.each([null, 7, { reason: Object.create(null) }, { timeoutMs: '5', reason: Symbol('x') }])(
    'never rejects, not even when it is called with %o',
    async (given) => {
      const { supervisor, stopped } = scene();
      await supervisor.start();
      expect(await stopped(supervisor.stop(given as never))).toMatchObject({ sound: true });
    },
  );

  test('is not clean when a part was given up, and still sound', async () => {
    const { supervisor, add, stopped } = scene();
    add('a', [], { stop: () => ({ parts: [{ name: 'socket', outcome: 'forced', durationMs: 3 }] }) });
    await supervisor.start();
    expect(await stopped()).toMatchObject({ clean: false, sound: true });
  });

  test('ignores a time that is none', async () => {
    const { supervisor, add, stopped } = scene();
    const told: number[] = [];
    add('a', [], { stop: (_, { timeoutMs }) => told.push(timeoutMs) });
    await supervisor.start();
    await stopped(supervisor.stop({ timeoutMs: Number.NaN }));
    expect(told).toEqual([4_750]);
  });

  test('comes with the end of a block, and the error that leaves it is not masked', async () => {
    const story: string[] = [];
    const run = async (): Promise<void> => {
      await using supervisor = new Supervisor({
        components: [{ name: 'a', stop: () => Promise.reject(new Error(`busy ${story.push('-a')}`)) }],
        resources: false,
      });
      await supervisor.start();
      throw new Error('mine');
    };
    await expect(run()).rejects.toThrow('mine');
    expect(story).toEqual(['-a']);
  });

  test('comes when the signal is aborted, and no start after that', async () => {
    const leave = new AbortController();
    const { supervisor, add, clock } = scene({ signal: leave.signal });
    add('a', [], { start: never });
    const starting = codeOf(supervisor.start());
    leave.abort();
    await clock.advance(5_000);
    expect((await supervisor.ended).reason).toBe('aborted');
    expect(await starting).toBe('ABORTED');
    expect(await codeOf(supervisor.start())).toBe('ABORTED');
  });

  test('lets go of a signal that outlives it', async () => {
    const { signal } = new AbortController();
    const { supervisor, stopped } = scene({ signal });
    await supervisor.start();
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await stopped();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('of the actor itself leaves a report that says so', async () => {
    const { supervisor, add } = scene();
    add('a');
    await supervisor.start();
    const ended = supervisor.ended;
    supervisor.actor.stop();
    const report = await ended;
    expect(report).toMatchObject({ clean: false, sound: false });
    expect(await supervisor.stop()).toBe(report);
    expect(await codeOf(supervisor.start())).toBe('COMPONENT_FAILED');
  });
});

describe('the final state', () => {
  test('is asked of every component that had begun, when all have ended', async () => {
    const { supervisor, story, stopped } = scene();
    const verify = (name: string) => () => {
      story.push(`?${name}`);
      return [{ name: 'whole', outcome: 'ok' as const }];
    };
    supervisor.register(
      { name: 'a', verify: verify('a'), stop: () => void story.push('-a') },
      { name: 'b', dependsOn: ['a'], verify: verify('b'), start: () => Promise.reject(new Error('no')) },
      { name: 'c', dependsOn: ['b'], verify: verify('c') },
    );
    await codeOf(supervisor.start());
    const report = await stopped();
    expect(story).toEqual(['-a', '?a', '?b']);
    expect(report.checks).toEqual([
      { name: 'a.whole', outcome: 'ok' },
      { name: 'b.whole', outcome: 'ok' },
    ]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('torn page');
      },
      'torn page',
    ],
    ['rejects', () => Promise.reject(new Error('torn page')), 'torn page'],
    ['answers with garbage', () => ({ ok: true }), 'list of checks'],
    ['answers with checks that are none', () => [{ name: 'a', outcome: 'great' }], 'list of checks'],
  ])('that %s is a check that failed', async (_, verify, told) => {
    const { supervisor, stopped } = scene();
    supervisor.register({ name: 'store', verify: verify as never });
    await supervisor.start();
    const report = await stopped();
    expect(report.checks).toEqual([
      { name: 'store', outcome: 'failed', detail: expect.stringContaining(told) },
    ]);
    expect(report).toMatchObject({ clean: false, sound: false });
  });

  test('that is not known in time is skipped, its signal aborted, and nothing is made of it', async () => {
    const { supervisor, stopped } = scene();
    const signals: AbortSignal[] = [];
    supervisor.register({ name: 'store', verify: (signal) => never(signals.push(signal)) });
    await supervisor.start();
    const report = await stopped();
    expect(report.checks).toMatchObject([{ name: 'store', outcome: 'skipped' }]);
    expect(report).toMatchObject({ clean: true, sound: true });
    expect(report.durationMs).toBeLessThanOrEqual(5_000);
    expect(signals[0]?.aborted).toBe(true);
  });
});

test('the log: components and states at debug, what went wrong at warn, the end in one line; one that throws hurts nobody', async () => {
  const lines: string[] = [];
  const level = (name: string) => (message: string) => {
    lines.push(`${name} ${message}`);
    throw new Error('the disk is full');
  };
  const logger: Logger = {
    debug: level('debug'),
    info: level('info'),
    warn: level('warn'),
    error: level('error'),
  };
  const { supervisor, add, stopped } = scene({ logger });
  add('a');
  add('b', ['a'], { deadlineMs: 10, stop: never });
  await supervisor.start();
  await stopped();
  expect(lines).toEqual([
    'debug application: idle → starting',
    'debug a started',
    'debug b started',
    'debug application: starting → running',
    'debug application: running → stopping',
    'warn b did not stop in time; given up',
    'debug a closed',
    'debug application: stopping → verifying',
    'debug application: verifying → stopped',
    'info stopped in 10 ms: asked | b forced 10 ms | a closed 0 ms | nothing checked',
  ]);
});

test('while it stops it keeps the process alive, and afterwards holds nothing', async () => {
  const supervisor = new Supervisor({ components: [{ name: 'a', stop: never }], timeoutMs: 300 });
  await supervisor.start();
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const stopping = supervisor.stop();
  await sleep(20);
  expect(timers()).toBeGreaterThan(before);
  await stopping;
  expect(timers()).toBeLessThanOrEqual(before);
});
