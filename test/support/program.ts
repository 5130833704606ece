/** The command line as a child process, without a test runner: for scripts and for tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
/** The same, after `npm run build`. */
export const BUILT = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface Program {
  readonly process: ChildProcess;
  /** Whole lines of standard output so far. */
  lines(): readonly string[];
  stderr(): string;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Starts `candlestate` with these arguments; nothing of the environment configures it. */
export function startProgram(args: readonly string[], cwd: string, main = MAIN): Program {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(CANDLESTATE_|BINANCE_|npm_|VITEST|NODE_OPTIONS|NODE_V8_COVERAGE)/u.test(name),
  );
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
    });
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 1));
  });
  return {
    process: child,
    lines: () => text.stdout.split('\n').slice(0, -1),
    stderr: () => text.stderr,
    ended,
  };
}

/** Waits for something that a child will bring about; throws by name when it does not. */
export async function comes<T>(
  what: string,
  look: () => T | undefined | false,
  timeoutMs = 20_000,
): Promise<T> {
  for (const end = performance.now() + timeoutMs; performance.now() < end; ) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
}
