import { candlesOf, type Row } from '../../machines/model/row.ts';

/** Candles of one transaction at most (contract 5). */
export const BATCH_ROWS_MAX = 100;

/**
 * Rows on their way to the store, first in, first out, bounded. Rows leave it when they are committed, not
 * when they are taken: a batch can be taken again.
 */
export class RowBuffer {
  readonly #rowsMax: number;
  #rows: Row[] = [];
  /** Rows of `#rows` that have left: shifting an array of thousands for each batch would cost more. */
  #head = 0;
  #written = 0;
  /** Called on the edges that the store's chart knows: no longer empty, and a batch full. */
  onEdge: ((edge: 'rows' | 'full') => void) | undefined;
  /** Who waits for rows to leave. */
  #waiting: (() => void)[] = [];

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
  }

  get size(): number {
    return this.#rows.length - this.#head;
  }

  /** Rows that were committed, over the life of the collector. */
  get written(): number {
    return this.#written;
  }

  /** A whole batch waits. */
  get full(): boolean {
    return this.size >= BATCH_ROWS_MAX;
  }

  /** Whether one more row may come. */
  hasRoom(): boolean {
    return this.size < this.#rowsMax;
  }

  /** Takes a row; false, and nothing taken, when the bound is reached. */
  offer(row: Row): boolean {
    if (!this.hasRoom()) return false;
    this.#rows.push(row);
    const size = this.size;
    if (size === 1) this.onEdge?.('rows');
    else if (size === BATCH_ROWS_MAX) this.onEdge?.('full');
    return true;
  }

  /** The oldest rows, a batch at most by their candles, one at least; they stay until {@link drop}. */
  batch(): readonly Row[] {
    let end = this.#head;
    for (let candles = 0; end < this.#rows.length; end++) {
      candles += candlesOf(this.#rows[end]!);
      if (candles > BATCH_ROWS_MAX && end > this.#head) break;
    }
    return this.#rows.slice(this.#head, end);
  }

  /**
   * Does `work` when fewer than `rows` wait: at once, or as they leave, one who waits after the other. Rejects with the
   * signal's reason.
   */
  async whenBelow<Result>(rows: number, signal: AbortSignal, work: () => Result): Promise<Result> {
    while (this.size >= rows && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      signal.addEventListener('abort', resolve as () => void, { once: true });
      await promise;
      signal.removeEventListener('abort', resolve as () => void);
    }
    signal.throwIfAborted();
    return work();
  }

  /** Lets go of the `count` oldest rows: they are committed. */
  drop(count: number): void {
    this.#written += count;
    this.#head += count;
    if (this.#head === this.#rows.length) {
      this.#rows = [];
      this.#head = 0;
    } else if (this.#head > 10_000) {
      this.#rows = this.#rows.slice(this.#head);
      this.#head = 0;
    }
    // In the order of their coming: the first may bring so many that the others wait again.
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
