import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import { until, within } from '../support/wait.ts';

const SCRIPT = fileURLToPath(new URL('./child.ts', import.meta.url));

/** What a child does; see `child.ts`. */
export type ChildMode = 'hold' | 'commit' | 'correct' | 'look' | 'load';

export interface Child {
  readonly process: ChildProcess;
  /** Whole lines that it has written so far. */
  lines(): string[];
  kill(): Promise<void>;
}

/** Child processes that are killed with the test. */
export function useProcesses() {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  return function start(mode: ChildMode, path: string): Child {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', SCRIPT, mode, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let text = '';
    child.stdout.on('data', (data: Buffer) => {
      text += data.toString();
    });
    return {
      process: child,
      lines: () => text.split('\n').slice(0, -1),
      async kill() {
        const closed = once(child, 'close');
        child.kill('SIGKILL');
        await within('the end of the child', closed);
      },
    };
  };
}

export const said = (child: Child, lines: number): Promise<void> =>
  until(`${lines} lines of the child`, () => child.lines().length >= lines);
