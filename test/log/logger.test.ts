import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { describe, expect, test, vi } from 'vitest';
import { createLogger, type LineStream, type LoggerOptions } from '../../src/log/logger.ts';

/** A stream that keeps lines, and takes them when it likes. */
function memory(): LineStream & { lines: string[]; take(): void } {
  const waiting: (() => void)[] = [];
  const lines: string[] = [];
  return {
    lines,
    write(line, callback) {
      lines.push(line);
      waiting.push(callback);
    },
    take: () => {
      for (const callback of waiting.splice(0)) callback();
    },
  };
}

async function linesOf(options: LoggerOptions, work: (logger: ReturnType<typeof createLogger>) => void) {
  const stream: LineStream & { lines: string[] } = {
    lines: [],
    write(line, callback) {
      this.lines.push(line);
      callback();
    },
  };
  const logger = createLogger({ ...options, stream });
  work(logger);
  await logger.flush();
  return stream.lines;
}

async function runScript(body: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const loggerUrl = new URL('../../src/log/logger.ts', import.meta.url).href;
  const script = `import { createLogger } from ${JSON.stringify(loggerUrl)};\n${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.on('exit', resolve)),
  ]);
  return { code, stdout, stderr };
}

describe('a logger', () => {
  test('writes its level and what is more important, and nothing else', async () => {
    const lines = await linesOf({ level: 'warn' }, (logger) => {
      logger.debug('d');
      logger.info('i');
      logger.warn('w');
      logger.error('e');
    });
    expect(lines.map((line) => line.slice(13).trimEnd())).toEqual(['warn  w', 'error e']);
  });

  test('takes an error in place of fields, and fields named like its own', async () => {
    const lines = await linesOf({ format: 'json' }, (logger) => {
      logger.error('bad', new Error('why'));
      logger.info('m', { message: 'inner', level: 'x', stack: 's' });
    });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ message: 'bad', error: { message: 'why' } });
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ message: 'm', level: 'info', field_message: 'inner' });
  });

  test('X01 never writes a secret it was told, whatever it stands in', async () => {
    const secret = 'canary-9f3b1c';
    const lines = await linesOf({ level: 'debug', secrets: [secret] }, (logger) => {
      logger.debug(`message ${secret}`, { plain: secret, list: [secret], [secret]: 1 });
      logger.error('x', { error: new Error(secret, { cause: new Error(secret) }) });
    });
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain(secret);
  });

  test('B05 collapses a storm of the same line into ten and a count', async () => {
    const lines = await linesOf({}, (logger) => {
      for (let index = 0; index < 5_000; index++) logger.error('storm', { index });
      logger.error('another');
    });
    expect(lines).toHaveLength(12);
    expect(lines.at(-1)).toContain('storm repeated=4990');
  });

  test('B05 reports what it held back within two seconds, without being asked', async () => {
    const stream = memory();
    const logger = createLogger({ stream });
    for (let index = 0; index < 15; index++) logger.info('again');
    await vi.waitFor(() => expect(stream.lines.at(-1)).toContain('again repeated=5'), 3_000);
  });

  test('has flushed when every line was taken, and not before', async () => {
    const stream = memory();
    const logger = createLogger({ stream });
    for (let index = 0; index < 500; index++) logger.info(`line ${index}`);
    let isFlushed = false;
    const flushed = logger.flush().then(() => {
      isFlushed = true;
    });
    await vi.waitFor(() => expect(stream.lines).toHaveLength(500));
    await new Promise(setImmediate);
    expect(isFlushed).toBe(false);
    stream.take();
    await flushed;
  });

  test('gives up flushing after a second when nobody reads', async () => {
    const logger = createLogger({ stream: memory() });
    logger.info('unread');
    const started = performance.now();
    await logger.flush();
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test.each([
    ['calls back with an error', (callback: (error: Error) => void) => callback(new Error('EPIPE'))],
    [
      'throws',
      () => {
        throw new Error('destroyed');
      },
    ],
  ])('survives a stream that %s', async (_, fail) => {
    const logger = createLogger({ stream: { write: (_line, callback) => fail(callback) } });
    logger.info('lost');
    logger.info('lost too');
    await logger.flush();
  });

  test('says how many lines a stalled reader has cost, once it reads again', async () => {
    const lines: string[] = [];
    const stream = {
      writableLength: 2 ** 30,
      write(line: string, callback: () => void) {
        lines.push(line);
        callback();
      },
    };
    const logger = createLogger({ stream });
    logger.info('one');
    logger.info('two');
    await logger.flush();
    stream.writableLength = 0;
    logger.info('three');
    await logger.flush();
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('lines=2');
  });
});

describe('a process that logs', () => {
  test('B08 loses none of 10,000 lines when it exits right after the flush', async () => {
    const { code, stderr } = await runScript(`
      const logger = createLogger();
      for (let i = 0; i < 10000; i++) logger.info('line ' + i);
      await logger.flush();
      process.exit(3);`);
    expect(code).toBe(3);
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(10_000);
    expect(lines.at(-1)).toContain('line 9999');
  });

  test('goes on and ends well when standard error is closed', async () => {
    const { code, stdout } = await runScript(`
      import { once } from 'node:events';
      process.stderr.destroy();
      const logger = createLogger();
      for (let i = 0; i < 100; i++) logger.info('line ' + i);
      await logger.flush();
      process.stdout.write('done');`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'done' });
  });

  test('ends by itself: a logger holds nothing', async () => {
    const { code, stderr } = await runScript(`createLogger().info('bye');`);
    expect(code).toBe(0);
    expect(stderr).toContain('bye');
  });
});
