/**
 * Run as a process of its own: `node child.ts <scene> [path]`. Each scene is a program that somebody might write, and
 * says `ready` on standard output when it may be ended.
 */
import { open } from 'node:fs';
import { Worker } from 'node:worker_threads';
import winston from 'winston';
import { ConfigurationError } from '../../src/errors.ts';
import { flushWinston } from '../../src/log/flush-winston.ts';
import { createLogger } from '../../src/log/logger.ts';
import type { Logger } from '../../src/ports.ts';
import { keepThread } from '../../src/store/threads.ts';
import { SqliteWriter } from '../../src/store/writer.ts';
import { type Application, type RunOptions, runApplication } from '../../src/supervisor/run.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { at, bar } from '../pipeline/candles.ts';

const [scene = '', path = ''] = process.argv.slice(2);
const never = new Promise<never>(() => undefined);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const listeners = (): number[] =>
  ['SIGINT', 'SIGTERM', 'uncaughtException', 'unhandledRejection'].map((event) =>
    process.listenerCount(event),
  );

/** Runs and holds the process until it is stopped. */
function application(change: Partial<Application> = {}): Application {
  const stopped = Promise.withResolvers<{ reason: string; sound: boolean }>();
  let hold: NodeJS.Timeout | undefined;
  return {
    start: async () => {
      hold = setInterval(() => undefined, 1_000);
    },
    stop: async ({ reason }) => {
      clearInterval(hold);
      stopped.resolve({ reason, sound: true });
      return { sound: true };
    },
    ended: stopped.promise,
    ...change,
  };
}

const hanging = (): Application =>
  application({
    pending: ['orders', 'prices'],
    stop: () => {
      say('stopping');
      return never;
    },
    ended: never,
  });

async function run(app: Application, options: RunOptions = {}): Promise<void> {
  const before = listeners();
  const code = await runApplication(app, { onStarted: () => say('ready'), ...options });
  say(JSON.stringify({ code, exitCode: process.exitCode, before, after: listeners() }));
}

/** Has written 5,000 lines just before the signals, and hangs then. */
function logs(logger: Logger & { flush(): Promise<unknown> }): Promise<void> {
  return run(hanging(), {
    logger,
    onStarted: () => {
      for (let n = 0; n < 5_000; n++) logger.info(`line ${n}`);
      say('ready');
    },
  });
}

/** Commits bars one after the other, and says what it begins and what is done. */
async function commits(): Promise<void> {
  const writer = new SqliteWriter({ path, origin: 'simulator', clock: systemClock });
  await writer.open();
  say('ready');
  for (let n = 0; ; n++) {
    say(`begun ${n}`);
    await writer.commit([{ candle: bar(at(n)) }], n);
    say(`done ${n}`);
  }
}

/** A thread that is inside one SQLite statement for longer than anybody waits. */
function stuckThread(): void {
  const code = `
    const { DatabaseSync } = require('node:sqlite');
    require('node:worker_threads').parentPort.postMessage('in');
    new DatabaseSync(':memory:').exec(
      'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 1000000000) SELECT count(*) FROM n');`;
  const worker = new Worker(code, { eval: true });
  keepThread(worker);
  worker.on('message', () => say('ready'));
}

const scenes: Readonly<Record<string, () => unknown>> = {
  runs: () => run(application()),
  /** Its components have nothing open and only wait to be told. */
  waits: () => run(application({ start: async () => undefined })),
  /** Waits for what never comes, and nothing is open meanwhile. */
  hangsAtStart: () => {
    const start = (): Promise<never> => {
      say('ready');
      return never;
    };
    return run(application({ start }));
  },
  ends: () => run(application(), { durationMs: 20 }),
  faults: () =>
    run(application(), { onStarted: () => void setTimeout(() => Promise.reject(new Error('surprise')), 1) }),
  /** Something goes wrong in the very last step of its stop, and nobody waits for it. */
  faultsAtLast: () => {
    const app = application();
    const stop: Application['stop'] = async (how) => {
      const report = await app.stop(how);
      void Promise.reject(new Error('surprise'));
      return report;
    };
    return run({ ...app, stop }, { durationMs: 20 });
  },
  misconfigured: () => {
    const issue = { option: 'symbols', given: '[]', allowed: 'at least one' };
    return run(application({ start: () => Promise.reject(new ConfigurationError([issue])) }));
  },
  logs: () => logs(createLogger({ file: path })),
  /** A logger that is not ours. */
  winston: () => {
    const logger = winston.createLogger({ transports: [new winston.transports.File({ filename: path })] });
    return logs(Object.assign(logger, { flush: () => flushWinston(logger) }));
  },
  /** More than a pipe holds, and nobody reads it. */
  stalled: () => {
    const logger = createLogger();
    return run(hanging(), {
      logger,
      onStarted: () => {
        for (let n = 0; n < 5_000; n++) logger.info(`line ${n} ${'x'.repeat(200)}`);
        say('ready');
      },
    });
  },
  /** The logger fails each time, at once and later. */
  brokenLogger: () => {
    const fail = (): void => {
      process.nextTick(() => {
        throw new Error('the logger, later');
      });
      throw new Error('the logger, at once');
    };
    const logger = { debug: fail, info: fail, warn: fail, error: fail };
    return run(application(), { logger });
  },
  commits: () => {
    void commits();
    return run(hanging(), { onStarted: () => undefined });
  },
  stuckThread: () => {
    stuckThread();
    return run(hanging(), { onStarted: () => undefined });
  },
  /** A thread of Node's pool waits for a reader that never comes, as it might for a name server. */
  stuckPool: () => {
    open(path, 'w', () => undefined);
    return run(hanging(), { onStarted: () => say('ready') });
  },
  /** Has all of the library at hand, and leaves signals alone. */
  abstains: async () => {
    await import('../../src/index.ts');
    await application().start();
    say(JSON.stringify(listeners()));
    say('ready');
  },
  writes: () =>
    run(application(), { onStarted: () => void setInterval(() => say('x'.repeat(1_000)), 1).unref() }),
};

await scenes[scene]?.();
