/** The paper trader as a user starts it, in an empty folder of its own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { until, within } from '../support/wait.ts';

export const FOLDER = fileURLToPath(new URL('../../docs/examples/paper-trader', import.meta.url));
const FLAGS = ['--conditions=candlestate-source', '--disable-warning=ExperimentalWarning'];

/** On a busy machine a process takes seconds to come up, and one of these tests starts three. */
const PATIENCE_MS = 60_000;

type Finished = (work: () => void) => void;

/** An empty folder that is gone when the test is over. */
export function emptyFolder(finished: Finished): string {
  const folder = mkdtempSync(join(tmpdir(), 'candlestate-paper-'));
  finished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Runs `main.ts`, or another program of the folder, with `paper.db` and `paper.log` in `cwd`. */
export function startTrader(args: readonly string[], cwd: string, finished: Finished, program = 'main.ts') {
  const child = spawn(process.execPath, [...FLAGS, join(FOLDER, program), ...args], {
    cwd,
    // As from a shell: under npm two signals of a kind would be one.
    env: { ...process.env, NO_COLOR: '1', npm_lifecycle_event: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  finished(() => void child.kill('SIGKILL'));
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
    });
  const code = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve(status ?? signal));
  });
  return {
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    /** Waits until its log says this. */
    says: (what: string | RegExp) =>
      until(`the trader to say ${what}`, () => text.stderr.search(what) >= 0, PATIENCE_MS),
    /** Exit code, or the signal that ended it. */
    ended: () => within('the end of the trader', code, PATIENCE_MS),
  };
}

export const logIn = (cwd: string): string => readFileSync(join(cwd, 'paper.log'), 'utf8');

/** Rows of its database, read as any other program would. */
export function rowsIn<Row = Record<string, number | string>>(path: string, sql: string): Row[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db.prepare(sql).all() as Row[];
  } finally {
    db.close();
  }
}

/** Orders whose fills are not what their row says. Empty: each order and its fills were written together. */
export const unevenOrders = (path: string): object[] =>
  rowsIn(
    path,
    `SELECT id, filled, (SELECT coalesce(sum(lots), 0) FROM fills WHERE order_id = orders.id) AS sum
     FROM orders WHERE filled <> sum`,
  );
