/** What an archive file holds, as it is unpacked. Nothing is written anywhere. */
import { closeSync, openSync } from 'node:fs';
import { addAbortSignal, pipeline, type Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { type Entry, fromFdPromise, type ZipFile } from 'yauzl';
import { type ArchiveFile, entryBytesMaxOf, fileName as nameOf } from '../../binance/archive.ts';
import { ArchiveError } from '../../errors.ts';

export interface UnzipOptions {
  /** Bytes unpacked. Default: what such a file can hold. */
  readonly maxBytes?: number;
  /** Bytes unpacked for each that is packed. Rows of digits give 2 to 5; default 100. */
  readonly maxRatio?: number;
  readonly signal?: AbortSignal | undefined;
}

const RATIO_MAX = 100;
/** Below this no ratio means anything, bytes: a file of one row, or of one byte over and over. */
const RATIO_FROM_BYTES = 65_536;
/**
 * Larger than Node's own, for each chunk is a way to another thread and back; but a whole one is kept for each file, until
 * the garbage collector comes: with four times as much a year's load has 20 MB more and is no faster.
 */
const CHUNK_BYTES = 32_768;

const STORED = 0;
const DEFLATED = 8;
/** The file types of Unix, in the high half of the attributes. */
const TYPE_MASK = 0o170_000;
const REGULAR = 0o100_000;

/**
 * The bytes of the one entry that the zip file at `path` must hold: of the name that `file` says, and no larger than
 * it can be, whatever its headers say. Its CRC is compared at the end, so what was read is sound only when no error
 * came. However it ends, the file is closed.
 *
 * @throws {ArchiveError} `ARCHIVE_ZIP`, `ARCHIVE_ENTRY`, `ARCHIVE_TOO_LARGE`, or the signal's reason.
 */
export async function* unzip(
  path: string,
  file: ArchiveFile,
  options: UnzipOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { maxBytes = entryBytesMaxOf(file), maxRatio = RATIO_MAX, signal } = options;
  signal?.throwIfAborted();
  // On the disk it may have a name that means nothing to anybody.
  const name = nameOf(file);
  const zip = await openZip(path).catch((cause: unknown) => {
    throw damaged(name, cause);
  });
  const closed = new Promise<void>((resolve) => zip.once('close', resolve));
  // What goes wrong is heard where it is awaited.
  zip.on('error', () => {});
  let content: Readable | undefined;
  try {
    const entry = await entryOf(zip, name, file);
    const limit = Math.min(maxBytes, Math.max(RATIO_FROM_BYTES, entry.compressedSize * maxRatio));
    if (entry.uncompressedSize > limit) throw tooLarge(name, limit);
    content = await contentOf(zip, entry);
    if (signal !== undefined) addAbortSignal(signal, content);
    let bytes = 0;
    let sum = 0;
    for await (const chunk of content as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      // It may say less than it holds.
      if (bytes > limit) throw tooLarge(name, limit);
      sum = crc32(chunk, sum);
      yield chunk;
    }
    signal?.throwIfAborted();
    if (bytes !== entry.uncompressedSize)
      throw damaged(name, new Error(`${bytes} bytes are in it instead of ${entry.uncompressedSize}`));
    if (sum !== entry.crc32) throw damaged(name, new Error('its CRC-32 is another one'));
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw error instanceof ArchiveError ? error : damaged(name, error);
  } finally {
    content?.destroy();
    zip.close();
    await closed;
  }
}

/** Where it is none, the file is closed before that is said. */
async function openZip(path: string): Promise<ZipFile> {
  const fd = openSync(path, 'r');
  try {
    return await fromFdPromise(fd, { autoClose: false, decodeStrings: false, validateEntrySizes: true });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The only entry, as it should be. */
async function entryOf(zip: ZipFile, name: string, file: ArchiveFile): Promise<Entry> {
  if (zip.entryCount !== 1) throw wrong(name, `holds ${zip.entryCount} entries instead of one`);
  const { value: entry } = (await zip.eachEntry().next()) as { value: Entry };
  const expected = Buffer.from(file.entry);
  const { fileName } = await zip.readLocalFileHeaderPromise(entry, {});
  for (const found of [entry.fileNameRaw, fileName])
    if (!expected.equals(found))
      throw wrong(
        name,
        `holds ${JSON.stringify(found.toString('utf8').slice(0, 200))} instead of ${file.entry}`,
      );
  if (entry.isEncrypted()) throw wrong(name, 'is encrypted');
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED)
    throw wrong(name, `is packed by method ${entry.compressionMethod}, which is not known`);
  const type = (entry.externalFileAttributes >>> 16) & TYPE_MASK;
  if (type !== 0 && type !== REGULAR) throw wrong(name, 'holds no regular file');
  return entry;
}

/** What is in an entry, unpacked. */
async function contentOf(zip: ZipFile, entry: Entry): Promise<Readable> {
  const packed = await zip.openReadStreamPromise(entry, { decodeFileData: false });
  if (entry.compressionMethod === STORED) return packed;
  // Errors of either come out of the second.
  return pipeline(packed, createInflateRaw({ chunkSize: CHUNK_BYTES }), () => {});
}

const damaged = (name: string, cause: unknown): ArchiveError =>
  new ArchiveError(
    `${name} is no zip file, or a damaged one: ${cause instanceof Error ? cause.message : cause}`,
    {
      code: 'ARCHIVE_ZIP',
      retryable: true,
      cause,
    },
  );

const wrong = (name: string, what: string): ArchiveError =>
  new ArchiveError(`${name} ${what}`, { code: 'ARCHIVE_ENTRY' });

const tooLarge = (name: string, limit: number): ArchiveError =>
  new ArchiveError(`${name} unpacks to more than ${limit} bytes`, { code: 'ARCHIVE_TOO_LARGE' });
