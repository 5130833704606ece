/** Real processes and real signals: what a shell sees of an end. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { folder } from '../support/collector.ts';
import { until, within } from '../support/wait.ts';

const SCRIPT = fileURLToPath(new URL('./child.ts', import.meta.url));

/** Well under a second, also on a machine that is busy. */
const QUICK_MS = 700;

/** Without what says that npm has started us: two signals would be one then. */
const { npm_lifecycle_event: _, ...environment } = process.env;

/** A child that plays a scene. Its standard error is read unless `stalled`. */
function play(scene: string, path = '', stalled = false) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', SCRIPT, scene, path], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const text = { stdout: '', stderr: '' };
  const read = (name: 'stdout' | 'stderr'): void =>
    void child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
    });
  read('stdout');
  if (!stalled) read('stderr');
  const exited = new Promise<number | string | null>((resolve) =>
    child.on(stalled ? 'exit' : 'close', (code, signal) => resolve(code ?? signal)),
  );
  const ready = () => until(`${scene} to be ready`, () => text.stdout.includes('ready'));
  return {
    text,
    child,
    ready,
    ended: () => within(`the end of ${scene}`, exited),
    /** Sends signals, each when the one before was seen; resolves to the code and how long it took from the last. */
    async signalled(...signals: NodeJS.Signals[]) {
      for (const [index, signal] of signals.entries()) {
        if (index > 0) await until('the stop to begin', () => text.stdout.includes('stopping'));
        child.kill(signal);
      }
      const since = performance.now();
      const code = await within(`the end of ${scene}`, exited);
      const took = performance.now() - since;
      return { code, took };
    },
  };
}

/** What the child printed of its own end. */
const lastLine = (stdout: string): unknown => JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');

describe('a program that runs an application', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('L03 ends by one %s with %i, and has given every listener back', async (signal, code) => {
    const program = play('runs');
    await program.ready();
    expect(await program.signalled(signal)).toMatchObject({ code });
    const before = [0, 0, 0, 0];
    expect(lastLine(program.text.stdout)).toEqual({ code, exitCode: code, before, after: before });
  });

  test.each(['waits', 'hangsAtStart'])(
    'that has nothing open lives until it is told to stop, and is stopped then: %s',
    async (scene) => {
      const program = play(scene);
      await program.ready();
      // An empty event loop would have ended it in far less.
      await sleep(200);
      expect(program.child.exitCode).toBe(null);
      expect(await program.signalled('SIGTERM')).toMatchObject({ code: 143 });
      expect(program.text.stderr).not.toContain('kept the process alive');
    },
  );

  test.each([
    ['ends', 0, ''],
    ['faults', 1, 'surprise'],
    ['faultsAtLast', 1, 'a fault that nobody caught'],
    ['misconfigured', 2, 'symbols'],
  ])('that %s ends with %i', async (scene, code, said) => {
    const program = play(scene);
    expect(await program.ended()).toBe(code);
    expect(program.text.stderr).toContain(said);
  });

  test('ends also when its logger fails each time, at once and later', async () => {
    const program = play('brokenLogger');
    await program.ready();
    expect(await program.signalled('SIGINT')).toMatchObject({ code: 1 });
  });

  test('B06 ends with 0 and without a word when the reader of its output goes away', async () => {
    const program = play('writes');
    await until('some output', () => program.text.stdout.length > 0);
    program.child.stdout.destroy();
    expect(await program.ended()).toBe(0);
    expect(program.text.stderr).not.toMatch(/error|EPIPE/u);
  });

  test('that does not ask for it keeps the signals as they are', async () => {
    const program = play('abstains');
    await program.ready();
    expect(program.text.stdout).toContain('[0,0,0,0]');
    expect(await program.signalled('SIGINT')).toMatchObject({ code: 'SIGINT' });
  });
});

describe('two signals', () => {
  test.each([
    ['our logger', 'logs', / line \d+$/u, /pending=\["orders","prices"\]/u],
    ["a winston logger of the program's own", 'winston', /"line \d+"/u, /"pending":\["orders","prices"\]/u],
  ])(
    'L03 end it with 1, and the log file has every line before, where it stood, and what was pending: %s',
    async (_, scene, numbered, pending) => {
      const file = join(folder(), 'app.log');
      const program = play(scene, file);
      await program.ready();
      const { code, took } = await program.signalled('SIGINT', 'SIGTERM');
      expect(code).toBe(1);
      expect(took).toBeLessThan(QUICK_MS);
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
      expect(lines.filter((line) => numbered.test(line))).toHaveLength(5_000);
      expect(lines.at(-1)).toMatch(/Forced exit requested/u);
      expect(lines.at(-1)).toMatch(/stack.*Error: Forced exit requested\\n +at /u);
      expect(lines.at(-1)).toMatch(pending);
    },
  );

  test('end it with 1 in well under a second though nobody reads its log', async () => {
    const program = play('stalled', '', true);
    await program.ready();
    const { code, took } = await program.signalled('SIGTERM', 'SIGINT');
    expect(code).toBe(1);
    expect(took).toBeLessThan(QUICK_MS);
  });

  test('end it with 1 in well under a second while another program holds the store, which stays sound', async () => {
    const path = join(folder(), 'store.db');
    const program = play('commits', path);
    await program.ready();
    const other = new DatabaseSync(path, { timeout: 5_000 });
    onTestFinished(() => other.close());
    other.exec('BEGIN IMMEDIATE');
    const said = (): string[] => program.text.stdout.trimEnd().split('\n');
    let since = performance.now();
    let seen = said().length;
    await until('a commit that waits', () => {
      if (said().length !== seen) [seen, since] = [said().length, performance.now()];
      return performance.now() - since > 60;
    });
    const { code, took } = await program.signalled('SIGINT', 'SIGTERM');
    expect(code).toBe(1);
    expect(took).toBeLessThan(QUICK_MS);
    other.exec('ROLLBACK');
    expect(other.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    const done = said().filter((line) => line.startsWith('done')).length;
    expect(Number(other.prepare('SELECT count(*) AS n FROM candles').get()?.['n'])).toBeGreaterThanOrEqual(
      done,
    );
  });

  test.each(['stuckThread', 'stuckPool'])('end it with 1 in well under a second: %s', async (scene) => {
    const path = join(folder(), 'pipe');
    execFileSync('mkfifo', [path]);
    const program = play(scene, path);
    await program.ready();
    const { code, took } = await program.signalled('SIGINT', 'SIGINT');
    expect(code).toBe(1);
    expect(took).toBeLessThan(QUICK_MS);
    expect(program.text.stderr).toContain('Forced exit requested');
  });
});
