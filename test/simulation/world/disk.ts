/** The disk of a simulated world: stores in memory that outlive who writes them, and everything that befalls a disk. */
import type { DatabaseSync } from 'node:sqlite';
import type { Random } from '../../../src/ports.ts';
import { type Ban, leftOf } from '../../../src/store/ban.ts';
import { asStoreError, factsOf } from '../../../src/store/identity.ts';
import type { Request } from '../../../src/store/messages.ts';
import { candlesIn } from '../../../src/store/reader.ts';
import { SqliteWriter } from '../../../src/store/writer.ts';
import type { StoreDisk } from '../../../src/world.ts';
import type { Life } from './life.ts';
import { MemoryFile } from './memory-file.ts';
import { type Fate, lockedStore, MemoryThread } from './memory-thread.ts';
import type { WorldClock } from './world-clock.ts';

const OPEN_MS = 30;
const QUESTION_MS = 1;
const COMMIT_MS = 2;
/** How far back a loss of power may go, ms. */
const PAST_MS = 60_000;

/** As SQLite says it. */
export const DISK_FULL = new Error('database or disk is full');
const ANSWER_LOST = new Error('disk I/O error');

export class MemoryDisk {
  /** How long a commit takes on average, ms. */
  commitMs = COMMIT_MS;
  /** When a write last came to nothing, or seemed to, ms. */
  failedAt = Number.NEGATIVE_INFINITY;
  readonly #world: WorldClock;
  readonly #random: Random;
  readonly #files = new Map<string, MemoryFile>();
  readonly #bans = new Map<string, Ban>();
  readonly #threads = new Set<MemoryThread>();
  #failing: { left: number; readonly error: Error } = { left: 0, error: DISK_FULL };
  #losing = 0;

  constructor(world: WorldClock, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  /** What a process sees of it. */
  portsFor(life: Life): StoreDisk {
    return {
      check: async (path, origin) => {
        this.#facts(path, origin);
        if (this.#files.get(path)?.isTaken) throw lockedStore(path);
      },
      inspect: async (path, origin) => this.#facts(path, origin),
      writer: (store) =>
        new SqliteWriter({
          ...store,
          startThread: (events) => {
            const thread = new MemoryThread(
              {
                life,
                world: this.#world,
                file: (path) => this.#file(path),
                takesMs: (request) => this.#takesMs(request),
                fate: () => this.#fate(),
                written: (file, request) => file.note(request, this.#world.now(), PAST_MS),
              },
              events,
            );
            for (const one of this.#threads) if (one.isOver) this.#threads.delete(one);
            this.#threads.add(thread);
            return thread;
          },
        }),
      read: (path, series, afterOpenTime, rowsMax) =>
        candlesIn(this.database(path), series, afterOpenTime, rowsMax),
      bans: {
        read: (path, origin, localNow) => {
          const ban = this.#bans.get(path);
          if (ban?.origin !== origin) return undefined;
          const left = leftOf(ban, localNow);
          if (left === undefined) this.#bans.delete(path);
          return left;
        },
        write: (path, ban) => void this.#bans.set(path, { ...ban }),
        remove: (path) => void this.#bans.delete(path),
      },
    };
  }

  /** The database of a store, to look at. Another one after a loss of power. @throws when there is no such store. */
  database(path: string): DatabaseSync {
    const file = this.#files.get(path);
    if (file === undefined) throw new Error(`there is no store ${path}`);
    return file.database;
  }

  /** So many writes from now on come to nothing; 0: no more of them. */
  failNext(writes: number, error: Error = DISK_FULL): void {
    this.#failing = { left: writes, error };
  }

  /** So many writes are written, and who asked for them is told that they failed. */
  loseNext(writes: number): void {
    this.#losing = writes;
  }

  /** The thread of every writer of that life ends, as one that has no memory left. */
  crashWriters(life: Life, error: Error = new Error('out of memory')): void {
    for (const thread of this.#threads) if (thread.life === life) thread.crash(error);
  }

  /**
   * What was written within the last `lostMs` is not there any more: it had never left the memory of the machine. Whoever was
   * writing has ended with the power. @throws {RangeError} when that is further back than a disk may lose.
   */
  powerLoss(lostMs: number): void {
    if (lostMs > PAST_MS) throw new RangeError(`a disk has written everything within ${PAST_MS} ms`);
    for (const file of this.#files.values()) file.goBackTo(this.#world.now() - lostMs);
  }

  /** Lets go of the memory. */
  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  #file(path: string): MemoryFile {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = new MemoryFile();
      this.#files.set(path, file);
    }
    return file;
  }

  #facts(path: string, origin?: string) {
    const file = this.#files.get(path);
    if (file === undefined) return { exists: false };
    try {
      return factsOf(file.database, path, origin);
    } catch (error) {
      throw asStoreError(error, path);
    }
  }

  #takesMs(request: Request): number {
    if (request.do === 'open') return OPEN_MS;
    if (request.do === 'missing' || request.do === 'gaps') return QUESTION_MS;
    return this.commitMs * (0.5 + this.#random());
  }

  #fate(): Fate {
    if (this.#failing.left === 0 && this.#losing === 0) return 'written';
    this.failedAt = this.#world.now();
    if (this.#failing.left > 0) {
      this.#failing.left -= 1;
      return { failed: this.#failing.error };
    }
    this.#losing -= 1;
    return { lost: ANSWER_LOST };
  }
}
