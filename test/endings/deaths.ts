/** Odd deaths: readers that go away or stall, a terminal that is gone, a process that sleeps, faults, a full disk. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Case, mustEnd, mustHold, mustTakeLess } from './cases.ts';
import { collect, collects, collectWords, storeIn } from './collect.ts';
import type { EmbedderOptions, Fault } from './embedder.ts';
import { Child, EMBEDDER, quoted } from './launch.ts';
import { factsOf, remainsOf } from './store-facts.ts';

const QUIET = ['--log-level', 'warn'];
const LINES = ['--stdout', 'jsonl'];
/** A stop's five seconds, and what a process may take to leave. */
const STOP_MS = 6_000;

/** `collect` in a shell, with redirections of it. */
const inShell = (folder: string, flags: readonly string[], redirections: string): Child =>
  new Child(['sh', '-c', `exec ${quoted(collectWords(folder, ...flags))} ${redirections}`], { cwd: folder });

/** One signal, sent to a collector that streams; how it ended. */
async function stopBy(child: Child, folder: string, signal: NodeJS.Signals): Promise<string> {
  const wanted = signal === 'SIGINT' ? 130 : 143;
  const askedAt = child.kill(signal);
  const { code, killed, at } = await child.end();
  mustHold([
    mustEnd(code, wanted),
    killed && 'a signal ended it',
    mustTakeLess(at - askedAt, STOP_MS),
    ...remainsOf(storeIn(folder)),
  ]);
  return `exit ${code} after ${(at - askedAt).toFixed(0)} ms`;
}

const head: Case = {
  name: 'B06 --stdout jsonl | head -1 → 0, and not a word on standard error',
  async run(folder) {
    const words = quoted(collectWords(folder, ...LINES, ...QUIET));
    await using child = new Child(['sh', '-c', `{ ${words}; echo $? >code; } | head -1`], { cwd: folder });
    const { stdout, stderr } = await child.end();
    const code = Number(readFileSync(join(folder, 'code'), 'utf8'));
    const { type } = JSON.parse(stdout) as { type: string };
    mustHold([
      mustEnd(code, 0),
      type !== 'candle' && `the line was a ${type}`,
      stderr !== '' && `it said: ${stderr}`,
      ...remainsOf(storeIn(folder)),
    ]);
    return `exit ${code}`;
  },
};

const closedFromTheStart = (redirections: string, name: string): Case => ({
  name: `${name} closed from the start: it collects, and ends with 0 when its time is up`,
  async run(folder) {
    await using child = inShell(folder, [...LINES, '--duration', '2s'], redirections);
    const { code } = await child.end();
    mustHold([
      mustEnd(code, 0),
      ...remainsOf(storeIn(folder)),
      factsOf(storeIn(folder)).candles === 0 && 'it collected nothing',
    ]);
    return `exit ${code}`;
  },
});

const logReaderGone: Case = {
  name: 'the reader of standard error goes away: it collects on; SIGTERM → 143',
  async run(folder) {
    await using child = collect(folder);
    await child.says('closed BTCUSDT');
    child.process.stderr?.destroy();
    const bars = factsOf(storeIn(folder)).candles;
    await sleep(500);
    mustHold([factsOf(storeIn(folder)).candles <= bars && 'it no longer collected']);
    return await stopBy(child, folder, 'SIGTERM');
  },
};

const bothReadersGone: Case = {
  name: 'B06 the readers of both outputs go away: --stdout jsonl ends with 0',
  async run(folder) {
    await using child = collect(folder, LINES);
    await child.says('"type":"candle"');
    child.process.stderr?.destroy();
    child.process.stdout?.destroy();
    const { code } = await child.end();
    mustHold([mustEnd(code, 0), ...remainsOf(storeIn(folder))]);
    return `exit ${code}`;
  },
};

/** A pipe that is full and that nobody reads, for as long as `use` takes. */
async function withFullPipe<T>(folder: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    for (const chunk of [Buffer.alloc(4_096, 32), Buffer.alloc(1, 32)])
      try {
        for (;;) writeSync(pipe, chunk);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
    return await use(path);
  } finally {
    closeSync(pipe);
  }
}

const stalledOnce: Case = {
  name: 'the reader of the log has stalled: SIGTERM → 143 within the stop’s time',
  run: (folder) =>
    withFullPipe(folder, async (pipe) => {
      await using child = inShell(folder, ['--log-level', 'debug'], `2>${pipe}`);
      await collects(folder);
      return await stopBy(child, folder, 'SIGTERM');
    }),
};

/** Two signals; the second is to end it at once. */
async function forceEnd(child: Child, apartMs: number): Promise<string> {
  child.kill('SIGINT');
  await sleep(apartMs);
  const askedAt = child.kill('SIGTERM');
  const { code, at } = await child.end();
  mustHold([mustEnd(code, 1), mustTakeLess(at - askedAt, 1_000)]);
  return `exit ${code} after ${(at - askedAt).toFixed(0)} ms`;
}

const stalledTwice: Case = {
  name: 'the reader of the log has stalled under a flood of lines: two signals → 1, in under a second',
  run: (folder) =>
    withFullPipe(folder, async (pipe) => {
      const stderr = openSync(pipe, constants.O_WRONLY);
      await using child = embed(folder, {}, stderr);
      closeSync(stderr);
      await collects(folder);
      const seen = await forceEnd(child, 5);
      mustHold(factsOf(storeIn(folder)).complaints);
      return seen;
    }),
};

const linesStalled: Case = {
  name: 'the reader of the JSON lines has stalled: SIGTERM → 143 within the stop’s time',
  run: (folder) =>
    withFullPipe(folder, async (pipe) => {
      await using child = inShell(folder, LINES, `>${pipe}`);
      await collects(folder);
      return await stopBy(child, folder, 'SIGTERM');
    }),
};

const hangup: Case = {
  name: 'SIGHUP, the terminal is gone: a stop as any other → 129',
  async run(folder) {
    await using child = collect(folder);
    await child.says('closed BTCUSDT');
    child.kill('SIGHUP');
    const { code, stderr } = await child.end();
    mustHold([
      mustEnd(code, 129),
      !stderr.includes('checks ok') && 'it was not closed',
      ...factsOf(storeIn(folder)).complaints,
    ]);
    return `exit ${code}`;
  },
};

const brokenPipe: Case = {
  name: 'SIGPIPE means nothing to it: it collects on; SIGINT → 130',
  async run(folder) {
    await using child = collect(folder);
    await child.says('closed BTCUSDT');
    child.kill('SIGPIPE');
    await sleep(300);
    return await stopBy(child, folder, 'SIGINT');
  },
};

const suspended: Case = {
  name: 'suspended, told to end, and woken: SIGSTOP, SIGTERM, SIGCONT → 143',
  async run(folder) {
    await using child = collect(folder);
    await child.says('closed BTCUSDT');
    child.kill('SIGSTOP');
    child.kill('SIGTERM');
    await sleep(300);
    mustHold([child.process.exitCode !== null && 'it ended while it was suspended']);
    child.kill('SIGCONT');
    const { code, killed } = await child.end();
    mustHold([mustEnd(code, 143), killed && 'a signal ended it', ...remainsOf(storeIn(folder))]);
    return `exit ${code}`;
  },
};

const young = (ageMs: number): Case => ({
  name: `SIGTERM ${ageMs} ms after its birth → 143, and no half-made store`,
  async run(folder) {
    await using child = collect(folder);
    await sleep(ageMs);
    child.kill('SIGTERM');
    const { code, killed } = await child.end();
    mustHold([mustEnd(code, 143), ...remainsOf(storeIn(folder))]);
    return `exit ${code}${killed ? ', ended by the signal' : ''}`;
  },
});

/** The embedder on an embedded exchange. */
function embed(folder: string, more: Partial<EmbedderOptions>, stderr: number | 'pipe' = 'pipe'): Child {
  const options: EmbedderOptions = {
    collect: {
      symbols: ['BTCUSDT'],
      intervals: ['1m'],
      network: 'simulator',
      timeScale: 300,
      store: storeIn(folder),
    },
    numberFile: join(folder, 'number.txt'),
    ...more,
  };
  return new Child(EMBEDDER, {
    cwd: folder,
    env: { EMBEDDER: JSON.stringify(options) },
    stdio: ['ignore', 'ignore', stderr],
  });
}

const faulty = (fault: Fault, name: string): Case => ({
  name: `${name}: it stops with 1`,
  async run(folder) {
    await using child = embed(folder, { fault });
    const { code, stderr } = await child.end();
    mustHold([
      mustEnd(code, 1),
      !stderr.includes('of a listener') && 'the fault is not in the log',
      !stderr.includes('stopping → stopped') && 'the collector was not stopped',
      ...remainsOf(storeIn(folder)),
    ]);
    return `exit ${code}`;
  },
});

const diskFull: Case = {
  name: 'S06 no file may grow any more (ulimit -f) in mid-run: SIGINT → 1, and the log names the rows',
  async run(folder) {
    // In blocks of 512 bytes: room for the tables and some batches, not for the history.
    const words = quoted(collectWords(folder, '--backfill', '3d', ...QUIET));
    await using child = new Child(['sh', '-c', `ulimit -f 400; exec ${words}`], { cwd: folder });
    await child.says(/disk|full|too large|I\/O/u);
    const askedAt = child.kill('SIGINT');
    const { code, stderr, at } = await child.end();
    mustHold([
      mustEnd(code, 1),
      mustTakeLess(at - askedAt, STOP_MS),
      !/\brows?\b.*\d|\d.*\brows?\b/u.test(stderr) && 'the rows that were lost are not named',
      ...factsOf(storeIn(folder)).complaints,
    ]);
    const named = /rows=\d+/u.exec(stderr)?.[0] ?? 'rows';
    return `exit ${code} after ${(at - askedAt).toFixed(0)} ms, ${named}`;
  },
};

export const DEATHS: readonly Case[] = [
  head,
  closedFromTheStart('2>&-', 'standard error'),
  closedFromTheStart('>&- 2>&-', 'both outputs'),
  logReaderGone,
  bothReadersGone,
  stalledOnce,
  stalledTwice,
  linesStalled,
  hangup,
  brokenPipe,
  suspended,
  ...[50, 100, 200, 400].map(young),
  faulty('rejection', 'L11 a listener of an embedder leaves a rejection unhandled'),
  faulty('exception', 'L11 a listener of an embedder leaves an exception uncaught'),
  faulty('observer', 'A02 an observer that an embedder gave the actor throws'),
  diskFull,
];
