import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArchiveError, ConfigurationError } from '../../errors.ts';
import type { Clock, Logger } from '../../ports.ts';
import type { CacheCounts } from '../types.ts';
import { FileCache, type Taken } from './cache.ts';
import { RunFolder, removeIfEmpty } from './run-folder.ts';

const MAX_BYTES = 10_000_000_000;
/** Of files that are not kept beyond their run: enough for those that are being read. */
const TEMPORARY_BYTES = 256_000_000;
/** The disk has no room, or the user none on it. */
const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

export interface ArchiveCacheOptions {
  /** Absent: files are kept for this run alone. */
  readonly cacheDir: string | undefined;
  readonly maxBytes: number | undefined;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'debug' | 'warn'> | undefined;
  /** Where errors are counted. */
  readonly counts: Pick<CacheCounts, 'errors'>;
}

/** A cache, and the folder of the run that uses it. */
interface Place {
  readonly cache: FileCache;
  readonly run: RunFolder;
}

/**
 * The cache of archive files, and a second one in the temporary folder of the operating system for what the first
 * can't take: files that are not kept, and a disk without room. What is wrong with it is counted, and costs no more
 * than a download.
 */
export class ArchiveCache {
  readonly #options: ArchiveCacheOptions;
  readonly #kept: Place | undefined;
  #temporary: Place | undefined;

  /** @throws {ConfigurationError} when the folder can't be used. @throws {ArchiveError} `ARCHIVE_UNWRITABLE` */
  constructor(options: ArchiveCacheOptions) {
    this.#options = options;
    if (options.cacheDir !== undefined) this.#kept = this.#openKept(options.cacheDir);
    else
      try {
        this.#temporary = this.#openTemporary();
      } catch (error) {
        throw unwritable(error);
      }
  }

  async digestOf(url: string): Promise<string | undefined> {
    for (const { cache } of this.#places) {
      const digest = await this.#attempt(() => cache.digestOf(url));
      if (digest !== undefined) return digest;
    }
    return undefined;
  }

  /** Whether something of that digest is here; it may still turn out to be damaged. */
  async has(digest: string): Promise<boolean> {
    for (const { cache } of this.#places) if (await this.#attempt(() => cache.has(digest))) return true;
    return false;
  }

  /** The file of that content, verified; undefined when it is not here, or not any more. */
  async take(url: string, digest: string): Promise<Taken | undefined> {
    for (const { cache } of this.#places) {
      const taken = await this.#attempt(() => cache.take(url, digest));
      if (taken === 'damaged') this.#count('a file of the cache was damaged', new Error(url));
      else if (taken !== undefined) return taken;
    }
    return undefined;
  }

  /** @throws {ArchiveError} `ARCHIVE_UNWRITABLE` when it can be kept nowhere, not even for this run. */
  async put(url: string, digest: string, bytes: Uint8Array, etag: string | undefined): Promise<void> {
    if (this.#kept !== undefined)
      try {
        return await this.#kept.cache.put(url, digest, bytes, etag);
      } catch (error) {
        this.#count('a file could not be kept in the cache', error);
      }
    try {
      this.#temporary ??= this.#openTemporary();
      await this.#temporary.cache.put(url, digest, bytes, etag);
    } catch (error) {
      throw unwritable(error);
    }
  }

  /** Removes what is temporary. */
  async close(): Promise<void> {
    for (const { cache, run } of this.#places) {
      await cache.close();
      await run.close();
    }
    if (this.#temporary !== undefined) removeIfEmpty(this.#temporary.run.base);
  }

  get #places(): Place[] {
    return [this.#kept, this.#temporary].filter((place) => place !== undefined);
  }

  #openKept(dir: string): Place | undefined {
    const { clock, maxBytes = MAX_BYTES } = this.#options;
    try {
      const run = RunFolder.open(dir);
      return { run, cache: new FileCache({ dir, run, maxBytes, clock }) };
    } catch (error) {
      if (error instanceof Error && 'code' in error && FULL.has(error.code)) {
        this.#count('the cache has no room', error);
        return undefined;
      }
      const why = error instanceof Error ? error.message : String(error);
      const allowed = `a folder that can be written (${why})`;
      throw new ConfigurationError([{ option: 'cacheDir', given: dir, allowed }], error);
    }
  }

  #openTemporary(): Place {
    const run = RunFolder.open(temporaryBase());
    const { clock, maxBytes = TEMPORARY_BYTES } = this.#options;
    const dir = join(run.path, 'cache');
    return { run, cache: new FileCache({ dir, run, maxBytes: Math.min(maxBytes, TEMPORARY_BYTES), clock }) };
  }

  /** What a cache can't do is as if it had nothing. */
  async #attempt<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#count('the cache could not be read', error);
      return undefined;
    }
  }

  #count(message: string, error: unknown): void {
    this.#options.counts.errors += 1;
    this.#options.logger?.warn(message, { error: error instanceof Error ? error.message : String(error) });
  }
}

function unwritable(cause: unknown): ArchiveError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ArchiveError(`an archive file can't be written: ${why}`, { code: 'ARCHIVE_UNWRITABLE', cause });
}

/** A folder of this user in the one that all share. */
function temporaryBase(): string {
  const uid = process.getuid?.() ?? 0;
  const base = join(tmpdir(), `candlestate-${uid}`);
  mkdirSync(base, { recursive: true, mode: 0o700 });
  const found = lstatSync(base);
  // Somebody may have been quicker, with a folder of their own or a link.
  if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== uid))
    throw new Error(`${base} belongs to somebody else; name another folder by TMPDIR`);
  return base;
}
