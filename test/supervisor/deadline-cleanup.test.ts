/** Letting things go before a deadline: all at once, nothing thrown, nothing awaited for longer than allowed. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConfigurationError } from '../../src/errors.ts';
import {
  type CleanupReport,
  DeadlineCleanup,
  type DeadlineCleanupOptions,
} from '../../src/supervisor/deadline-cleanup.ts';
import { sleep, systemClock } from '../../src/transport/clock.ts';
import { Memo } from '../support/collector.ts';
import { TOLERANCE_MS, timed, until, within } from '../support/wait.ts';
import { FakeClock, settle } from '../transport/fake-clock.ts';

const never = (): Promise<never> => new Promise(() => {});

function setUp(options: DeadlineCleanupOptions = {}) {
  const clock = new FakeClock();
  const log = new Memo();
  const cleanup = new DeadlineCleanup({ clock, logger: log, ...options });
  return { clock, log, cleanup };
}

/** The report, when time has passed; undefined when there is none yet. */
async function reportAfter(clock: FakeClock, ms: number, run: Promise<CleanupReport>) {
  let report: CleanupReport | undefined;
  void run.then((it) => {
    report = it;
  });
  await clock.advance(ms);
  return report;
}

/** What reaches the process although nobody caught it, until the end of the test. */
function unhandled(): unknown[] {
  const seen: unknown[] = [];
  const note = (error: unknown): void => void seen.push(error);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  return seen;
}

describe('a cleanup', () => {
  test('begins all tasks side by side, when it runs and not before', async () => {
    const { clock, cleanup } = setUp();
    const begun: string[] = [];
    for (const name of ['a', 'b', 'c'])
      cleanup.add(name, async () => {
        begun.push(name);
        await sleep(clock, 100);
      });
    await clock.advance(1_000);
    expect(begun).toEqual([]);
    const run = cleanup.run();
    expect(begun).toEqual(['a', 'b', 'c']);
    expect(await reportAfter(clock, 100, run)).toEqual({
      durationMs: 100,
      clean: true,
      tasks: ['a', 'b', 'c'].map((name) => ({ name, outcome: 'closed', durationMs: 100 })),
      errors: [],
      cancelled: [],
    });
    expect(clock.pending).toBe(0);
  });

  test('of nothing takes no time', async () => {
    const { clock, log, cleanup } = setUp();
    expect(await cleanup.run()).toEqual({
      durationMs: 0,
      clean: true,
      tasks: [],
      errors: [],
      cancelled: [],
    });
    expect(clock.pending).toBe(0);
    expect(log.lines.map(({ level }) => level)).toEqual(['debug']);
  });

  test('is one run with one report, whoever asks and whenever', async () => {
    const { clock, cleanup } = setUp();
    let count = 0;
    cleanup.add('a', () => {
      count += 1;
      return sleep(clock, 10);
    });
    const runs = [cleanup.run(), cleanup.run()];
    await clock.advance(10);
    const reports = await Promise.all([...runs, cleanup.run()]);
    expect(new Set(reports).size).toBe(1);
    expect(count).toBe(1);
  });

  test('takes 5 s at most unless told, and aborts then what is late', async () => {
    const { clock, cleanup } = setUp();
    let signal: AbortSignal | undefined;
    cleanup.add('late', (given) => {
      signal = given;
      return never();
    });
    const run = cleanup.run();
    expect(await reportAfter(clock, 4_999, run)).toBeUndefined();
    expect(signal?.aborted).toBe(false);
    expect(await reportAfter(clock, 1, run)).toMatchObject({
      durationMs: 5_000,
      clean: false,
      tasks: [{ name: 'late', outcome: 'forced', durationMs: 5_000 }],
      errors: [],
      cancelled: ['late'],
    });
    expect(signal?.aborted).toBe(true);
  });

  test('does not abort the signal of a task that ended in time', async () => {
    const { clock, cleanup } = setUp();
    let signal: AbortSignal | undefined;
    cleanup.add('quick', (given) => {
      signal = given;
    });
    cleanup.add('late', never);
    await reportAfter(clock, 5_000, cleanup.run());
    expect(signal?.aborted).toBe(false);
  });

  test('says what is left of its time', async () => {
    const { clock, cleanup } = setUp({ timeoutMs: 1_000 });
    cleanup.add('late', never);
    await clock.advance(300);
    expect(cleanup.remainingMs).toBe(1_000);
    const run = cleanup.run();
    await clock.advance(300);
    expect(cleanup.remainingMs).toBe(700);
    await reportAfter(clock, 2_000, run);
    expect(cleanup.remainingMs).toBe(0);
  });

  test.each([
    ['throws before it has begun to wait', () => Promise.reject, new Error('sync')],
    ['rejects', undefined, new Error('async')],
    ['rejects with nothing', undefined, undefined],
    ['rejects with null', undefined, null],
    ['rejects with a text', undefined, 'no'],
  ])('keeps what a task throws that %s, and goes on', async (_, isSync, thrown) => {
    const { clock, cleanup } = setUp();
    const escaped = unhandled();
    cleanup.add('bad', () => {
      if (isSync) throw thrown;
      return Promise.reject(thrown);
    });
    cleanup.add('good', () => sleep(clock, 10));
    const report = await reportAfter(clock, 10, cleanup.run());
    expect(report).toMatchObject({
      clean: false,
      tasks: [{ name: 'bad', outcome: 'failed', error: expect.any(String) }, { outcome: 'closed' }],
      cancelled: [],
    });
    expect(report?.errors).toEqual([thrown]);
    expect(report?.errors).toHaveLength(1);
    expect(escaped).toEqual([]);
  });

  test('takes what a task returns for what it is: a value, a promise, something like one', async () => {
    const { clock, cleanup } = setUp();
    const thenable = {
      // biome-ignore lint/suspicious/noThenProperty: it is what is tested
      then: (done: () => void) => void clock.setTimeout(done, 20),
    };
    const results: unknown[] = [undefined, 1, sleep(clock, 10), thenable];
    for (const [index, result] of results.entries()) cleanup.add(`${index}`, () => result);
    const report = await reportAfter(clock, 20, cleanup.run());
    expect(report?.tasks.map(({ durationMs }) => durationMs)).toEqual([0, 0, 10, 20]);
  });

  test('hears nothing of what a task does after the deadline', async () => {
    const { clock, cleanup } = setUp({ timeoutMs: 100 });
    const escaped = unhandled();
    cleanup.add('rejects late', () => sleep(clock, 200).then(() => Promise.reject(new Error('late'))));
    cleanup.add('rejects as it is aborted', (signal) => sleep(clock, 1_000, signal));
    cleanup.add('ends late', () => sleep(clock, 200));
    const report = await reportAfter(clock, 100, cleanup.run());
    const before = structuredClone(report?.tasks);
    await clock.advance(5_000);
    expect(escaped).toEqual([]);
    expect(report).toMatchObject({
      errors: [],
      cancelled: ['rejects late', 'rejects as it is aborted', 'ends late'],
    });
    expect(report?.tasks).toEqual(before);
  });

  test('with no time at all still does what can be done at once', async () => {
    const { clock, cleanup } = setUp({ timeoutMs: 0 });
    cleanup.add('sync', () => {});
    cleanup.add('async', async () => {});
    cleanup.add('late', () => sleep(clock, 1));
    expect(await reportAfter(clock, 0, cleanup.run())).toMatchObject({
      durationMs: 0,
      tasks: [{ outcome: 'closed' }, { outcome: 'closed' }, { outcome: 'forced' }],
      cancelled: ['late'],
    });
  });

  test('has a line for each of tasks that have one name', async () => {
    const { clock, cleanup } = setUp({ timeoutMs: 100 });
    cleanup.add('file', () => {});
    cleanup.add('file', never);
    cleanup.add('file', () => Promise.reject(new Error('boom')));
    const report = await reportAfter(clock, 100, cleanup.run());
    expect(report?.tasks.map(({ outcome }) => outcome)).toEqual(['closed', 'forced', 'failed']);
    expect(report?.cancelled).toEqual(['file']);
  });
});

describe('a task that is added', () => {
  test('while it runs is begun at once and has what is left of the time', async () => {
    const { clock, cleanup } = setUp({ timeoutMs: 1_000 });
    cleanup.add('first', () => sleep(clock, 500));
    const run = cleanup.run();
    await clock.advance(400);
    cleanup.add('quick', () => sleep(clock, 300));
    cleanup.add('late', never);
    expect(await reportAfter(clock, 600, run)).toMatchObject({
      durationMs: 1_000,
      tasks: [
        { name: 'first', durationMs: 500 },
        { name: 'quick', outcome: 'closed', durationMs: 300 },
        { name: 'late', outcome: 'forced', durationMs: 600 },
      ],
    });
  });

  test('by another task is part of the same run', async () => {
    const { clock, cleanup } = setUp();
    cleanup.add('outer', () => void cleanup.add('inner', () => sleep(clock, 50)));
    expect(await reportAfter(clock, 50, cleanup.run())).toMatchObject({
      durationMs: 50,
      tasks: [{ name: 'outer' }, { name: 'inner', outcome: 'closed' }],
    });
  });

  test('when it has ended is refused, for nobody would call it', async () => {
    const { cleanup } = setUp();
    await cleanup.run();
    let called = false;
    const add = (): unknown =>
      cleanup.add('too late', () => {
        called = true;
      });
    expect(add).toThrow(expect.objectContaining({ name: 'CandlestateError', code: 'CLEANUP_ENDED' }));
    expect(add).toThrow('too late');
    expect(called).toBe(false);
    expect((await cleanup.run()).tasks).toEqual([]);
  });

  test('can be taken out again until it has begun', async () => {
    const { clock, cleanup } = setUp();
    const begun: string[] = [];
    const undo = ['a', 'b'].map((name) =>
      cleanup.add(name, () => {
        begun.push(name);
        return sleep(clock, 10);
      }),
    );
    undo[0]?.();
    undo[0]?.();
    const run = cleanup.run();
    undo[1]?.();
    const report = await reportAfter(clock, 10, run);
    undo[1]?.();
    expect(begun).toEqual(['b']);
    expect(report?.tasks.map(({ name }) => name)).toEqual(['b']);
  });
});

describe('the signal of the caller', () => {
  test('ends it at once', async () => {
    const over = new AbortController();
    const { clock, cleanup } = setUp({ signal: over.signal });
    let signal: AbortSignal | undefined;
    cleanup.add('quick', () => sleep(clock, 10));
    cleanup.add('late', (given) => {
      signal = given;
      return never();
    });
    const run = cleanup.run();
    await clock.advance(50);
    over.abort();
    expect(signal?.aborted).toBe(true);
    expect(cleanup.remainingMs).toBe(0);
    expect(await run).toMatchObject({ durationMs: 50, cancelled: ['late'] });
    expect(clock.pending).toBe(0);
  });

  test('aborted before leaves no more than the present turn, in which every task is begun', async () => {
    const { clock, cleanup } = setUp({ signal: AbortSignal.abort() });
    cleanup.add('sync', () => {});
    cleanup.add('late', never);
    expect(await reportAfter(clock, 0, cleanup.run())).toMatchObject({
      durationMs: 0,
      tasks: [{ outcome: 'closed' }, { outcome: 'forced' }],
    });
  });

  test('is let go of at the end', async () => {
    const over = new AbortController();
    const listeners: string[] = [];
    const { signal } = over;
    const watched = Object.assign(signal, {
      addEventListener: (type: string) => listeners.push(type),
      removeEventListener: () => listeners.pop(),
    });
    const { cleanup } = setUp({ signal: watched as unknown as AbortSignal });
    const run = cleanup.run();
    await run;
    expect(listeners).toEqual([]);
  });
});

describe('await using', () => {
  test('runs it at the end of the block', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'candlestate-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'temporary');
    {
      await using cleanup = new DeadlineCleanup();
      writeFileSync(file, '');
      cleanup.add('temporary file', () => rm(file));
      expect(existsSync(file)).toBe(true);
    }
    expect(existsSync(file)).toBe(false);
  });

  test('masks no error that leaves the block, whatever the tasks do', async () => {
    const { clock, log } = setUp();
    const block = async (): Promise<void> => {
      await using cleanup = new DeadlineCleanup({ clock, logger: log, timeoutMs: 100 });
      cleanup.add('throws', () => {
        throw new Error('of the cleanup');
      });
      cleanup.add('hangs', never);
      throw new Error('of the block');
    };
    const thrown = block().catch((error: unknown) => error);
    await clock.advance(100);
    // Neither another error nor this one inside of another.
    expect(await thrown).toEqual(new Error('of the block'));
    expect(log.lines.map(({ level }) => level)).toEqual(['warn']);
  });

  test('after a run waits for the same', async () => {
    const { clock, cleanup } = setUp();
    let count = 0;
    cleanup.add('a', () => {
      count += 1;
    });
    const report = await cleanup.run();
    await cleanup[Symbol.asyncDispose]();
    expect(await cleanup.run()).toBe(report);
    expect([count, clock.pending]).toEqual([1, 0]);
  });
});

describe('the log', () => {
  test('has a line for debugging when all was let go', async () => {
    const { clock, log, cleanup } = setUp();
    cleanup.add('a', () => sleep(clock, 10));
    await reportAfter(clock, 10, cleanup.run());
    expect(log.lines).toEqual([
      { level: 'debug', message: 'cleaned up', fields: { tasks: 1, durationMs: 10 } },
    ]);
  });

  test('has a warning that names what was late and what failed', async () => {
    const { clock, log, cleanup } = setUp({ timeoutMs: 100 });
    cleanup.add('fine', () => {});
    cleanup.add('socket', never);
    cleanup.add('file', () => Promise.reject(new Error('busy')));
    await reportAfter(clock, 100, cleanup.run());
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: 'not everything could be cleaned up',
        fields: { cancelled: ['socket'], failed: ['file'], errors: ['busy'], durationMs: 100 },
      },
    ]);
  });

  test('that throws changes nothing', async () => {
    const bad = (): never => {
      throw new Error('disk full');
    };
    const { cleanup } = setUp({ logger: { debug: bad, warn: bad } });
    expect(await cleanup.run()).toMatchObject({ clean: true });
  });
});

describe('what can not work is refused', () => {
  test.each([
    ['timeoutMs', { timeoutMs: -1 }],
    ['timeoutMs', { timeoutMs: Number.NaN }],
    ['timeoutMs', { timeoutMs: Number.POSITIVE_INFINITY }],
    ['timeoutMs', { timeoutMs: 2 ** 31 }],
    ['timeoutMs', { timeoutMs: '5000' }],
    ['timeoutMs', { timeoutMs: null }],
    ['clock', { clock: {} }],
    ['logger', { logger: { debug() {} } }],
    ['signal', { signal: 'now' }],
    ['options', null],
    ['options', 5_000],
  ])('%s in %o', (option, options) => {
    const make = (): unknown => new DeadlineCleanup(options as never);
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(expect.objectContaining({ option, code: 'CONFIGURATION' }));
  });

  test.each([
    ['name', '', () => {}],
    ['name', undefined, () => {}],
    ['task', 'file', undefined],
    ['task', 'file', Promise.resolve()],
  ])('%s of a task', (option, name, task) => {
    const { cleanup } = setUp();
    expect(() => cleanup.add(name as never, task as never)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option }),
    );
  });
});

test('an error that can not even be printed is a line as any other, and holds nobody', async () => {
  const { clock, cleanup } = setUp();
  const hostile = Object.defineProperty(new Error('hostile'), 'message', {
    get() {
      throw new Error('do not look at me');
    },
  });
  cleanup.add('takes a while', () => sleep(clock, 100));
  cleanup.add('hostile', () => Promise.reject(hostile));
  const report = await reportAfter(clock, 100, cleanup.run());
  expect(report?.tasks).toMatchObject([
    { name: 'takes a while', outcome: 'closed' },
    { name: 'hostile', outcome: 'failed', error: 'something that can not be shown' },
  ]);
  expect(report?.errors[0]).toBe(hostile);
  expect(clock.pending).toBe(0);
});

describe('references', () => {
  setFlagsFromString('--expose-gc');
  const elsewhere = new Error('boom');
  const collectGarbage = runInNewContext('gc') as () => void;

  /** Of something that only a task knows, and which it lets go of in its way. */
  function addWithResource(
    cleanup: DeadlineCleanup,
    name: string,
    free: (resource: { open: boolean }) => unknown,
  ): WeakRef<object> {
    const resource = { open: true, ballast: new Array(1_000).fill(name) };
    cleanup.add(name, () => free(resource));
    return new WeakRef(resource);
  }

  test.each([
    [
      'has ended',
      async (resource: { open: boolean }) => {
        resource.open = false;
      },
    ],
    // Made elsewhere: an error holds on to the functions of its stack, and the report to the error.
    ['has failed', () => Promise.reject(elsewhere)],
    [
      'hangs itself, and knows it no more',
      (resource: { open: boolean }) => {
        resource.open = false;
        return never();
      },
    ],
  ])('to what a task held are gone when it %s, while another task still hangs', async (_, free) => {
    const { cleanup } = setUp();
    const resource = addWithResource(cleanup, 'resource', free);
    cleanup.add('hangs', never);
    const run = cleanup.run();
    await until(
      'it is collected as garbage',
      () => {
        collectGarbage();
        return resource.deref() === undefined;
      },
      2_000,
    );
    // The run goes on, and the cleanup itself is not garbage.
    expect(cleanup.remainingMs).toBe(5_000);
    expect(await Promise.race([run, settle()])).toBeUndefined();
  });

  test('to a task that was taken out are gone, too', async () => {
    const { cleanup } = setUp();
    const add = (): WeakRef<object> => {
      const task = (): void => {};
      cleanup.add('a', task)();
      return new WeakRef(task);
    };
    const task = add();
    await until('it is collected as garbage', () => {
      collectGarbage();
      return task.deref() === undefined;
    });
    expect(cleanup.remainingMs).toBe(5_000);
  });
});

describe('a hundred tasks of up to 1 s against 0.5 s', () => {
  /** Half a step away from the deadline, which a task of exactly 500 ms would meet. */
  const delays = Array.from({ length: 100 }, (_, index) => index * 10 + 5);

  test('end when they are quick, are cancelled when they are slow, and take 0.5 s', async () => {
    const { clock, cleanup } = setUp({ timeoutMs: 500 });
    const completed: number[] = [];
    const aborted: number[] = [];
    for (const ms of delays)
      cleanup.add(`${ms}`, async (signal) => {
        signal.addEventListener('abort', () => aborted.push(ms));
        await sleep(clock, ms, signal);
        completed.push(ms);
      });
    const report = await reportAfter(clock, 500, cleanup.run());
    expect(completed).toEqual(delays.filter((ms) => ms < 500));
    expect(aborted).toEqual(delays.filter((ms) => ms > 500));
    expect(report).toMatchObject({ durationMs: 500, clean: false, errors: [] });
    expect(report?.cancelled).toEqual(aborted.map(String));
    expect(report?.tasks.map(({ durationMs }) => durationMs)).toEqual(delays.map((ms) => Math.min(ms, 500)));
    expect(clock.pending).toBe(0);
  });

  test('also by the clock on the wall', async () => {
    const cleanup = new DeadlineCleanup({ timeoutMs: 500 });
    for (const ms of delays) cleanup.add(`${ms}`, (signal) => sleep(systemClock, ms, signal));
    const { value: report, took } = await timed(within('the cleanup', cleanup.run()));
    expect(report.durationMs).toBeGreaterThanOrEqual(499);
    expect(took).toBeLessThan(500 + TOLERANCE_MS);
    // Far from the deadline there is no doubt.
    const outcomes = new Map(report.tasks.map(({ name, outcome }) => [Number(name), outcome]));
    for (const ms of delays.filter((it) => it < 400)) expect(outcomes.get(ms)).toBe('closed');
    for (const ms of delays.filter((it) => it > 600)) expect(outcomes.get(ms)).toBe('forced');
  });
});

describe('seed 003', () => {
  test('test_deadline_enforcement: a task that sleeps for longer than the deadline is cancelled', async () => {
    const { clock } = setUp();
    let signal: AbortSignal | undefined;
    const block = async (): Promise<void> => {
      await using cleanup = new DeadlineCleanup({ clock, timeoutMs: 500 });
      cleanup.add('sleeper', (given) => {
        signal = given;
        return sleep(clock, 2_000, given);
      });
    };
    const done = block();
    await clock.advance(499);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1);
    await done;
    expect(signal?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('test_error_collection: what a task throws is collected and goes no further', async () => {
    const { cleanup } = setUp({ timeoutMs: 1_000 });
    cleanup.add('failing', async () => {
      throw new TypeError('Test error');
    });
    const { errors } = await cleanup.run();
    expect(errors).toEqual([new TypeError('Test error')]);
  });

  test('test_parallel_cleanup: of a hundred side by side some end and some are cancelled', async () => {
    const { clock, cleanup } = setUp({ timeoutMs: 500 });
    for (let index = 0; index < 100; index++)
      cleanup.add(`${index}`, (signal) => sleep(clock, index * 10, signal));
    const report = await reportAfter(clock, 500, cleanup.run());
    expect(report?.durationMs).toBe(500);
    expect(report?.cancelled.length).toBeGreaterThan(0);
    expect(report?.cancelled.length).toBeLessThan(100);
  });

  test('time remaining: all of it before the start, then what is left, never less than nothing', async () => {
    const { clock, cleanup } = setUp({ timeoutMs: 500 });
    expect(cleanup.remainingMs).toBe(500);
    cleanup.add('a', never);
    void cleanup.run();
    await clock.advance(200);
    expect(cleanup.remainingMs).toBe(300);
    await clock.advance(1_000);
    expect(cleanup.remainingMs).toBe(0);
  });
});
