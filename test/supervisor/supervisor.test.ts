import { describe, expect, test } from 'vitest';
import type { CandlestateError } from '../../src/errors.ts';
import type { Component, StartContext, StopContext } from '../../src/supervisor/component.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import { settle } from '../transport/fake-clock.ts';
import { codeOf, never, outcomes, scene, watchUncaught } from './supervisor.scene.ts';

watchUncaught();

describe('order', () => {
  test('of a diamond: started from the ground up, stopped from the top down', async () => {
    const { supervisor, told, story, stopped } = scene();
    supervisor.register(
      told('top', ['left', 'right']),
      told('left', ['ground']),
      told('right', ['ground']),
      told('ground'),
    );
    await supervisor.start();
    expect(story).toEqual(['+ground', '+left', '+right', '+top']);
    const report = await stopped();
    expect(story.slice(4)).toEqual(['-top', '-left', '-right', '-ground']);
    expect(report).toMatchObject({ reason: 'asked', clean: true, sound: true, checks: [] });
    expect(outcomes(report)).toEqual(['top closed', 'left closed', 'right closed', 'ground closed']);
  });

  test('is waited for: none starts before what it needs has started, none stops before who needs it', async () => {
    const { clock, supervisor, add, story } = scene();
    const slow = (): Promise<void> => new Promise((resolve) => clock.setTimeout(resolve, 300));
    add('a', [], { start: slow });
    add('b', ['a'], { stop: slow });
    const starting = supervisor.start();
    await clock.advance(299);
    expect([supervisor.state, story]).toEqual(['starting', ['+a']]);
    await clock.advance(1);
    await starting;
    const stopping = supervisor.stop();
    await clock.advance(299);
    expect(story).toEqual(['+a', '+b', '-b']);
    await clock.advance(1);
    expect((await stopping).durationMs).toBe(300);
    expect(story).toEqual(['+a', '+b', '-b', '-a']);
  });

  test('of two hundred, ten deep, holds, and takes no time', async () => {
    const { supervisor, story } = scene();
    const tell = (sign: string, i: number) => (): void => void story.push(`${sign}${i}`);
    const components = Array.from({ length: 200 }, (_, i) => ({
      name: `c${i}`,
      dependsOn: i < 20 ? [] : [`c${i - 20}`, `c${i - 20 - (i % 20)}`],
      start: tell('+', i),
      stop: tell('-', i),
    }));
    supervisor.register(...components.reverse());
    const since = performance.now();
    await supervisor.start();
    const report = await supervisor.stop();
    expect(performance.now() - since).toBeLessThan(4_000);
    expect(report.components).toHaveLength(200);
    const at = new Map(story.map((word, i) => [word, i]));
    for (let i = 20; i < 200; i++) {
      expect(at.get(`+${i}`)).toBeGreaterThan(at.get(`+${i - 20}`)!);
      expect(at.get(`-${i}`)).toBeLessThan(at.get(`-${i - 20}`)!);
    }
  });
});

describe('deadlines', () => {
  test('independent ones stop side by side: three of a second take a second', async () => {
    const { clock, supervisor, add, stopped } = scene();
    const second = (): Promise<void> => new Promise((resolve) => clock.setTimeout(resolve, 1_000));
    for (const name of ['a', 'b', 'c']) add(name, [], { stop: second });
    await supervisor.start();
    expect((await stopped()).durationMs).toBe(1_000);
  });

  test('each has its own; one that is late is given up, told so, and holds nobody', async () => {
    const { supervisor, add, story, stopped } = scene();
    const signals: AbortSignal[] = [];
    add('ground');
    add('late', ['ground'], { deadlineMs: 2_000, stop: (signal) => never(signals.push(signal)) });
    add('quick', ['ground']);
    await supervisor.start();
    const report = await stopped();
    expect(report.components).toEqual([
      { name: 'quick', outcome: 'closed', durationMs: 0 },
      { name: 'late', outcome: 'forced', durationMs: 2_000 },
      { name: 'ground', outcome: 'closed', durationMs: 0 },
    ]);
    expect(story.at(-1)).toBe('-ground');
    expect(signals[0]?.aborted).toBe(true);
    expect(report).toMatchObject({ clean: false, sound: true, durationMs: 2_000 });
  });

  test('what one has is the smaller of its own and of what is left less the reserve', async () => {
    const { clock, supervisor, add, stopped } = scene();
    const told: Record<string, number> = {};
    const stop =
      (name: string, ms: number) =>
      (_: AbortSignal, { timeoutMs }: StopContext) => {
        told[name] = timeoutMs;
        return new Promise((resolve) => clock.setTimeout(() => resolve(undefined), ms));
      };
    add('state', [], { deadlineMs: 2_000, stop: stop('state', 0) });
    add('prices', ['state'], { stop: stop('prices', 500) });
    add('orders', ['prices'], { deadlineMs: 2_000, stop: stop('orders', 2_000) });
    await supervisor.start();
    await stopped(supervisor.stop({ timeoutMs: 4_000 }));
    expect(told).toEqual({ orders: 2_000, prices: 1_750, state: 1_250 });
  });

  test('the whole has one: a chain in which nobody answers is over in time, and each was asked', async () => {
    const { supervisor, add, story, stopped } = scene({ timeoutMs: 1_000 });
    for (let i = 0; i < 5; i++) add(`c${i}`, i === 0 ? [] : [`c${i - 1}`], { stop: never });
    await supervisor.start();
    const report = await stopped();
    expect(story.slice(5)).toEqual(['-c4', '-c3', '-c2', '-c1', '-c0']);
    expect(report.components.map(({ outcome }) => outcome)).toEqual(Array(5).fill('forced'));
    expect(report.durationMs).toBeLessThanOrEqual(1_000);
  });

  test.each([0, 20, 200, 1_000])(
    'of %i ms is kept as the caller sees it, in real time',
    async (timeoutMs) => {
      const components: Component[] = [
        { name: 'a', stop: never, verify: never },
        { name: 'b', dependsOn: ['a'], start: never, stop: never },
      ];
      const supervisor = new Supervisor({ components, resources: false });
      const starting = codeOf(supervisor.start());
      await settle();
      const since = performance.now();
      const report = await supervisor.stop({ timeoutMs });
      // A timer of Node's may be late when the machine is busy.
      expect(performance.now() - since).toBeLessThanOrEqual(timeoutMs + 50);
      expect(report.durationMs).toBeLessThanOrEqual(timeoutMs + 50);
      expect(outcomes(report)).toEqual(['b forced', 'a forced']);
      expect(await starting).toBe('STOPPED');
    },
  );

  test('what was given up may still fail or end: nobody hears of it, and the report stays', async () => {
    const { supervisor, add, stopped } = scene();
    const late = Promise.withResolvers<void>();
    const start = Promise.withResolvers<void>();
    add('a', [], { deadlineMs: 10, stop: () => late.promise });
    add('b', [], { deadlineMs: 10, start: () => start.promise, stop: never });
    const starting = codeOf(supervisor.start());
    const report = await stopped();
    const before = JSON.stringify(report);
    late.reject(new Error('too late'));
    start.reject(new Error('far too late'));
    await settle();
    expect(JSON.stringify(await supervisor.stop())).toBe(before);
    expect(await starting).toBe('STOPPED');
  });
});

describe('a start', () => {
  test('is idempotent, and all callers wait for the same', async () => {
    const { clock, supervisor, add, story } = scene();
    add('a', [], { start: () => new Promise((resolve) => clock.setTimeout(() => resolve(0), 100)) });
    const starts = [supervisor.start(), supervisor.start()];
    await clock.advance(100);
    await Promise.all([...starts, supervisor.start()]);
    expect(story).toEqual(['+a']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no such host');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no such host'))],
  ])('that %s is told when everything that had begun is stopped', async (_, start) => {
    const { supervisor, add, story } = scene();
    add('a');
    add('b', ['a'], { start });
    add('c', ['b']);
    const error = await supervisor.start().catch((thrown: CandlestateError) => thrown);
    expect(error).toMatchObject({
      code: 'COMPONENT_FAILED',
      message: 'b could not start: no such host',
      cause: expect.objectContaining({ message: 'no such host' }),
    });
    expect(supervisor.state).toBe('stopped');
    expect(story).toEqual(['+a', '+b', '-b', '-a']);
    const report = await supervisor.stop();
    expect(outcomes(report)).toEqual(['c closed', 'b failed', 'a closed']);
    expect(report).toMatchObject({ clean: false, sound: false, failure: { component: 'b' } });
  });

  test.each([undefined, null, 'text', 0, { deep: { circle: 1 } }])(
    'may fail with what is no error: %j',
    async (thrown) => {
      const { supervisor, add } = scene();
      add('a', [], { start: () => Promise.reject(thrown) });
      expect(await codeOf(supervisor.start())).toBe('COMPONENT_FAILED');
      const report = await supervisor.stop();
      expect(report.failure).toEqual({ component: 'a', error: thrown });
      expect(outcomes(report)).toEqual(['a failed']);
    },
  );

  test('that is stopped meanwhile: its signal is aborted, and it is stopped when it has settled', async () => {
    const { clock, supervisor, add, story, stopped } = scene();
    let aborted = 0;
    add('a');
    add('b', ['a'], {
      start: (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted++;
            clock.setTimeout(() => reject(signal.reason), 100);
          });
        }),
    });
    add('c', ['b']);
    const starting = supervisor.start().catch((error: unknown) => error);
    await clock.advance(50);
    const report = await stopped();
    expect(aborted).toBe(1);
    expect(await starting).toMatchObject({ code: 'STOPPED', retryable: true });
    expect(story).toEqual(['+a', '+b', '-b', '-a']);
    expect(report).toMatchObject({ clean: true, durationMs: 100 });
  });

  test('that never settles is stopped after half of its time', async () => {
    const { clock, supervisor, add, story } = scene();
    add('a', [], { deadlineMs: 1_000, start: never });
    void codeOf(supervisor.start());
    const stopping = supervisor.stop();
    await clock.advance(499);
    expect(story).toEqual(['+a']);
    await clock.advance(1);
    expect(outcomes(await stopping)).toEqual(['a closed']);
    expect(story).toEqual(['+a', '-a']);
  });

  test('while it stops is refused; from stopped it is allowed, again and again', async () => {
    const { supervisor, add, story, stopped } = scene();
    add('a');
    for (let i = 0; i < 3; i++) {
      await supervisor.start();
      const stopping = supervisor.stop({ reason: `run ${i}` });
      expect(await codeOf(supervisor.start())).toBe('STOPPING');
      expect((await stopped(stopping)).reason).toBe(`run ${i}`);
    }
    expect(story).toEqual(['+a', '-a', '+a', '-a', '+a', '-a']);
  });

  test('may come from a listener that hears of the end', async () => {
    const { supervisor, add, stopped, story } = scene();
    add('a');
    await supervisor.start();
    const again = new Promise((resolve) => {
      const { unsubscribe } = supervisor.actor.subscribe(() => {
        if (supervisor.state !== 'stopped') return;
        unsubscribe();
        resolve(codeOf(supervisor.start()));
      });
    });
    expect((await stopped()).components).toHaveLength(1);
    expect(await again).toBe('none');
    expect(supervisor.state).toBe('running');
    expect(story).toEqual(['+a', '-a', '+a']);
  });

  test('does not abort the signal of what has started', async () => {
    const { supervisor, add, stopped } = scene();
    const signals: AbortSignal[] = [];
    add('a', [], { start: (signal) => void signals.push(signal) });
    await supervisor.start();
    await stopped();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });
});

/** A start that keeps how to tell that it has ended. */
function ending() {
  let told: (error?: unknown) => void = () => {};
  const start = (_: AbortSignal, { ended }: StartContext): void => {
    told = ended;
  };
  return { start, end: (error?: unknown) => told(error) };
}

describe('a component that ends by itself', () => {
  test('stops the application in order, and is named', async () => {
    const { clock, supervisor, add, story } = scene();
    const { end, start } = ending();
    add('ground', [], { start });
    add('top', ['ground']);
    const ended = supervisor.ended;
    await supervisor.start();
    const error = new Error('connection lost');
    end(error);
    end(new Error('and once more'));
    await clock.advance(10);
    const report = await ended;
    end();
    expect(story).toEqual(['+ground', '+top', '-top', '-ground']);
    expect(report).toMatchObject({
      reason: 'ground ended by itself: connection lost',
      sound: false,
      failure: { component: 'ground', error },
    });
    expect(report.failure?.error).toBe(error);
    expect(await supervisor.stop()).toBe(report);
  });

  test('without an error has not failed, but is why', async () => {
    const { clock, supervisor, add } = scene();
    const { end, start } = ending();
    add('a', [], { start });
    await supervisor.start();
    end();
    await clock.advance(10);
    const report = await supervisor.ended;
    expect(report).toMatchObject({ reason: 'a ended by itself', sound: true, clean: true });
    expect(report.failure).toMatchObject({ component: 'a', error: expect.any(Error) });
  });

  test('before it runs makes the start fail', async () => {
    const { supervisor, add } = scene();
    add('a', [], { start: (_, { ended }) => never(ended()) });
    expect(await codeOf(supervisor.start())).toBe('COMPONENT_FAILED');
  });
});
