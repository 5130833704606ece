import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { exitCodeFor } from '../../machines/model/exit-code.ts';
import { type ProcessHost, type SuperviseOptions, superviseProcess } from '../../src/supervisor/process.ts';
import { Memo } from '../support/collector.ts';
import { until, within } from '../support/wait.ts';
import { FakeClock, settle } from '../transport/fake-clock.ts';

class Host extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

function setUp(change: Partial<SuperviseOptions> = {}) {
  const host = new Host();
  const lines: string[] = [];
  const note = (message: string): void => void lines.push(message);
  const logger = { debug: note, info: note, warn: note, error: note, flush: async () => note('flushed') };
  const reasons: string[] = [];
  const supervision = superviseProcess({
    host: host as unknown as ProcessHost,
    logger,
    stopTimeoutMs: 5_000,
    stop: async (reason) => {
      reasons.push(reason);
      return true;
    },
    ...change,
  });
  return { host, lines, logger, reasons, supervision };
}
const never = (): Promise<never> => new Promise(() => undefined);

describe('exit codes', () => {
  test.each([
    ['finished', true, 0],
    ['finished', false, 1],
    ['failed', true, 1],
    ['usage', true, 2],
    ['usage', false, 2],
    ['SIGINT', true, 130],
    ['SIGINT', false, 1],
    ['SIGTERM', true, 143],
    ['SIGTERM', false, 1],
  ] as const)('%s with everything sound: %o is %i', (reason, sound, code) => {
    expect(exitCodeFor(reason, sound)).toBe(code);
  });
});

describe('a supervised process', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('stops once by %s and ends with %i', async (signal, code) => {
    const { host, reasons, supervision } = setUp();
    host.emit(signal);
    expect(supervision.isEnding).toBe(true);
    expect(await supervision.ended).toBe(code);
    expect({ reasons, exits: host.exits }).toEqual({ reasons: [signal], exits: [] });
  });

  test('exits at once with 1 by a second signal, after the logs are flushed', async () => {
    const { host, lines, reasons } = setUp({ stop: never });
    host.emit('SIGINT');
    host.emit('SIGTERM');
    host.emit('SIGTERM');
    await until('the exit', () => host.exits.length > 0);
    expect(host.exits).toEqual([1]);
    expect(lines.slice(-2)).toEqual(['Forced exit requested', 'flushed']);
    expect(reasons).toEqual([]);
  });

  test('says at a forced exit where it stands, what is pending, and what is open', async () => {
    const log = new Memo();
    const { host, supervision } = setUp({ stop: never, logger: log, pending: () => ['orders'] });
    host.emit('SIGTERM');
    host.emit('SIGINT');
    expect(await supervision.ended).toBe(1);
    const stack = expect.stringMatching(/^Error: Forced exit requested\n +at /u);
    expect(log.lines.at(-1)).toMatchObject({
      level: 'error',
      message: 'Forced exit requested',
      fields: { stack, pending: ['orders'], resources: expect.any(Array) },
    });
  });

  test('one signal does not force the exit when the stop had another reason', async () => {
    const stopped = Promise.withResolvers<boolean>();
    const { host, supervision } = setUp({ stop: () => stopped.promise });
    supervision.end('finished');
    host.emit('SIGINT');
    stopped.resolve(true);
    expect(await supervision.ended).toBe(0);
    expect(host.exits).toEqual([]);
  });

  test('flushes its log before it has ended, and not longer than a second', async () => {
    const clock = new FakeClock();
    const { logger } = setUp();
    let ended = false;
    const { supervision } = setUp({ clock, logger: { ...logger, flush: never } });
    void supervision.ended.then(() => {
      ended = true;
    });
    supervision.end('finished');
    // A fault of the stop's last step may still be heard in the next turn.
    await settle();
    await settle();
    await clock.advance(999);
    expect(ended).toBe(false);
    await clock.advance(1);
    expect(await supervision.ended).toBe(0);
  });

  test('a signal after the end, and before it was given back, does not wait for the program', async () => {
    const { host, supervision } = setUp({ sameSignalMs: 200, clock: new FakeClock() });
    host.emit('SIGINT');
    await supervision.ended;
    host.emit('SIGINT');
    expect(host.exits).toEqual([]);
    host.emit('SIGTERM');
    expect(host.exits).toEqual([130]);
  });

  test('a flush that hangs does not hold a forced exit', async () => {
    const { host } = setUp({
      stop: never,
      logger: { debug() {}, info() {}, warn() {}, error() {}, flush: () => new Promise(() => undefined) },
    });
    host.emit('SIGINT');
    host.emit('SIGINT');
    await until('the exit', () => host.exits.length > 0, 1_000);
  });

  test("a terminal's signal that npm sends once more counts once", async () => {
    const { host, supervision } = setUp({ sameSignalMs: 200 });
    host.emit('SIGINT');
    host.emit('SIGINT');
    expect(await supervision.ended).toBe(130);
    expect(host.exits).toEqual([]);
  });

  test.each(['uncaughtException', 'unhandledRejection'])(
    'stops with 1 by an %s, and tells it',
    async (event) => {
      const { host, lines, supervision } = setUp();
      host.emit(event, new Error('surprise'));
      expect(await supervision.ended).toBe(1);
      expect(lines[0]).toContain('nobody caught');
    },
  );

  test('a fault that throws when it is looked at is one like another', async () => {
    const evil = Object.defineProperty(new Error('evil'), 'stack', {
      get: () => {
        throw new Error('no stack');
      },
    });
    const { host, lines, reasons, supervision } = setUp();
    host.emit('uncaughtException', evil);
    expect(await supervision.ended).toBe(1);
    expect(lines[0]).toContain('nobody caught');
    expect({ reasons, exits: host.exits }).toEqual({ reasons: ['failed'], exits: [] });
  });

  test('says that an exit is forced, whatever the program has made of stacks', () => {
    const { host, lines } = setUp({ stop: never });
    host.emit('SIGINT');
    const { prepareStackTrace } = Error;
    Error.prepareStackTrace = (_, frames) => frames;
    try {
      host.emit('SIGTERM');
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
    }
    expect(lines).toContain('Forced exit requested');
  });

  test('a fault during the stop of a signal turns its code into 1', async () => {
    const stopped = Promise.withResolvers<boolean>();
    const { host, supervision } = setUp({ stop: () => stopped.promise });
    host.emit('SIGINT');
    host.emit('uncaughtException', 'thrown text');
    stopped.resolve(true);
    expect(await supervision.ended).toBe(1);
  });

  test('a fault in its own log, or in what names the pending, changes nothing', async () => {
    const fail = (): never => {
      throw new Error('no log');
    };
    const logger = { debug: fail, info: fail, warn: fail, error: fail, flush: fail };
    const graceful = setUp({ logger });
    graceful.host.emit('SIGINT');
    expect(await graceful.supervision.ended).toBe(130);
    const forced = setUp({ logger, stop: never, pending: fail });
    forced.host.emit('SIGINT');
    forced.host.emit('SIGTERM');
    expect(await forced.supervision.ended).toBe(1);
    expect(forced.host.exits).toEqual([1]);
  });

  test('faults without an end are not told without an end', async () => {
    const stopped = Promise.withResolvers<boolean>();
    const { host, lines, supervision } = setUp({ stop: () => stopped.promise });
    for (let n = 0; n < 1_000; n++) host.emit('uncaughtException', new Error(`fault ${n}`));
    expect(lines).toHaveLength(20);
    stopped.resolve(true);
    expect(await supervision.ended).toBe(1);
    host.emit('uncaughtException', new Error('late'));
    expect(lines.at(-1)).toContain('after the end');
  });

  test.each([
    ['loses something', async () => false],
    ['fails', () => Promise.reject(new Error('no'))],
    [
      'throws',
      () => {
        throw new Error('at once');
      },
    ],
  ])('ends with 1 when its stop %s', async (_, stop) => {
    const { host, supervision } = setUp({ stop });
    host.emit('SIGTERM');
    expect(await supervision.ended).toBe(1);
  });

  test('only the first reason to end counts', async () => {
    const { reasons, supervision } = setUp();
    supervision.end('finished');
    supervision.end('failed');
    expect(await supervision.ended).toBe(0);
    expect(reasons).toEqual(['finished']);
  });

  test('a stop that overruns its deadline is not waited for', async () => {
    const clock = new FakeClock();
    const { host, lines, supervision } = setUp({ stop: never, stopTimeoutMs: 5_000, clock });
    supervision.end('finished');
    await clock.advance(5_999);
    expect(host.exits).toEqual([]);
    await clock.advance(1);
    expect(host.exits).toEqual([1]);
    expect(lines).toContain('the stop overran its deadline; the process is ended');
  });

  test('warnings are logged, except for experimental modules', () => {
    const { host, lines } = setUp();
    host.emit('warning', new Error('too many listeners'));
    host.emit('warning', Object.assign(new Error('SQLite is experimental'), { name: 'ExperimentalWarning' }));
    expect(lines).toEqual(['too many listeners']);
  });

  test('gives everything back', () => {
    const { host, supervision } = setUp();
    supervision.release();
    expect(host.eventNames()).toEqual([]);
  });
});

describe('a real process', () => {
  const modules = new URL('../../src/', import.meta.url).href;
  const script = (stop: string): string => `
    import { createLogger } from '${modules}log/logger.ts';
    import { superviseProcess } from '${modules}supervisor/process.ts';
    import { leave } from '${modules}supervisor/leave.ts';
    const logger = createLogger();
    const hold = setInterval(() => {}, 1000);
    const supervision = superviseProcess({ logger, stopTimeoutMs: 60000, stop: ${stop} });
    logger.info('ready');
    leave(await supervision.ended, async (message, fields) => logger.warn(message, fields));`;

  async function signalled(stop: string, signals: readonly NodeJS.Signals[], env: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script(stop)], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    const end = new Promise<number | null>((resolve) => child.on('close', resolve));
    await until('the process to be ready', () => stderr.includes('ready'));
    for (const [index, signal] of signals.entries()) {
      child.kill(signal);
      await until(`signal ${index} to be seen`, () => /stopping|Forced/u.test(stderr));
    }
    const since = performance.now();
    const code = await within('the end of the process', end);
    return { code, stderr, took: performance.now() - since };
  }

  test('L03 ends well under a second after a second signal, with its logs out', async () => {
    const { code, stderr, took } = await signalled('() => new Promise(() => {})', ['SIGTERM', 'SIGINT']);
    expect(code).toBe(1);
    expect(stderr).toContain('Forced exit requested');
    expect(took).toBeLessThan(1_000);
  });

  test('under npm, which sends a signal of the whole group once more, stops once', async () => {
    const { code, stderr } = await signalled(
      `async () => {
        process.kill(process.pid, 'SIGINT');
        await new Promise((resolve) => setTimeout(resolve, 50));
        return true;
      }`,
      ['SIGINT'],
      { npm_lifecycle_event: 'collect' },
    );
    expect(code).toBe(130);
    expect(stderr).not.toContain('Forced exit requested');
  });

  test('that something keeps alive after the stop is ended with its code, and told what held it', async () => {
    const { code, stderr } = await signalled('async () => true', ['SIGINT']);
    expect(code).toBe(130);
    expect(stderr).toMatch(/something kept the process alive.*Timeout/);
  });
});
