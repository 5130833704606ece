import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../src/errors.ts';
import type { ProcessHost } from '../../src/supervisor/process.ts';
import { type Application, type RunOptions, runApplication } from '../../src/supervisor/run.ts';
import { Memo } from '../support/collector.ts';
import { FakeClock, settle } from '../transport/fake-clock.ts';

class Host extends EventEmitter {
  readonly exits: number[] = [];
  exitCode: number | undefined;
  exit(code: number): void {
    this.exits.push(code);
  }
}

const wrong = new ConfigurationError([{ option: 'symbols', given: '[]', allowed: 'at least one' }]);
type Stopped = Awaited<Application['ended']>;

/** An application that starts and stops well, but for what is changed, and one run of it. */
function setUp(change: Partial<Application> = {}, options: RunOptions = {}) {
  const host = new Host();
  const output = new EventEmitter();
  const clock = new FakeClock();
  const logger = new Memo();
  const stopped = Promise.withResolvers<Stopped>();
  const stops: unknown[] = [];
  const application: Application = {
    start: async () => undefined,
    stop: async (how) => {
      stops.push(how);
      stopped.resolve({ reason: how.reason, sound: true });
      return { sound: true };
    },
    ended: stopped.promise,
    ...change,
  };
  const code = runApplication(application, {
    host: host as unknown as ProcessHost,
    output,
    clock,
    logger,
    ...options,
  });
  const messages = (): string[] => logger.lines.map(({ message }) => message);
  return { host, output, clock, logger, messages, stops, code, endsItself: stopped.resolve };
}

describe('an application', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('is stopped by %s, in its time, and the code is %i', async (signal, code) => {
    const run = setUp({}, { stopTimeoutMs: 3_000 });
    await settle();
    run.host.emit(signal);
    expect(await run.code).toBe(code);
    expect(run.stops).toEqual([{ timeoutMs: 3_000, reason: signal }]);
    expect(run.host.exitCode).toBe(code);
  });

  test.each([{ durationMs: Number.NaN }, { stopTimeoutMs: -1 }, { durationMs: '60s' as never }])(
    'is not begun with a time that is none: %j',
    async (options) => {
      const started: string[] = [];
      const run = setUp({ start: async () => started.push('started') }, options);
      await expect(run.code).rejects.toThrow(ConfigurationError);
      expect({ started, listeners: run.host.eventNames() }).toEqual({ started: [], listeners: [] });
    },
  );

  test('has as long for its stop as it says itself, unless told otherwise, and else 5 s', async () => {
    for (const [own, timeoutMs] of [
      [{ timeoutMs: 700 }, 700],
      [{}, 5_000],
    ] as const) {
      const run = setUp(own);
      run.host.emit('SIGINT');
      await run.code;
      expect(run.stops).toEqual([{ timeoutMs, reason: 'SIGINT' }]);
    }
  });

  test('ends with 0 when its time is up, and not before', async () => {
    const run = setUp({}, { durationMs: 60_000 });
    await run.clock.advance(59_999);
    expect(run.stops).toEqual([]);
    await run.clock.advance(1);
    expect(await run.code).toBe(0);
    expect(run.stops).toEqual([{ timeoutMs: 5_000, reason: 'finished' }]);
  });

  test('that lost something ends with 1, whatever the reason', async () => {
    const run = setUp({ stop: async () => ({ sound: false }) });
    run.host.emit('SIGTERM');
    expect(await run.code).toBe(1);
  });

  test.each([
    ['an error', new Error('no store'), 1],
    ['a wrong configuration', wrong, 2],
    ['what lies behind is a wrong configuration', new Error('component feeds', { cause: wrong }), 2],
  ])('that can not be started ends with its code: %s', async (_, error, code) => {
    const run = setUp({ start: () => Promise.reject(error) });
    expect(await run.code).toBe(code);
    expect(run.messages()).toEqual(['the start failed']);
    expect(run.stops).toHaveLength(1);
  });

  test('that can not be started and has stopped for that ends with the code of its start', async () => {
    const failing = Promise.withResolvers<void>();
    const run = setUp({ start: () => failing.promise });
    run.endsItself({ reason: 'failed', sound: true, failure: new Error('stopped') });
    await settle();
    failing.reject(wrong);
    expect(await run.code).toBe(2);
  });

  test.each([
    ['with an error', { component: 'prices', error: new Error('gone') }, 1],
    ['because its work is done', undefined, 0],
  ])('that ends by itself %s is left', async (_, failure, code) => {
    const run = setUp();
    run.endsItself({ reason: 'prices', sound: true, ...(failure === undefined ? {} : { failure }) });
    await settle();
    expect(await run.code).toBe(code);
    if (failure === undefined) return;
    expect(run.logger.lines[0]).toMatchObject({ level: 'error', fields: { component: 'prices' } });
  });

  test('stopped while it starts is not taken for one that failed', async () => {
    const starting = Promise.withResolvers<void>();
    const run = setUp({ start: () => starting.promise });
    run.host.emit('SIGINT');
    starting.reject(new Error('aborted'));
    expect(await run.code).toBe(130);
    expect(run.messages()).toEqual(['SIGINT: stopping; once more forces the exit']);
  });

  test('is told of when it runs, and what is thrown then ends it with 1', async () => {
    let started = 0;
    const run = setUp(
      {},
      {
        onStarted: () => {
          started++;
          throw new Error('no');
        },
      },
    );
    expect(await run.code).toBe(1);
    expect(started).toBe(1);
  });

  test('ends with 0 without a word when nobody reads its output, and with 1 when that fails', async () => {
    const unread = setUp();
    unread.output.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(await unread.code).toBe(0);
    expect(unread.messages()).toEqual([]);
    // What is written later must not end the process.
    unread.output.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    const full = setUp();
    full.output.emit('error', Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    expect(await full.code).toBe(1);
  });

  test('gives every listener back', async () => {
    const run = setUp();
    expect(run.host.eventNames()).not.toEqual([]);
    run.host.emit('SIGINT');
    await run.code;
    expect([...run.host.eventNames(), ...run.output.eventNames()]).toEqual([]);
  });

  test('whose process is still there after a second is ended, and what held it is told', async () => {
    const run = setUp();
    run.host.emit('SIGTERM');
    await run.code;
    await run.clock.advance(999);
    expect(run.host.exits).toEqual([]);
    await run.clock.advance(1);
    expect(run.host.exits).toEqual([143]);
    expect(run.logger.lines.at(-1)).toMatchObject({ fields: { held: expect.any(Array) } });
  });

  test('after which the process goes on leaves no timer', async () => {
    const run = setUp({}, { goesOn: true, durationMs: 60_000 });
    run.host.emit('SIGTERM');
    expect(await run.code).toBe(143);
    await settle();
    expect(run.clock.pending).toBe(0);
  });

  test('runs ten times in one process', async () => {
    const runs = Array.from({ length: 10 }, () => setUp({}, { goesOn: true, durationMs: 1 }));
    for (const run of runs) await run.clock.advance(1);
    expect(await Promise.all(runs.map((run) => run.code))).toEqual(Array(10).fill(0));
  });
});
