/** What a crash leaves of a store, made to order: its file and its WAL, byte by byte. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import type { Candle } from '../../machines/model/kline.ts';
import { StoreDatabase } from '../../src/store/database.ts';
import { at, bar } from '../pipeline/candles.ts';
import { rows } from '../store/stores.ts';
import { folder, query, storedCandles } from '../support/collector.ts';

/** The smallest part that a disk writes as a whole. */
export const SECTOR = 512;
export const PAGE = 4096;
const WAL_HEADER = 32;
export const FRAME_HEADER = 24;
export const FRAME = FRAME_HEADER + PAGE;

export interface Files {
  readonly db: Buffer;
  readonly wal: Buffer;
}

export interface Leftovers extends Files {
  /** The WAL as it was before the rows that lie in it were written: those of earlier ones, which are in the file. */
  readonly walBefore: Buffer;
  /** Bars that are in the file. */
  readonly inFile: number;
  /** Bars with every batch, in order. */
  readonly total: number;
  /** Where the last batch begins in the WAL. */
  readonly lastBatchAt: number;
}

const holder = { pid: process.pid, host: 'here', since: 0 };

/** A store of which a part of the bars is in the file, and the others are in the WAL, in batches. */
export function leftovers(inFile = 100, batches = [40, 1, 7, 60, 12]): Leftovers {
  const path = join(folder(), 'candles.db');
  const { database } = StoreDatabase.open({ path, origin: 'simulator', holder });
  const wal = (): Buffer => readFileSync(`${path}-wal`);
  for (let from = 0; from < inFile; from += 10) database.commit(rows(from, from + 10), at(from));
  const other = new DatabaseSync(path);
  other.exec('PRAGMA wal_checkpoint(PASSIVE)');
  other.close();
  const walBefore = wal();
  let total = inFile;
  let lastBatchAt = 0;
  for (const count of batches) {
    lastBatchAt = endOf(wal());
    database.commit(rows(total, total + count), at(total));
    total += count;
  }
  const files = { db: readFileSync(path), wal: wal() };
  database.close(at(total));
  return { ...files, walBefore, inFile, total, lastBatchAt };
}

/** The frames of a WAL, the oldest first: those that begin with the salt of its header. */
export function framesOf(wal: Buffer): { at: number; page: number; isCommit: boolean }[] {
  const frames: { at: number; page: number; isCommit: boolean }[] = [];
  for (let at = WAL_HEADER; at + FRAME <= wal.length; at += FRAME) {
    if (!wal.subarray(at + 8, at + 16).equals(wal.subarray(16, 24))) break;
    frames.push({ at, page: wal.readUInt32BE(at), isCommit: wal.readUInt32BE(at + 4) > 0 });
  }
  return frames;
}

const endOf = (wal: Buffer): number => (framesOf(wal).at(-1)?.at ?? WAL_HEADER - FRAME) + FRAME;

let made = 0;
const place = (within: string): string => {
  const path = join(within, String(made++));
  mkdirSync(path);
  return join(path, 'candles.db');
};

/** Lays them down as a store in a folder of its own below. */
export function lay(within: string, { db, wal }: Files): string {
  const path = place(within);
  writeFileSync(path, db);
  writeFileSync(`${path}-wal`, wal);
  return path;
}

/** Bars as they must be, as JSON. */
const asWritten = (count: number): string =>
  JSON.stringify(rows(0, count).map((row) => 'candle' in row && row.candle));

/** What another program finds: a sound file, the first bars and no others, each as it was written, the mark at the last. How many. */
export function prefixIn(path: string): number {
  const stored = storedCandles(path);
  expect(query(path, 'PRAGMA quick_check')).toEqual([{ quick_check: 'ok' }]);
  expect(JSON.stringify(stored) === asWritten(stored.length), `${stored.length} bars`).toBe(true);
  expect(query(path, 'SELECT from_open_time AS first, open_time AS last FROM watermarks')).toEqual([
    { first: at(0), last: at(stored.length - 1) },
  ]);
  return stored.length;
}

/** The same for the next run, which opens it to write, and closes it. */
export function openedPrefixIn(path: string): number {
  const { database, opened } = StoreDatabase.open({ path, origin: 'simulator', holder });
  database.close(Number.NaN);
  const count = prefixIn(path);
  expect(opened.watermarks).toMatchObject([{ openTime: at(count - 1), wholeFrom: at(0) }]);
  expect(query(path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  return count;
}

/** The bars that are not as they were written. */
export const changedIn = (stored: readonly Candle[]): Candle[] =>
  stored.filter((one, index) => JSON.stringify(one) !== JSON.stringify(bar(at(index))));
