import { closeSync, constants, openSync, writeSync } from 'node:fs';
import type { LineStream } from './line-sink.ts';

/** Never waits: a file is at once what a pipe without a reader would never be. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
/** A log may name symbols, paths and hosts: it is the owner's alone. */
const MODE = 0o600;
const LINE_FEED = 10;

/**
 * A file that lines are appended to. A line that is taken is in the hands of the kernel: it is written at once, as Node
 * does with standard error, so that no end of the process can overtake it; some ten microseconds a line. One that
 * could not be written is gone, and the next is tried nevertheless: a full disk may have room again. The file is open only while
 * a line is written: it may be moved away, and nothing has to be closed.
 */
export class LogFile implements LineStream {
  /** Lines may be taken again after one was not. */
  readonly recovers = true;
  readonly #path: string;
  /** A write that failed half way has left a line without its end. */
  #isTorn = false;

  constructor(path: string) {
    this.#path = path;
  }

  write(text: string, callback: (error?: Error | null) => void): void {
    try {
      this.#append(text);
    } catch (error) {
      callback(error as Error);
      return;
    }
    callback();
  }

  #append(text: string): void {
    const descriptor = openSync(this.#path, FLAGS, MODE);
    const data = Buffer.from(this.#isTorn ? `\n${text}` : text);
    let done = 0;
    try {
      while (done < data.length) done += writeSync(descriptor, data, done);
    } finally {
      if (done > 0) this.#isTorn = data[done - 1] !== LINE_FEED;
      closeSync(descriptor);
    }
  }
}
