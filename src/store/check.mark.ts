/** How a store stands before a run, so that it can be told afterwards what the run did to it. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { StoreError } from '../errors.ts';
import { heldOf } from './held-files.ts';
import { asStoreError, checkFolder, inspectFile, openToLook } from './identity.ts';
import { lockFileOf, refuseLocked } from './lock.ts';
import type { Watermark } from './marks.ts';
import { WATERMARKS } from './schema.ts';

export interface StoreMark {
  readonly exists: boolean;
  /** When its lock file was last written, local ms; NaN when there is none. A writer that opens the store writes it. */
  readonly lockedAt: number;
  readonly watermarks: readonly Watermark[];
  /** What of its files this process holds already, for reasons of its own. */
  readonly held: readonly string[];
}

/**
 * Looks at a store that is about to be used, without touching it: throws what opening it would throw, as far as that
 * can be known.
 *
 * @throws {StoreError} `STORE_LOCKED`, `STORE_ORIGIN` (when `origin` is given), `STORE_FOREIGN`, `STORE_NEWER`,
 * `STORE_UNUSABLE`.
 */
export function markStore(path: string, origin?: string): StoreMark {
  try {
    const { exists } = inspectFile(path, origin);
    checkFolder(path);
    refuseLocked(path);
    const watermarks = exists ? readWatermarks(path) : [];
    return { exists, lockedAt: lockedAt(path), watermarks, held: heldBefore(path) };
  } catch (error) {
    throw error instanceof StoreError ? error : asStoreError(error, path);
  }
}

/** Whether a writer has opened the store since. */
export const wasOpenedSince = (path: string, mark: StoreMark): boolean =>
  // NaN is like nothing, also not like itself: no lock before, no lock now.
  !Object.is(lockedAt(path), mark.lockedAt);

const lockedAt = (path: string): number =>
  statSync(lockFileOf(path), { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN;

function heldBefore(path: string): readonly string[] {
  try {
    return heldOf(filesOfStore(realNameOf(path)));
  } catch {
    // It can't be told here, and won't be afterwards.
    return [];
  }
}

function readWatermarks(path: string): Watermark[] {
  const database = openToLook(path);
  try {
    return database
      .prepare(WATERMARKS)
      .all()
      .map((row) => ({ ...row }) as unknown as Watermark);
  } finally {
    database.close();
  }
}

/** A link to a store is that store. */
export function realNameOf(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const folder = dirname(path);
  return existsSync(folder) ? join(realpathSync(folder), basename(path)) : resolve(path);
}

/** A store, by its real name, and the files beside it, some of which are there for a moment only. */
export function filesOfStore(file: string): readonly string[] {
  return [file, ...['-wal', '-shm', '-journal', '.lock', '.lock-journal'].map((end) => `${file}${end}`)];
}
