import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isBusy } from '../../store/busy.ts';

const LOCKS = 'runs';
const TEMPORARY = 'tmp';
const LOCK_SUFFIX = '.lock';
/** Other programs that keep a cache in the same folder have temporary files of their own there. */
const NAME = /^run-[\da-f-]{36}$/;
/** A name may be lost to a sweep of another process between two steps; never so often. */
const TRIES_MAX = 10;

/**
 * The temporary files of one run: a folder below `base` that bears its id, and a lock on a file of that name, which
 * the operating system releases with the process. Opening one sweeps away what runs have left that are dead.
 */
export class RunFolder {
  readonly id: string;
  readonly base: string;
  /** The folder, which is there until it is closed. */
  readonly path: string;
  readonly #lockFile: string;
  readonly #unlock: () => void;
  #count = 0;

  private constructor(base: string, id: string, path: string, lockFile: string, unlock: () => void) {
    this.base = base;
    this.id = id;
    this.path = path;
    this.#lockFile = lockFile;
    this.#unlock = unlock;
  }

  /** Throws what the file system does when it can't be written. */
  static open(base: string): RunFolder {
    for (let tries = 1; ; tries++)
      try {
        const folder = RunFolder.#try(base);
        sweep(base);
        return folder;
      } catch (error) {
        if (tries === TRIES_MAX) throw error;
      }
  }

  static #try(base: string): RunFolder {
    const id = `run-${randomUUID()}`;
    const [lockFile, path] = [join(base, LOCKS, id + LOCK_SUFFIX), join(base, TEMPORARY, id)];
    // For its owner alone: where others may write, they could else lay something in the way.
    mkdirSync(join(base, LOCKS), { recursive: true, mode: 0o700 });
    // Made here, since SQLite would not say why it can't.
    closeSync(openSync(lockFile, 'wx', 0o600));
    const unlock = lock(lockFile);
    try {
      // Between the two a sweep may have taken it for one of a dead run.
      if (unlock === undefined || !existsSync(lockFile)) throw new Error(`${lockFile} was swept away`);
      mkdirSync(path, { recursive: true, mode: 0o700 });
      return new RunFolder(base, id, path, lockFile, unlock);
    } catch (error) {
      unlock?.();
      rmSync(lockFile, { force: true });
      throw error;
    }
  }

  /** Path of a file that does not exist yet. */
  newPath(name: string): string {
    this.#count += 1;
    return join(this.path, `${this.#count}-${name}`);
  }

  /** Removes the folder and all that is in it. May be called again. */
  async close(): Promise<void> {
    // While it is locked nobody else sweeps here; files that are just being written make it fail the first time.
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
    this.#unlock();
    rmSync(this.#lockFile, { force: true });
  }
}

/** Removes a base in which nothing is kept, when no run uses it any more. */
export function removeIfEmpty(base: string): void {
  try {
    for (const name of [LOCKS, TEMPORARY, '']) rmdirSync(join(base, name));
  } catch {
    // Another run is there.
  }
}

/** Removes what runs have left whose lock nobody holds. */
function sweep(base: string): void {
  const ids = new Set([
    ...namesIn(join(base, LOCKS)).map((name) => name.replace(LOCK_SUFFIX, '')),
    ...namesIn(join(base, TEMPORARY)),
  ]);
  for (const id of [...ids].filter((name) => NAME.test(name))) {
    const lockFile = join(base, LOCKS, id + LOCK_SUFFIX);
    const folder = join(base, TEMPORARY, id);
    try {
      // A folder is made after its lock and goes before it: without one its run is over.
      const unlock = existsSync(lockFile) ? lock(lockFile) : () => {};
      if (unlock === undefined) continue;
      try {
        rmSync(folder, { recursive: true, force: true });
        rmSync(lockFile, { force: true });
      } finally {
        unlock();
      }
    } catch {
      // Somebody else's, or somebody else was quicker.
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Holds the file, until it is let go of. Undefined when another process, or this one, holds it. */
function lock(file: string): (() => void) | undefined {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // Nothing is ever written in it.
    database.exec('BEGIN IMMEDIATE');
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  let isHeld = true;
  return () => {
    if (isHeld) database.close();
    isHeld = false;
  };
}
