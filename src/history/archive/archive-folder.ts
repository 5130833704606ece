import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, opendir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  ARCHIVE_ROOT,
  type ArchiveFile,
  CHECKSUM_SUFFIX,
  entryBytesMaxOf,
  fileName,
  readChecksum,
} from '../../binance/archive.ts';
import { ArchiveError, ConfigurationError } from '../../errors.ts';
import type { ArchiveFiles, CacheCounts, Fetched } from '../types.ts';

/** Where the tree may begin: at its root, or at a folder within, down to the one of a market. */
const STARTS = ['', ...prefixesOf(ARCHIVE_ROOT)];
/** Below these are files of the same names that hold other things. */
const OTHERS: ReadonlySet<string> = new Set([
  'markPriceKlines',
  'indexPriceKlines',
  'premiumIndexKlines',
  'spot',
  'cm',
]);
/** Names looked at for a folder in no order: an archive of one symbol has fewer than ten thousand. */
const NAMES_MAX = 1_000_000;
/** Folders within folders. */
const DEPTH_MAX = 12;
const CHECKSUM_BYTES = 4_096;

/**
 * Archive files in a local folder, in the path layout of the archive: as `data/futures/um/daily/klines/…`, or from
 * `futures` or `um` on. A folder without that tree is looked through once for files of such names. Nothing is written.
 * A checksum that lies beside a file is verified; where none does, `sha256` is undefined.
 */
export class ArchiveFolder implements ArchiveFiles {
  readonly counts: CacheCounts = { hits: 0, misses: 0, errors: 0, bytesFetched: 0, bytesRead: 0 };
  readonly #dir: string;
  #root: Promise<string | undefined> | undefined;
  #index: Promise<ReadonlyMap<string, string>> | undefined;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Whether there is such a file, whatever is in it. @throws {ConfigurationError} when the folder can't be read. */
  async has(file: ArchiveFile): Promise<boolean> {
    return (await this.#find(file)) !== undefined;
  }

  async get(file: ArchiveFile, signal?: AbortSignal): Promise<Fetched> {
    signal?.throwIfAborted();
    const path = await this.#find(file);
    if (path === undefined) {
      this.counts.misses += 1;
      return { status: 'absent' };
    }
    try {
      const { size: bytes } = await stat(path);
      if (bytes > entryBytesMaxOf(file))
        return { status: 'refused', reason: `${path} is too large: ${bytes} bytes` };
      const sha256 = await verified(path, fileName(file), signal);
      this.counts.hits += 1;
      this.counts.bytesRead += bytes;
      return { status: 'there', path, bytes, isHit: true, sha256, release: async () => {} };
    } catch (error) {
      signal?.throwIfAborted();
      this.counts.errors += 1;
      const reason = error instanceof Error ? error.message : String(error);
      return {
        status: 'refused',
        reason: error instanceof ArchiveError ? reason : `${path} can't be read: ${reason}`,
      };
    }
  }

  async close(): Promise<void> {}

  /** Where the file lies. */
  async #find(file: ArchiveFile): Promise<string | undefined> {
    this.#root ??= this.#findRoot();
    const root = await this.#root;
    if (root !== undefined) {
      const path = join(root, file.path.slice(ARCHIVE_ROOT.length + 1));
      return (await isFile(path)) ? path : undefined;
    }
    this.#index ??= indexOf(this.#dir);
    return (await this.#index).get(fileName(file));
  }

  /** The folder that holds `daily` and `monthly`, if the tree is there. */
  async #findRoot(): Promise<string | undefined> {
    if (!(await isFolder(this.#dir)))
      throw new ConfigurationError([
        { option: 'archiveDir', given: this.#dir, allowed: 'a folder of archive files that can be read' },
      ]);
    for (const start of STARTS.toReversed()) {
      const root = join(this.#dir, start);
      for (const tree of ['daily', 'monthly']) if (await isFolder(join(root, tree, 'klines'))) return root;
    }
    return undefined;
  }
}

/** `a/b/c` as `c`, `b/c` and `a/b/c`. */
function prefixesOf(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(parts.length - 1 - index).join('/'));
}

const isFolder = async (path: string): Promise<boolean> => (await statOf(path))?.isDirectory() === true;
const isFile = async (path: string): Promise<boolean> => (await statOf(path))?.isFile() === true;
const statOf = (path: string) => stat(path).catch(() => undefined);

/** Paths of the zip files below, by their names; of two with the same name the one whose path sorts first. */
async function indexOf(dir: string): Promise<ReadonlyMap<string, string>> {
  const paths: string[] = [];
  let names = 0;
  const look = async (folder: string, depth: number): Promise<void> => {
    const entries = await opendir(folder).catch(() => undefined);
    if (entries === undefined) return;
    const folders: string[] = [];
    for await (const entry of entries) {
      names += 1;
      if (names > NAMES_MAX)
        throw new ConfigurationError([
          { option: 'archiveDir', given: dir, allowed: `a folder with at most ${NAMES_MAX} files below` },
        ]);
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !OTHERS.has(entry.name) && depth < DEPTH_MAX) folders.push(path);
      else if (entry.name.endsWith('.zip') && (await isFile(path))) paths.push(path);
    }
    for (const inner of folders) await look(inner, depth + 1);
  };
  await look(dir, 0);
  return new Map(
    paths
      .sort()
      .toReversed()
      .map((path) => [basename(path), path]),
  );
}

/** The digest of the file when a checksum lies beside it. @throws {ArchiveError} when it has another one. */
async function verified(
  path: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const text = await readStart(`${path}${CHECKSUM_SUFFIX}`);
  if (text === undefined) return undefined;
  const digest = readChecksum(text, name);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Buffer);
  const found = hash.digest('hex');
  if (found === digest) return digest;
  throw new ArchiveError(`the checksum beside ${path} is ${digest}, but its bytes have ${found}`, {
    code: 'ARCHIVE_CHECKSUM',
  });
}

/** The beginning of a small text file; undefined when there is none. */
async function readStart(path: string): Promise<string | undefined> {
  if (!(await isFile(path))) return undefined;
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(CHECKSUM_BYTES), 0, CHECKSUM_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
