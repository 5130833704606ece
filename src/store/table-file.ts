/** Candles as a file that other programs read. */
import type { CandleBlock } from '../../machines/model/block.ts';

/** A table that is being written, block by block. One call at a time: each is awaited before the next. */
export interface TableFile {
  /**
   * Adds the bars of a block; resolves when the system has taken what is not kept back for the next ones.
   *
   * @throws {CandlestateError} `FILE_WRITE` when it could not be written; nothing of it is left.
   */
  write(block: CandleBlock): Promise<void>;
  /** Writes the end of the table and gives the file its name. @throws {CandlestateError} `FILE_WRITE`, `FILE_EXISTS` */
  close(): Promise<TableSize>;
  /** Ends it; nothing of it is left. Does nothing when it has ended already. Never rejects. */
  abort(): Promise<void>;
}

/** What was written. */
export interface TableSize {
  readonly rows: number;
  readonly bytes: number;
}

export interface TableFileOptions {
  /** Whether a file of that name is replaced, once the new one is whole. Default: it is refused. */
  readonly replace?: boolean | undefined;
}

/** Where the bytes of a table go. */
export interface Sink {
  /** Bytes written. */
  readonly bytes: number;
  /** Resolves when the system has taken them: until then they may not change. */
  write(bytes: Uint8Array): Promise<void>;
  /** All has been written. */
  finish(): Promise<void>;
  /** Lets go of it. Never rejects. */
  discard(): Promise<void>;
}
