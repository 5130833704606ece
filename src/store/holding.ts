/** What a store is kept in, and the hold on it that no second writer can have. */
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';
import { BUSY_SLICE_MS } from './busy.ts';
import { inspectFile, makeFolder } from './identity.ts';
import { type Holder, lockStore } from './lock.ts';

export interface OpenRequest {
  readonly path: string;
  /** The network that the candles are from; a store of another is refused. */
  readonly origin: string;
  readonly holder: Holder;
}

/**
 * The WAL is emptied into the file at 4 MiB. What makes it longer is a reader that keeps an old state of the store: beyond
 * this it is told of, and when that reader has gone the WAL is cut back to this, bytes.
 */
export const WAL_BYTES_MAX = 16 * 1_048_576;

export interface Holding {
  readonly database: DatabaseSync;
  /** How long the WAL is, bytes. */
  walBytes(): number;
  /** Throws when what is written now would be lost. */
  assertInPlace(): void;
  /** Closes the database and lets another writer have it. */
  release(): void;
}

/** Takes hold of what a request names. Throws when it is no store, or another writer has it. */
export type Hold = (request: OpenRequest) => Holding;

/** A file, made when it is not there, and its lock. */
export const holdFile: Hold = ({ path, origin, holder }) => {
  // Before anything is created beside it: what is not ours is not touched.
  inspectFile(path, origin);
  makeFolder(path);
  const unlock = lockStore(path, holder);
  let database: DatabaseSync | undefined;
  const release = (): void => {
    database?.close();
    unlock();
  };
  try {
    database = new DatabaseSync(path, { timeout: BUSY_SLICE_MS });
    const inode = statSync(path).ino;
    return {
      database,
      walBytes: () => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
      /** A file that was removed or replaced takes writes as before, and nobody will ever read them. */
      assertInPlace() {
        if (statSync(path, { throwIfNoEntry: false })?.ino === inode) return;
        throw new StoreError(`${path} was removed or replaced while it was being written`, {
          code: 'STORE_REPLACED',
        });
      },
      release,
    };
  } catch (error) {
    release();
    throw error;
  }
};
