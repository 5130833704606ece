/** Standard output as the place of a table: a file, a pipe, or a terminal. */
import type { Sink } from '../store/table-file.ts';

/** The reader has gone: no failure, but there is nobody to write for. */
export class ReaderGone extends Error {}

const GONE: readonly unknown[] = ['EPIPE', 'ERR_STREAM_DESTROYED'];

/** What is needed of `process.stdout`. */
export interface Writable {
  write(bytes: Uint8Array, callback: (error?: Error | null) => void): boolean;
}

/** What was written can't be taken back, so a discarded one is cut off where it stands. */
export function stdoutSink(target: Writable): Sink {
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    write: (piece) =>
      new Promise((resolve, reject) => {
        target.write(piece, (error) => {
          bytes += piece.byteLength;
          if (!error) resolve();
          else if ('code' in error && GONE.includes(error.code)) reject(new ReaderGone());
          else reject(new Error(`standard output could not be written: ${error.message}`, { cause: error }));
        });
      }),
    finish: () => Promise.resolve(),
    discard: () => Promise.resolve(),
  };
}
