import { hostname } from 'node:os';
import type { Series } from '../../machines/model/kline.ts';
import type { Gap, Row } from '../../machines/model/row.ts';
import type { Span } from '../../machines/model/spans.ts';
import { StoreError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { Opened } from './database.ts';
import type { HistoryBatch, LoadResult } from './load.ts';
import type { Answer, Request } from './messages.ts';
import { type StartThread, type StoreThread, startWorker } from './thread.ts';

/** Where committed rows go. */
export interface StoreWriter {
  /** Opens it, again after its thread has died. @throws {StoreError} */
  open(): Promise<Opened>;
  /** Resolves when the rows are committed, all of them; rejects when none is. @throws {StoreError} */
  commit(rows: readonly Row[], exchangeTime: number): Promise<void>;
  /**
   * Adds a part of the history of a series: in one transaction its bars, where they are not stored yet; open gaps whose
   * bars turn up are filled, and its gaps named. What is stored is never changed, and the same part again changes nothing.
   *
   * The blocks are handed over, and can't be used afterwards, also when this rejects: what failed is loaded again.
   * `exchangeTime` is known, ms. @throws {StoreError}
   */
  load(batch: HistoryBatch, exchangeTime: number): Promise<LoadResult>;
  /**
   * Bars that open in [from, to) and are worth asking for, as runs, ascending: they are not stored, and no gap says that the
   * exchange has them not, found less than a day of exchange time ago. A gap that was named without asking the exchange
   * counts for nothing (`machines/model/gap-reasons.ts`). When there are more than 10,000 runs, near ones are told as one.
   * @throws {StoreError}
   */
  missing(series: Series, range: Span, options: { readonly exchangeTime: number }): Promise<readonly Span[]>;
  /** Gaps that are open and name bars that open in [from, to). @throws {StoreError} */
  gaps(series: Series, range: Span): Promise<readonly Gap[]>;
  /**
   * Notes the exchange's time and lets go of the file. Never hangs on a thread that is gone.
   */
  close(exchangeTime: number): Promise<void>;
  /**
   * Ends the thread at once; a transaction under way is rolled back by SQLite. Resolves when the thread has ended.
   */
  terminate(): Promise<unknown>;
}

export interface WriterOptions {
  readonly path: string;
  /** The network that the candles are from. */
  readonly origin: string;
  readonly clock: Clock;
  /** After each commit with which the WAL is too long: somebody reads an old state of the store, and goes on reading. */
  readonly onLongWal?: (walBytes: number) => void;
  /** Default: a worker thread. */
  readonly startThread?: StartThread;
}

type Body<One> = One extends unknown ? Omit<One, 'id'> : never;

/** An SQLite file, written by a worker thread. */
export class SqliteWriter implements StoreWriter {
  readonly #path: string;
  readonly #origin: string;
  readonly #clock: Clock;
  readonly #startThread: StartThread;
  #thread: StoreThread | undefined;
  readonly #onLongWal: ((walBytes: number) => void) | undefined;
  /** The thread before has ended, and with it its hold on the file. */
  #ended: Promise<unknown> = Promise.resolve();
  /** Counts ends, so that an opening knows when it was overtaken by one. */
  #life = 0;
  #nextId = 1;
  readonly #waiting = new Map<number, { resolve(answer: Answer): void; reject(error: unknown): void }>();

  constructor(options: WriterOptions) {
    this.#onLongWal = options.onLongWal;
    this.#path = options.path;
    this.#origin = options.origin;
    this.#clock = options.clock;
    this.#startThread = options.startThread ?? startWorker;
  }

  async open(): Promise<Opened> {
    this.terminate();
    const life = this.#life;
    await this.#ended;
    // Closed before it was open: a thread started now would hold the file, and nobody would end it.
    if (life !== this.#life)
      throw new StoreError('the store was closed before it was open', { code: 'STORE_CLOSED' });
    this.#start();
    const holder = { pid: process.pid, host: hostname(), since: this.#clock.wallNow() };
    try {
      const answer = await this.#ask({
        do: 'open',
        request: { path: this.#path, origin: this.#origin, holder },
      });
      return (answer.ok ? answer.opened : undefined) ?? { watermarks: [], gaps: [] };
    } catch (error) {
      // Unless another opening has begun meanwhile: its thread is not ours to end.
      if (life === this.#life) this.terminate();
      throw error;
    }
  }

  async commit(rows: readonly Row[], exchangeTime: number): Promise<void> {
    const answer = await this.#ask({ do: 'commit', rows, exchangeTime });
    if (answer.ok && answer.walBytes !== undefined) this.#onLongWal?.(answer.walBytes);
  }

  async load(batch: HistoryBatch, exchangeTime: number): Promise<LoadResult> {
    const { foundAt = exchangeTime } = batch;
    // A gap that is filled at no time is open.
    if (!Number.isFinite(foundAt)) throw new RangeError(`${foundAt} is no time at which gaps are filled`);
    // Columns of a block are views of one buffer, and blocks may be parts of one.
    const buffers = new Set(batch.blocks.map(({ columns }) => columns.openTime.buffer));
    const answer = await this.#ask({ do: 'load', batch, exchangeTime }, [...buffers] as ArrayBuffer[]);
    return (answer.ok ? answer.loaded : undefined) ?? { inserted: 0, filled: 0 };
  }

  async missing(
    { symbol, interval }: Series,
    { from, to }: Span,
    { exchangeTime }: { readonly exchangeTime: number },
  ): Promise<readonly Span[]> {
    const question = { series: { symbol, interval }, range: { from, to }, exchangeTime };
    const answer = await this.#ask({ do: 'missing', ...question });
    return (answer.ok ? answer.missing : undefined) ?? [];
  }

  async gaps({ symbol, interval }: Series, { from, to }: Span): Promise<readonly Gap[]> {
    const answer = await this.#ask({ do: 'gaps', series: { symbol, interval }, range: { from, to } });
    return (answer.ok ? answer.gaps : undefined) ?? [];
  }

  async close(exchangeTime: number): Promise<void> {
    if (this.#thread === undefined) {
      this.terminate();
      return;
    }
    try {
      await this.#ask({ do: 'close', exchangeTime });
    } finally {
      this.terminate();
    }
  }

  terminate(): Promise<unknown> {
    this.#life += 1;
    const thread = this.#thread;
    this.#thread = undefined;
    if (thread !== undefined) this.#ended = thread.terminate();
    this.#abandon(new StoreError('the store was closed before it answered', { code: 'STORE_CLOSED' }));
    return this.#ended;
  }

  #start(): void {
    const thread = this.#startThread({
      answered: (answer) => this.#settle(answer),
      gone: (cause, ended) => {
        // An error is followed by the exit; by then it may be another thread's turn.
        if (this.#thread !== thread) return;
        this.#thread = undefined;
        this.#ended = ended;
        this.#abandon(
          new StoreError('the thread that writes the store has ended', {
            code: 'STORE_WRITER_GONE',
            retryable: true,
            cause,
          }),
        );
      },
    });
    this.#thread = thread;
  }

  #ask(body: Body<Request>, handedOver: ArrayBuffer[] = []): Promise<Answer> {
    const thread = this.#thread;
    if (thread === undefined) {
      return Promise.reject(
        new StoreError('the thread that writes the store is not running', {
          code: 'STORE_WRITER_GONE',
          retryable: true,
        }),
      );
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      thread.post({ ...body, id }, handedOver);
    });
  }

  #settle(answer: Answer): void {
    const waiter = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.ok) waiter?.resolve(answer);
    else {
      const retryable = answer.code === 'STORE_WRITE';
      waiter?.reject(new StoreError(answer.message, { code: answer.code, retryable }));
    }
  }

  #abandon(error: StoreError): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiter of waiting) waiter.reject(error);
  }
}

/** No store: rows are taken as committed at once. */
export class MemoryWriter implements StoreWriter {
  async open(): Promise<Opened> {
    return { watermarks: [], gaps: [] };
  }
  async commit(): Promise<void> {}
  async load({ blocks }: HistoryBatch): Promise<LoadResult> {
    return { inserted: blocks.reduce((sum, { rows }) => sum + rows, 0), filled: 0 };
  }
  async missing(_: Series, { from, to }: Span): Promise<readonly Span[]> {
    return from < to ? [{ from, to }] : [];
  }
  async gaps(): Promise<readonly Gap[]> {
    return [];
  }
  async close(): Promise<void> {}
  async terminate(): Promise<void> {}
}
