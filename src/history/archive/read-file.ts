import type { CandleBlock } from '../../../machines/model/block.ts';
import { type ArchiveFile, rowsMaxOf } from '../../binance/archive.ts';
import { CsvReader } from '../../binance/csv.ts';
import { ArchiveError, ExchangeError } from '../../errors.ts';
import type { ArchiveFiles } from '../types.ts';
import { unzip } from './unzip.ts';

/** What came of a file. */
export type FileRead =
  | {
      readonly status: 'read';
      /** Rows in the order of the file. */
      readonly block: CandleBlock;
      /** Whether a checksum vouches for them. */
      readonly isVerified: boolean;
    }
  | { readonly status: 'absent' }
  /** What is in it can't be used: why, a sentence. */
  | { readonly status: 'refused'; readonly reason: string }
  /** The archive could not be asked. */
  | { readonly status: 'unreachable'; readonly error: ExchangeError };

/** Rows that a file may have beside those that it should: doubled ones are a defect that can be mended. */
const spareRows = (rows: number): number => 16 + Math.ceil(rows / 8);

/** Gets a file and reads its rows. Rejects with the signal's reason, or for a fault of this machine. */
export async function readFile(
  files: ArchiveFiles,
  file: ArchiveFile,
  signal?: AbortSignal,
): Promise<FileRead> {
  try {
    const fetched = await files.get(file, signal);
    if (fetched.status !== 'there') return fetched;
    try {
      const rows = rowsMaxOf(file);
      const reader = new CsvReader(file, { rowsMax: rows + spareRows(rows) });
      for await (const chunk of unzip(fetched.path, file, { signal })) {
        signal?.throwIfAborted();
        reader.push(chunk);
      }
      return { status: 'read', block: reader.end().block, isVerified: fetched.sha256 !== undefined };
    } finally {
      await fetched.release();
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ArchiveError) return { status: 'refused', reason: error.message };
    if (error instanceof ExchangeError) return { status: 'unreachable', error };
    throw error;
  }
}
