/** A second connection to a store, by which a commit lasts long enough to be met, and is seen to be under way. */
import { readdirSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** What each row is to take, ms: a full batch is then inside its transaction for a third of a second. */
const ROW_MS = 3;
const busyWork = (steps: number): string =>
  `SELECT count(*) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ${steps}) SELECT x FROM n)`;

/** Slows each insert into the table of candles by a trigger that counts. */
export function slowDown(path: string): void {
  const database = new DatabaseSync(path);
  try {
    const steps = 20_000;
    const began = performance.now();
    for (let time = 0; time < 10; time++) database.prepare(busyWork(steps)).get();
    const tookMs = (performance.now() - began) / 10;
    const wanted = Math.ceil((steps * ROW_MS) / tookMs);
    database.exec(`CREATE TRIGGER slow BEFORE INSERT ON candles BEGIN ${busyWork(wanted)}; END`);
  } finally {
    database.close();
  }
}

export class Brake implements Disposable {
  readonly #database: DatabaseSync;

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 0 });
  }

  /** Whether a transaction of another connection is writing at this moment. */
  isCommitting(): boolean {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
    } catch {
      return true;
    }
    this.#database.exec('ROLLBACK');
    return false;
  }

  /** Takes the write lock between two commits, so that the next one has to wait. */
  hold(withinMs: number): void {
    for (const end = performance.now() + withinMs; performance.now() < end; ) {
      try {
        this.#database.exec('BEGIN IMMEDIATE');
        return;
      } catch {
        // Commits follow each other closely: only asking all the time gets in between.
      }
    }
    throw new Error(`the write lock could not be had for ${withinMs} ms`);
  }

  release(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

/** Whether a thread of this process sleeps as SQLite does when a lock is another's. The event loop never does. */
export const waitsForLock = (pid: number): boolean =>
  readdirSync(`/proc/${pid}/task`).some((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/wchan`, 'utf8').includes('nanosleep');
    } catch {
      return false;
    }
  });
