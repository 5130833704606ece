import { close, constants, open, write } from 'node:fs';
import { promisify } from 'node:util';
import type { LineStream } from './line-sink.ts';

/** Never waits: a file is at once what a pipe without a reader would never be. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
/** A log may name symbols, paths and hosts: it is the owner's alone. */
const MODE = 0o600;
const LINE_FEED = 10;

const openFile = promisify(open);
const writeTo = promisify(write);
const closeFile = promisify(close);

interface Waiting {
  readonly text: string;
  readonly callback: (error?: Error | null) => void;
}

/**
 * A file that lines are appended to. A line is taken once the kernel has its bytes. One that could not be written
 * is gone, and the next is tried nevertheless: a full disk may have room again. The file is open only while there
 * is something to write: it may be moved away, nothing has to be closed, and the process is held no longer.
 */
export class LogFile implements LineStream {
  /** Lines may be taken again after one was not. */
  readonly recovers = true;
  readonly #path: string;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  /** A write that failed half way has left a line without its end. */
  #isTorn = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes not yet written. */
  get writableLength(): number {
    return this.#waitingBytes;
  }

  write(text: string, callback: Waiting['callback']): void {
    this.#waiting.push({ text, callback });
    this.#waitingBytes += Buffer.byteLength(text);
    if (!this.#isWriting) void this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      const bytes = this.#waitingBytes;
      this.#waiting = [];
      const error = await this.#append(batch.map(({ text }) => text).join('')).then(
        () => undefined,
        (reason: Error) => reason,
      );
      this.#waitingBytes -= bytes;
      for (const { callback } of batch) callback(error);
    }
    this.#isWriting = false;
  }

  async #append(text: string): Promise<void> {
    const descriptor = await openFile(this.#path, FLAGS, MODE);
    const data = Buffer.from(this.#isTorn ? `\n${text}` : text);
    let done = 0;
    try {
      while (done < data.length) {
        const { bytesWritten } = await writeTo(descriptor, data, done);
        done += bytesWritten;
      }
    } finally {
      if (done > 0) this.#isTorn = data[done - 1] !== LINE_FEED;
      await closeFile(descriptor);
    }
  }
}
