/** One JSON line for each closed candle, revision and gap, on standard output. */
import type { Candle } from '../../machines/model/kline.ts';

/** What is needed of `process.stdout`. */
export interface JsonlTarget {
  write(text: string, callback?: (error?: Error | null) => void): boolean;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  readonly writableNeedDrain: boolean;
}

export type JsonlRecord = { readonly type: 'revision' | 'gap' } & Readonly<Record<string, unknown>>;

export interface JsonlOptions {
  readonly target: JsonlTarget;
  /** Nobody reads any more: the reader has closed its end. Called once. */
  readonly onClosed: () => void;
  /** Writing failed for another reason. Called once. */
  readonly onFailed: (error: Error) => void;
}

/** Revisions and gaps that may wait for a reader that has stalled; candles don't wait here. */
const WAITING_MAX = 10_000;

export interface Jsonl {
  /**
   * Writes every candle, waiting whenever the reader is slow; the iterator catches up from the store then.
   * Resolves at the iterator's end or when the reader is gone.
   */
  follow(candles: AsyncIterable<Candle>): Promise<void>;
  /** Writes a rare record at once. False when too many wait already; it is dropped then. */
  put(record: JsonlRecord): boolean;
  /** Resolves when all that was written has been taken. */
  flushed(): Promise<void>;
}

export function createJsonl({ target, onClosed, onFailed }: JsonlOptions): Jsonl {
  let isOpen = true;
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  const gone = Promise.withResolvers<void>();

  const close = (error: NodeJS.ErrnoException): void => {
    if (!isOpen) return;
    isOpen = false;
    gone.resolve();
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') onClosed();
    else onFailed(error);
  };
  target.on('error', close);

  const write = (record: object): void => {
    const taken = Promise.withResolvers<void>();
    last = taken.promise;
    waiting++;
    target.write(`${JSON.stringify(record)}\n`, (error) => {
      waiting--;
      taken.resolve();
      if (error) close(error);
    });
  };
  const drained = (): Promise<void> =>
    target.writableNeedDrain ? new Promise((resolve) => target.once('drain', resolve)) : Promise.resolve();

  return {
    async follow(candles) {
      for await (const candle of candles) {
        if (!isOpen) return;
        write({ type: 'candle', ...candle });
        if (target.writableNeedDrain) await Promise.race([drained(), gone.promise]);
      }
    },
    put(record) {
      if (!isOpen || waiting >= WAITING_MAX) return false;
      write(record);
      return true;
    },
    flushed: () => Promise.race([last, gone.promise]),
  };
}
