/** A process of its own that looks through a store, and what it is asked. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../ports.ts';
import type { FileQuestion } from './check.file.ts';
import type { VerifyQuestion } from './verify.file.ts';

/** What it can be asked: whether a run has left a store as it should be, or all that is wrong with one. */
export type LookQuestion =
  | (FileQuestion & { readonly look: 'check' })
  | (VerifyQuestion & { readonly look: 'verify' });

export interface LookBounds {
  /** It is killed after this, ms; undefined: it takes what it takes. */
  readonly timeoutMs?: number | undefined;
  /** Kills it. */
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
}

/** Beside the sources it is TypeScript, beside the bundle it is not. */
const CHILD_URL = new URL(
  import.meta.url.endsWith('.ts') ? './check.child.ts' : './check.child.js',
  import.meta.url,
);

/**
 * Asks a process, and tells each thing that it says as it says it. Resolves to how it ended, for people; never rejects.
 */
export function askProcess(
  question: LookQuestion,
  { timeoutMs, signal, clock }: LookBounds,
  tell: (said: unknown) => void,
): Promise<string> {
  return new Promise<string>((resolve) => {
    // Options of Node meant for this process, as a port to debug it by, are not for that one.
    const { NODE_OPTIONS: _, ...env } = process.env;
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', fileURLToPath(CHILD_URL)],
      {
        stdio: ['pipe', 'pipe', 'ignore'],
        env,
        windowsHide: true,
      },
    );
    // Nobody would hear what it finds, and its deadline would end with us.
    const onExit = (): void => void child.kill('SIGKILL');
    process.once('exit', onExit);
    const finish = (how: string): void => {
      process.off('exit', onExit);
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      child.stdin?.destroy();
      child.stdout?.destroy();
      child.removeAllListeners().on('error', () => {});
      child.kill('SIGKILL');
      child.unref();
      resolve(how);
    };
    const onAbort = (): void => finish('it was cut short');
    const timer =
      timeoutMs === undefined
        ? undefined
        : clock.setTimeout(() => finish(`it took longer than ${Math.round(timeoutMs)} ms`), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    child.on('error', (error) => finish(couldNotStart(error)));
    // It could not be started, and has perhaps not even streams; the error follows.
    if (child.pid === undefined) return;
    child.on('close', (code, by) =>
      finish(`the process that looked ended early (${by ?? `exit code ${code}`})`),
    );
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) tell(JSON.parse(line));
    });
    // It may be gone before it has read all.
    child.stdin.on('error', () => {});
    child.stdin.end(JSON.stringify(question));
  }).catch(couldNotStart);
}

/** For instance where processes are not permitted. */
const couldNotStart = (error: Error): string => `no process could be started for it: ${error.message}`;
