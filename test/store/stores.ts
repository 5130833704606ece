import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach } from 'vitest';
import type { Row } from '../../machines/model/row.ts';
import { SqliteWriter } from '../../src/store/writer.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { at, bar } from '../pipeline/candles.ts';

/** A folder of its own for each test, and writers that are ended with it. */
export function useFolder() {
  const here = { folder: '', path: '' };
  const writers: SqliteWriter[] = [];
  const workers: Worker[] = [];
  const remember = (worker: Worker): void => void workers.push(worker);
  beforeEach(() => {
    here.folder = mkdtempSync(join(tmpdir(), 'candlestate-'));
    here.path = join(here.folder, 'store.db');
    process.on('worker', remember);
  });
  afterEach(async () => {
    process.off('worker', remember);
    for (const writer of writers.splice(0)) writer.terminate();
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
    rmSync(here.folder, { recursive: true });
  });
  return {
    here,
    /** The threads that were started, oldest first. */
    workers,
    writer(origin = 'simulator', path = here.path): SqliteWriter {
      const writer = new SqliteWriter({ path, origin, clock: systemClock });
      writers.push(writer);
      return writer;
    },
  };
}

export const rows = (from: number, to: number): Row[] =>
  Array.from({ length: to - from }, (_, index) => ({ candle: bar(at(from + index)) }));

/** Runs one statement on its own connection, as another program would. */
export function query(path: string, sql: string, readOnly = true): Record<string, unknown>[] {
  const database = new DatabaseSync(path, { readOnly, timeout: 1_000 });
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}

/** Runs statements on a connection that may write. */
export function execute(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

/** Every file of a folder with what is in it. */
export const filesOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      ]),
  );

/** File descriptors of this process on files below a folder. */
export function openFilesBelow(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(folder) ? [target] : [];
    } catch {
      return [];
    }
  });
}
