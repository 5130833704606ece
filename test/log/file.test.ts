import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import winston from 'winston';
import { flushWinston } from '../../src/log/flush-winston.ts';
import { createLogger, type LineStream } from '../../src/log/logger.ts';
import { folder } from '../support/collector.ts';
import { FakeClock } from '../transport/fake-clock.ts';

/** A stream that keeps lines. */
function memory(): LineStream & { lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    write(line, callback) {
      lines.push(line);
      callback();
    },
  };
}

const linesIn = (file: string): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');

/** Runs a script of its own that logs 5,000 lines into the file and exits; its exit code. */
async function exitAfter(body: string, file: string): Promise<number | null> {
  const logger = new URL('../../src/log/logger.ts', import.meta.url).href;
  const flush = new URL('../../src/log/flush-winston.ts', import.meta.url).href;
  const script = `
    import winston from 'winston';
    import { createLogger } from ${JSON.stringify(logger)};
    import { flushWinston } from ${JSON.stringify(flush)};
    const file = ${JSON.stringify(file)};
    const log = (logger) => { for (let i = 0; i < 5000; i++) logger.info('line ' + i); };
    const plain = () => winston.createLogger({ transports: [new winston.transports.File({ filename: file })] });
    ${body}
    process.exit(3);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [stderr, code] = await Promise.all([
    text(child.stderr),
    new Promise<number | null>((resolve) => child.on('exit', resolve)),
  ]);
  if (code !== 3) throw new Error(stderr);
  return code;
}

describe('a log file', () => {
  test('X19 has every line that the stream has, without the secrets, and is for its owner alone', async () => {
    const file = join(folder(), 'app.log');
    const stream = memory();
    const logger = createLogger({ file, stream, secrets: ['canary-1'] });
    for (let n = 0; n < 100; n++) logger.info(`line ${n} canary-1`);
    await logger.flush();
    expect(readFileSync(file, 'utf8')).toBe(stream.lines.join(''));
    expect(linesIn(file)).toHaveLength(100);
    expect(readFileSync(file, 'utf8')).not.toContain('canary-1');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('is appended to, and begun anew when it was moved away', async () => {
    const file = join(folder(), 'app.log');
    appendFileSync(file, 'before\n');
    const logger = createLogger({ file, stream: memory() });
    logger.info('one');
    await logger.flush();
    renameSync(file, `${file}.1`);
    logger.info('two');
    await logger.flush();
    expect(linesIn(`${file}.1`)).toEqual(['before', expect.stringContaining('one')]);
    expect(linesIn(file)).toEqual([expect.stringContaining('two')]);
  });

  test.each(['no-such-folder/app.log', '/dev/full'])(
    'B07 that can not be written is said once, throws nothing, and holds no flush: %s',
    async (name) => {
      const stream = memory();
      const logger = createLogger({ file: name.startsWith('/') ? name : join(folder(), name), stream });
      for (let n = 0; n < 3; n++) {
        logger.info(`line ${n}`);
        const since = performance.now();
        await logger.flush();
        expect(performance.now() - since).toBeLessThan(500);
      }
      expect(stream.lines).toHaveLength(4);
      expect(stream.lines.filter((line) => line.includes('cannot be written'))).toHaveLength(1);
    },
  );

  test('B07 says how many lines it lacks once it can be written again', async () => {
    const home = join(folder(), 'logs');
    const file = join(home, 'app.log');
    const logger = createLogger({ file, stream: memory() });
    for (const message of ['one', 'two']) {
      logger.info(message);
      await logger.flush();
    }
    expect(existsSync(home)).toBe(false);
    mkdirSync(home);
    for (const message of ['three', 'four']) {
      logger.info(message);
      await logger.flush();
    }
    // Two lines, and the one that said why.
    expect(linesIn(file)).toEqual([
      expect.stringContaining('three'),
      expect.stringMatching(/missing from the log file .*lines=3/u),
      expect.stringContaining('four'),
    ]);
  });

  test('is not waited for with lines of a level that is not written', async () => {
    const logger = createLogger({ file: '/dev/full', stream: memory(), level: 'error' });
    logger.error('one');
    await logger.flush();
    logger.warn('two');
    const since = performance.now();
    await logger.flush();
    expect(performance.now() - since).toBeLessThan(500);
  });
});

describe('a process that exits right after 5,000 lines', () => {
  test('B08 lacks most of them in the file of a winston logger that was not waited for', async () => {
    const file = join(folder(), 'app.log');
    await exitAfter('log(plain());', file);
    expect(existsSync(file) ? linesIn(file).length : 0).toBeLessThan(5_000);
  });

  test.each([
    ['a winston logger that was flushed', 'const logger = plain(); log(logger); await flushWinston(logger);'],
    ['our logger', 'const logger = createLogger({ file }); log(logger); await logger.flush();'],
  ])('B08 has all of them in the file of %s', async (_, body) => {
    const file = join(folder(), 'app.log');
    await exitAfter(body, file);
    const lines = linesIn(file);
    expect(lines).toHaveLength(5_000);
    expect(lines.at(-1)).toContain('line 4999');
  });
});

describe('the flush of a winston logger', () => {
  const stuck = (): winston.transport =>
    Object.assign(new winston.transports.Console({ silent: true }), { _final: () => undefined });

  test('waits no longer than it may for a transport that hangs', async () => {
    const clock = new FakeClock();
    const flushing = flushWinston(winston.createLogger({ transports: [stuck()] }), 300, clock);
    await clock.advance(299);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(await flushing).toBe(false);
  });

  test('may be asked for twice, and lines that come later do no harm', async () => {
    const file = join(folder(), 'app.log');
    const logger = winston.createLogger({ transports: [new winston.transports.File({ filename: file })] });
    logger.info('one');
    expect(await Promise.all([flushWinston(logger), flushWinston(logger)])).toEqual([true, true]);
    logger.info('late');
    await new Promise(setImmediate);
    expect(await flushWinston(logger, 60_000)).toBe(true);
    expect(linesIn(file)).toHaveLength(1);
  });

  test('says when a transport has failed', async () => {
    const logger = winston.createLogger({
      transports: [new winston.transports.File({ filename: '/dev/full' })],
    });
    logger.info('one');
    expect(await flushWinston(logger)).toBe(false);
  });
});
