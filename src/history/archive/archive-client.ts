import { createHash } from 'node:crypto';
import { SharedWork } from '../../actors/shared-work.ts';
import {
  type ArchiveFile,
  archiveUrl,
  CHECKSUM_SUFFIX,
  entryBytesMaxOf,
  fileName,
  readChecksum,
} from '../../binance/archive.ts';
import { ArchiveError, ExchangeError } from '../../errors.ts';
import type { Clock, Logger } from '../../ports.ts';
import { DeadlineCleanup } from '../../supervisor/deadline-cleanup.ts';
import { systemClock } from '../../transport/clock.ts';
import { type DownloadOptions, Downloads } from '../../transport/download.ts';
import type { ArchiveFiles, CacheCounts, Fetched } from '../types.ts';
import { ArchiveCache } from './archive-cache.ts';

/** A file that was published anew. */
export interface ReplacedFile {
  /** Below the base URL. */
  readonly path: string;
  /** SHA-256 as it was when it was kept, and as it is now, hex. */
  readonly before: string;
  readonly now: string;
}

export interface ArchiveClientOptions {
  /** Base URL of the archive, without a path. */
  readonly visionUrl: string;
  /** Folder of the cache; it may be shared with other processes. Absent: nothing is kept beyond `close`. */
  readonly cacheDir?: string | undefined;
  /** Bytes of the files in the cache; what was not used for longest goes first. Default 10 GB. */
  readonly maxBytes?: number | undefined;
  /**
   * Whether a file of the cache is what the archive has, without asking it. Otherwise its checksum is asked for each
   * time, so that a file that was published anew is noticed.
   */
  readonly isTrusted: boolean;
  /** Is told of a file whose checksum is another one than when it came into the cache (fault H11). Default: nobody. */
  readonly onReplaced?: ((replaced: ReplacedFile) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** Hears of what is wrong with the cache. Default: nobody. */
  readonly logger?: Pick<Logger, 'debug' | 'warn'> | undefined;
  readonly download?: Omit<DownloadOptions, 'clock'> | undefined;
}

/** What the archive says of a file: that it is here now, or why not. */
type Outcome =
  | { readonly status: 'there'; readonly digest: string; readonly isFetched: boolean }
  | Exclude<Fetched, { status: 'there' }>;

/** A checksum file has about a hundred bytes; a page that explains an error has more. */
const CHECKSUM_BYTES_MAX = 4_096;
/** A checksum and a file that do not belong together may be a file that is being published. */
const TRIES_MAX = 2;
/** Its files may be taken away by another process, or be damaged, as often as this while one is asked for. */
const TURNS_MAX = 3;

/** Archive files by network, through a cache. Two that ask for the same file at the same time share its download. */
export class ArchiveClient implements ArchiveFiles {
  readonly counts: CacheCounts = { hits: 0, misses: 0, errors: 0, bytesFetched: 0, bytesRead: 0 };
  readonly #visionUrl: string;
  readonly #isTrusted: boolean;
  readonly #onReplaced: ArchiveClientOptions['onReplaced'];
  readonly #clock: Clock;
  readonly #logger: ArchiveClientOptions['logger'];
  readonly #cache: ArchiveCache;
  readonly #downloads: Downloads;
  readonly #shared = new SharedWork<Outcome>();
  readonly #open = new Set<AbortController>();
  readonly #working = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  /** @throws {ConfigurationError} when the cache's folder can't be used. */
  constructor(options: ArchiveClientOptions) {
    const { clock = systemClock, logger, cacheDir, maxBytes } = options;
    this.#visionUrl = options.visionUrl;
    this.#isTrusted = options.isTrusted;
    this.#onReplaced = options.onReplaced;
    this.#clock = clock;
    this.#logger = logger;
    this.#cache = new ArchiveCache({ cacheDir, maxBytes, clock, logger, counts: this.counts });
    this.#downloads = new Downloads({ ...options.download, clock });
  }

  /** Requests that were sent to the archive. */
  get requests(): number {
    return this.#downloads.requests;
  }

  async get(file: ArchiveFile, signal?: AbortSignal): Promise<Fetched> {
    signal?.throwIfAborted();
    const over = new AbortController();
    if (this.#closed !== undefined) throw closedError();
    this.#open.add(over);
    const forward = (): void => over.abort(signal?.reason);
    signal?.addEventListener('abort', forward, { once: true });
    try {
      return await this.#tracked(this.#get(file, over.signal));
    } finally {
      signal?.removeEventListener('abort', forward);
      this.#open.delete(over);
    }
  }

  /** Also ends what is under way. What was given out is gone then. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const over of this.#open) over.abort(closedError());
    const cleanup = new DeadlineCleanup({ clock: this.#clock, logger: this.#logger });
    cleanup.add('connections to the archive', () => this.#downloads.close());
    cleanup.add('temporary archive files', async () => {
      // What is still being written would be left behind.
      while (this.#working.size > 0) await Promise.allSettled(this.#working);
      await this.#cache.close();
    });
    await cleanup.run();
  }

  async #get(file: ArchiveFile, signal: AbortSignal): Promise<Fetched> {
    const url = archiveUrl(this.#visionUrl, file);
    const known = this.#isTrusted ? await this.#cache.digestOf(url) : undefined;
    if (known !== undefined) {
      const hit = await this.#take(url, known, true, signal);
      if (hit !== undefined) return hit;
    }
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const outcome = await this.#shared.join(url, signal, (over) =>
        this.#tracked(this.#fetch(file, url, over)),
      );
      if (outcome.status !== 'there') return outcome;
      const taken = await this.#take(url, outcome.digest, !outcome.isFetched, signal);
      if (taken !== undefined) return taken;
    }
    return {
      status: 'refused',
      reason: `${fileName(file)} can't be kept: it was taken away again and again`,
    };
  }

  async #take(
    url: string,
    digest: string,
    isHit: boolean,
    signal: AbortSignal,
  ): Promise<Fetched | undefined> {
    const taken = await this.#cache.take(url, digest);
    if (taken === undefined) return undefined;
    if (signal.aborted) {
      await taken.release();
      throw signal.reason;
    }
    if (isHit) {
      this.counts.hits += 1;
      this.counts.bytesRead += taken.bytes;
    }
    return { status: 'there', ...taken, isHit, sha256: digest };
  }

  /** Asks the archive for the checksum, and for the file where it is not here. */
  async #fetch(file: ArchiveFile, url: string, signal: AbortSignal): Promise<Outcome> {
    const name = fileName(file);
    let reason = '';
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      try {
        const checksum = await this.#read(`${url}${CHECKSUM_SUFFIX}`, CHECKSUM_BYTES_MAX, signal);
        if (checksum === undefined)
          return (await this.#isThere(url, signal))
            ? { status: 'refused', reason: `${name} has no checksum` }
            : { status: 'absent' };
        const digest = readChecksum(checksum.bytes.toString('utf8'), name);
        if (tries === 0) await this.#noteReplaced(file, url, digest);
        if (await this.#cache.has(digest)) return { status: 'there', digest, isFetched: false };
        this.counts.misses += 1;
        const content = await this.#read(url, entryBytesMaxOf(file), signal);
        if (content === undefined) return { status: 'absent' };
        const found = createHash('sha256').update(content.bytes).digest('hex');
        if (found === digest) {
          await this.#cache.put(url, digest, content.bytes, content.etag);
          return { status: 'there', digest, isFetched: true };
        }
        reason = `the checksum of ${name} is ${digest}, but its bytes have ${found}`;
      } catch (error) {
        if (!(error instanceof ArchiveError)) throw error;
        reason = error.message;
        if (!error.retryable) break;
      }
    }
    return { status: 'refused', reason };
  }

  async #noteReplaced({ path }: ArchiveFile, url: string, now: string): Promise<void> {
    const tell = this.#onReplaced;
    const before = tell === undefined ? undefined : await this.#cache.digestOf(url);
    if (before !== undefined && before !== now) tell?.({ path, before, now });
  }

  /** The bytes at that URL, undefined where there are none. */
  async #read(
    url: string,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<{ bytes: Buffer; etag: string | undefined } | undefined> {
    let chunks: Uint8Array[] = [];
    let etag: string | undefined;
    try {
      for await (const part of this.#downloads.get({ url, maxBytes, signals: [signal] })) {
        if (part.kind === 'absent') return undefined;
        if (part.kind === 'begin') {
          chunks = [];
          etag = part.etag;
        } else {
          chunks.push(part.bytes);
          this.counts.bytesFetched += part.bytes.byteLength;
        }
      }
    } catch (error) {
      if (!(error instanceof ExchangeError && error.code === 'HTTP_TOO_LARGE')) throw error;
      throw new ArchiveError(error.message, { code: 'ARCHIVE_TOO_LARGE', cause: error });
    }
    return { bytes: Buffer.concat(chunks), etag };
  }

  /** Whether there is a file at that URL; it is not read. */
  async #isThere(url: string, signal: AbortSignal): Promise<boolean> {
    const maxBytes = Number.POSITIVE_INFINITY;
    for await (const { kind } of this.#downloads.get({ url, maxBytes, signals: [signal] }))
      return kind !== 'absent';
    return false;
  }

  /** Of what is under way `close` waits for the end. */
  async #tracked<Result>(work: Promise<Result>): Promise<Result> {
    this.#working.add(work);
    try {
      return await work;
    } finally {
      this.#working.delete(work);
    }
  }
}

const closedError = (): ExchangeError =>
  new ExchangeError('the archive is closed', { code: 'HTTP_CLOSED', status: 0, retryable: false });
