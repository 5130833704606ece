/** Processes that write a table, to be killed, or to run out of room. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { until, within } from '../support/wait.ts';

const SCRIPT = fileURLToPath(new URL('./table.child.ts', import.meta.url));

export interface TableChild {
  /** Whole lines that it has written so far. */
  lines(): string[];
  kill(): Promise<void>;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
}

/** `hold`: begins a file and goes on living; `fill`: writes until it can't. Resolves when it has begun. */
export async function spawnTable(
  mode: 'hold' | 'fill',
  path: string,
  { fileKilobytes }: { fileKilobytes?: number } = {},
): Promise<TableChild> {
  const limit = fileKilobytes === undefined ? '' : `ulimit -f ${fileKilobytes};`;
  const child = spawn('bash', ['-c', `${limit} exec "$0" "$@"`, process.execPath, SCRIPT, mode, path], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const closed = once(child, 'close').then(([code]) => code as number | null);
  const lines = (): string[] => text.split('\n').slice(0, -1);
  await until('the child to begin', () => lines().length > 0);
  return {
    lines,
    async kill() {
      child.kill('SIGKILL');
      await within('the end of the child', closed);
    },
    ended: closed,
  };
}
