/** The command line as a child process, in an empty folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { until, within } from '../support/wait.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly cwd: string;
  stdout(): string;
  stderr(): string;
  /** Waits until standard error or output has this text. */
  says(what: string | RegExp, timeoutMs?: number): Promise<void>;
  /** Waits for the end; fails by name when it does not come. */
  ended(timeoutMs?: number): Promise<Ended>;
}

/** An empty folder that is gone when the test is over. */
export function emptyFolder(finished: (work: () => void) => void = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), 'candlestate-cli-'));
  finished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

export const contentsOf = (folder: string): string[] => readdirSync(folder).sort();

/** The environment without what would configure the program. */
function cleanEnvironment(extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(CANDLESTATE_|BINANCE_|npm_|VITEST|NODE_OPTIONS|NODE_V8_COVERAGE)/u.test(name),
  );
  return { ...Object.fromEntries(inherited), NO_COLOR: '1', ...extra };
}

export function start(
  args: readonly string[],
  options: {
    cwd: string;
    env?: NodeJS.ProcessEnv;
    /** A file in place of the pipe. */
    stdout?: number;
    finished?: (work: () => void) => void;
  },
): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd,
    env: cleanEnvironment(options.env ?? {}),
    stdio: ['ignore', options.stdout ?? 'pipe', 'pipe'],
  });
  (options.finished ?? onTestFinished)(() => {
    child.kill('SIGKILL');
  });
  const chunks = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    chunks.stdout += chunk;
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    chunks.stderr += chunk;
  });
  const end = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...chunks }));
  });
  const name = `candlestate ${args.join(' ')}`;
  return {
    process: child,
    cwd: options.cwd,
    stdout: () => chunks.stdout,
    stderr: () => chunks.stderr,
    says: (what, timeoutMs = 10_000) => {
      const isThere = (text: string): boolean =>
        typeof what === 'string' ? text.includes(what) : what.test(text);
      return until(
        `${name} to say ${what}`,
        () => isThere(chunks.stderr) || isThere(chunks.stdout),
        timeoutMs,
      );
    },
    ended: (timeoutMs = 10_000) => within(`the end of ${name}`, end, timeoutMs),
  };
}
