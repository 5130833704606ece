import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, link, rm, stat, utimes } from 'node:fs/promises';
import cacache from 'cacache';
import type { Clock } from '../../ports.ts';
import type { RunFolder } from './run-folder.ts';

/** By this the cache knows its own entries where other programs keep theirs too. */
const KIND = 'candlestate archive file';
/** When it is too full, so much of the limit is left in it, so that it is not so again at once. */
const KEPT_SHARE = 0.9;
/** Where files can't have two names (other file systems, foreign files, too many names), they are copied. */
const NO_LINK: ReadonlySet<unknown> = new Set([
  'EXDEV',
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
]);

/** A file, given out: a name of its own in the folder of the run. */
export interface Taken {
  readonly path: string;
  readonly bytes: number;
  release(): Promise<void>;
}

export interface FileCacheOptions {
  /** Where it keeps its files; the run's folder is below, or above. */
  readonly dir: string;
  readonly run: RunFolder;
  /** Bytes of the files in it. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

/**
 * Files by URL, their content by SHA-256, on disk. What is given out has a name in the folder of the run, and is
 * verified under that name: whoever removes it from the cache meanwhile, this process or another, it stays as it is.
 * Rejects with what the file system says.
 */
export class FileCache {
  readonly #dir: string;
  readonly #run: RunFolder;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  /** Bytes in it: counted when the first file comes, then kept up with what this process does. */
  #bytes: number | undefined;
  #trimming: Promise<void> = Promise.resolve();
  readonly #closing = new AbortController();

  constructor({ dir, run, maxBytes, clock }: FileCacheOptions) {
    this.#dir = dir;
    this.#run = run;
    this.#maxBytes = maxBytes;
    this.#clock = clock;
  }

  /** SHA-256 (hex) of the file of that URL, if it has been here. */
  async digestOf(url: string): Promise<string | undefined> {
    return digestIn((await cacache.get.info(this.#dir, url))?.integrity);
  }

  /** Whether there is something of that digest; it may still turn out to be damaged. */
  async has(digest: string): Promise<boolean> {
    // Besides what its types say, it is undefined for folders that can't be read.
    return Boolean(await cacache.get.hasContent(this.#dir, integrityOf(digest)));
  }

  /**
   * The file of that content. Undefined when it is not here; `damaged` when it was, but other bytes than it should
   * have been, which have been removed.
   */
  async take(url: string, digest: string): Promise<Taken | 'damaged' | undefined> {
    const source = await this.#pathOf(url, digest);
    if (source === undefined) return undefined;
    const path = this.#run.newPath('file.zip');
    const release = (): Promise<void> => rm(path, { force: true });
    try {
      await giveName(source, path);
      const found = await digestOfFile(path);
      if (found.digest === digest) {
        const now = this.#clock.wallNow() / 1_000;
        await utimes(source, now, now).catch(() => {});
        return { path, bytes: found.bytes, release };
      }
    } catch (error) {
      await release();
      if (isAbsence(error)) return undefined;
      throw error;
    }
    await release();
    await cacache.rm.content(this.#dir, integrityOf(digest));
    return 'damaged';
  }

  /** Keeps a file whose digest is known; another one is not kept. */
  async put(url: string, digest: string, bytes: Uint8Array, etag: string | undefined): Promise<void> {
    await cacache.put(this.#dir, url, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
      integrity: integrityOf(digest),
      algorithms: ['sha256'],
      size: bytes.byteLength,
      tmpPrefix: `${this.#run.id}/put`,
      metadata: { kind: KIND, fetchedAt: this.#clock.wallNow(), ...(etag !== undefined && { etag }) },
    });
    // It says that a file is there already also where it can't see.
    if (!(await this.has(digest))) throw new Error(`${this.#dir} does not take files`);
    if (this.#bytes !== undefined) this.#bytes += bytes.byteLength;
    if (this.#bytes === undefined || this.#bytes > this.#maxBytes)
      // It is put right when it can be; until then it is a little too full.
      this.#trimming = this.#trimming.then(() => this.#trim()).catch(() => {});
  }

  /** Resolves when nothing is under way any more that nobody waits for. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#trimming;
  }

  /** Where that content is, or may be. */
  async #pathOf(url: string, digest: string): Promise<string | undefined> {
    const entry = await cacache.get.info(this.#dir, url);
    if (digestIn(entry?.integrity) === digest) return entry?.path;
    // Under another name, or a version of the file that came back.
    const integrity = integrityOf(digest);
    const content = await cacache.get.hasContent(this.#dir, integrity);
    if (!content) return undefined;
    const metadata = { kind: KIND, fetchedAt: this.#clock.wallNow() };
    return (await cacache.index.insert(this.#dir, url, integrity, { size: content.size, metadata })).path;
  }

  /** Removes what was not used for longest, but nothing that somebody reads, here or in another process. */
  async #trim(): Promise<void> {
    const files = new Map<string, { keys: string[]; bytes: number; usedAt: number; isRead: boolean }>();
    for (const { key, path, metadata } of Object.values(await cacache.ls(this.#dir))) {
      if (metadata?.kind !== KIND) continue;
      const known = files.get(path);
      if (known !== undefined) known.keys.push(key);
      const found = known ?? (await stat(path).catch(() => undefined));
      if (found === undefined || 'keys' in found) continue;
      // Whoever reads it has given it a second name.
      files.set(path, { keys: [key], bytes: found.size, usedAt: found.mtimeMs, isRead: found.nlink > 1 });
    }
    let bytes = [...files.values()].reduce((sum, file) => sum + file.bytes, 0);
    if (bytes > this.#maxBytes) {
      for (const [path, file] of [...files].sort(([, a], [, b]) => a.usedAt - b.usedAt)) {
        if (bytes <= this.#maxBytes * KEPT_SHARE || this.#closing.signal.aborted) break;
        if (file.isRead) continue;
        await rm(path, { force: true });
        for (const key of file.keys) await cacache.rm.entry(this.#dir, key);
        bytes -= file.bytes;
      }
    }
    this.#bytes = bytes;
  }
}

const integrityOf = (digest: string): string => `sha256-${Buffer.from(digest, 'hex').toString('base64')}`;

function digestIn(integrity: string | undefined): string | undefined {
  const [, base64] = /^sha256-([\w+/]{43}=)$/.exec(integrity ?? '') ?? [];
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('hex');
}

async function giveName(source: string, path: string): Promise<void> {
  try {
    await link(source, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && NO_LINK.has(error.code))) throw error;
    await copyFile(source, path, constants.COPYFILE_FICLONE);
  }
}

async function digestOfFile(path: string): Promise<{ digest: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { digest: hash.digest('hex'), bytes };
}

const isAbsence = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
