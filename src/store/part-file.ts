/** A file that has its name only once it is whole. Until then it lies in a folder of its own beside it. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CandlestateError } from '../errors.ts';
import { isBusy } from './busy.ts';
import type { Sink, TableFileOptions } from './table-file.ts';

/** What is in such a folder. */
const PART = 'part';
const LOCK = 'lock';

/** A run that sweeps may take the folder for a dead one's before it is locked; it is made again then. */
const TRIES_MAX = 5;

/**
 * Begins a file. What dead runs have left of the same one is removed; what a living one writes is not touched.
 *
 * @throws {CandlestateError} `FILE_EXISTS` when there is one and it is not to be replaced, `FILE_WRITE`.
 */
export async function openPartFile(path: string, options: TableFileOptions = {}): Promise<Sink> {
  refuseExisting(path, options);
  // A link stays one, and what it leads to is replaced.
  const target = existsSync(path) ? realpathSync(path) : path;
  try {
    sweep(target);
    const place = makePlace(target);
    try {
      return new PartFile(path, { target, place, ...options }, await open(join(place.folder, PART), 'wx'));
    } catch (error) {
      remove(place);
      throw error;
    }
  } catch (error) {
    throw asFileError(error, path);
  }
}

/** A file may be replaced; a folder, a device or a pipe never. */
function refuseExisting(path: string, { replace = false }: TableFileOptions): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || (replace && stat.isFile())) return;
  const what = stat.isFile() ? 'is there already' : 'is there already, and no file';
  throw new CandlestateError(`${path} ${what}; it was left as it is`, { code: 'FILE_EXISTS' });
}

const asFileError = (error: unknown, path: string): CandlestateError => {
  if (error instanceof CandlestateError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new CandlestateError(`${path} could not be written, and nothing of it was left: ${why}`, {
    code: 'FILE_WRITE',
    cause: error,
  });
};

/** A folder and the lock on it, which the operating system lets go of with the process, however that ends. */
interface Place {
  readonly folder: string;
  readonly lock: DatabaseSync;
}

interface Destination extends TableFileOptions {
  readonly target: string;
  readonly place: Place;
}

class PartFile implements Sink {
  readonly #path: string;
  readonly #to: Destination;
  readonly #handle: FileHandle;
  #isOpen = true;
  bytes = 0;

  constructor(path: string, to: Destination, handle: FileHandle) {
    this.#path = path;
    this.#to = to;
    this.#handle = handle;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#orNothing(() => this.#handle.appendFile(bytes));
    this.bytes += bytes.byteLength;
  }

  async finish(): Promise<void> {
    await this.#orNothing(async () => {
      // A name is quicker on the disk than what it names: after a loss of power it could be that of an empty file.
      await this.#handle.sync();
      await this.#handle.close();
      refuseExisting(this.#path, this.#to);
      renameSync(join(this.#to.place.folder, PART), this.#to.target);
    });
    await this.discard();
  }

  async discard(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    // Closing twice does no harm, and there is nobody to hear why it failed.
    await this.#handle.close().catch(() => undefined);
    remove(this.#to.place);
  }

  /** Does it, or removes all that there is. */
  async #orNothing(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      await this.discard();
      throw asFileError(error, this.#path);
    }
  }
}

const prefixOf = (target: string): string => `.${basename(target)}.candlestate-`;

function makePlace(target: string): Place {
  for (let tries = 1; ; tries++) {
    const folder = mkdtempSync(join(dirname(target), prefixOf(target)));
    const lock = tryLock(folder);
    if (lock !== undefined && existsSync(join(folder, LOCK))) return { folder, lock };
    lock?.close();
    if (tries === TRIES_MAX) throw new Error(`${folder} is taken away again and again`);
  }
}

/** Undefined: somebody else has it, or the folder is gone. */
function tryLock(folder: string): DatabaseSync | undefined {
  if (!existsSync(folder)) return undefined;
  const lock = new DatabaseSync(join(folder, LOCK), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (isBusy(error) || !existsSync(folder)) return undefined;
    throw error;
  }
}

/** Only what we have made: should anything else be in the folder, it stays. */
function remove({ folder, lock }: Place): void {
  try {
    rmSync(join(folder, PART), { force: true });
    lock.close();
    rmSync(join(folder, LOCK), { force: true });
    rmdirSync(folder);
  } catch {
    // The next run on this file tries it again.
  }
}

function sweep(target: string): void {
  const prefix = prefixOf(target);
  for (const entry of readdirSync(dirname(target), { withFileTypes: true })) {
    if (!entry.isDirectory() || !entry.name.startsWith(prefix)) continue;
    const folder = join(dirname(target), entry.name);
    try {
      const lock = tryLock(folder);
      if (lock !== undefined) remove({ folder, lock });
    } catch {
      // Of another user perhaps: not ours to remove, and no reason to write nothing.
    }
  }
}
