/** Keeps the books: what is recorded here is written in batches, compared with itself, and looked at once more at the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Check, Component, ComponentEnd, Logger, StartContext, StopContext } from 'candlestate';
import { type Entry, type Fill, type Order, type Position, positionAfter } from './book.ts';
import { type FinalState, inspectFile, Ledger } from './ledger.ts';

const BATCH_SIZE = 100;
const BATCH_MS = 1_000;
const RETRY_MS = 50;
/** Of its time to stop: kept for saying what was lost. */
const RESERVE_MS = 200;

export class StateManager implements Component {
  readonly name = 'StateManager';
  readonly deadlineMs = 2_000;
  readonly #path: string;
  readonly #logger: Logger;
  readonly #reconcileEveryMs: number;
  readonly #positions = new Map<string, Position>();
  readonly #waiting: Entry[] = [];
  #opened: Ledger | undefined;
  #counts = { orders: 0, fills: 0 };
  #lastId = 0;
  #isHeldUp = false;
  #batchTimer: NodeJS.Timeout | undefined;
  #reconcileTimer: NodeJS.Timeout | undefined;
  #fail: (error: unknown) => void = () => {};

  constructor(options: { path: string; logger: Logger; reconcileEveryMs?: number }) {
    this.#path = options.path;
    this.#logger = options.logger;
    this.#reconcileEveryMs = options.reconcileEveryMs ?? 5_000;
  }

  start(_signal: AbortSignal, { ended }: StartContext): void {
    this.#fail = ended;
    this.#opened = new Ledger(this.#path);
    this.#waiting.length = 0;
    this.#positions.clear();
    this.#counts = this.#ledger.counts();
    this.#lastId = this.#ledger.lastId();
    for (const position of this.#ledger.positions()) this.#positions.set(position.symbol, position);
    for (const order of this.#ledger.openOrders()) this.#cancelLeftOpen(order);
    this.reconcile();
    this.#reconcileTimer = setInterval(() => this.#attempt(() => this.reconcile()), this.#reconcileEveryMs);
    this.#logger.info('books opened', { ...this.#counts, positions: this.#positions.size });
  }

  /** What is held now, written or not. */
  positions(): Position[] {
    return [...this.#positions.values()].filter(({ lots }) => lots !== 0);
  }

  isHeld(symbol: string): boolean {
    return (this.#positions.get(symbol)?.lots ?? 0) !== 0;
  }

  /** Takes down a new order. Its number is higher than all before. */
  place(order: Omit<Order, 'id' | 'filled' | 'status'>): Order {
    this.#counts.orders += 1;
    this.#lastId += 1;
    const placed: Order = { ...order, id: this.#lastId, filled: 0, status: 'open' };
    this.#add({ order: placed });
    return placed;
  }

  /** Takes down how an order is now, and the fill that made it so. */
  record(order: Order, fill?: Fill): void {
    if (fill === undefined) {
      this.#add({ order });
      return;
    }
    const position = positionAfter(this.#positions.get(order.symbol), order, fill);
    this.#positions.set(order.symbol, position);
    this.#counts.fills += 1;
    this.#add({ order, fill, position });
  }

  /** Positions are the sum of their fills. Where they are not, here or in the database, that is said and mended. */
  reconcile(): void {
    this.#commit();
    if (this.#waiting.length > 0) return;
    const written = new Map(this.#ledger.positions().map((it) => [it.symbol, it]));
    const filled = new Map(this.#ledger.filledPositions().map((it) => [it.symbol, it]));
    const lotsIn = (positions: Map<string, Position>, symbol: string) => positions.get(symbol)?.lots ?? 0;
    for (const symbol of new Set([...written.keys(), ...filled.keys(), ...this.#positions.keys()])) {
      const lots = lotsIn(filled, symbol);
      if (lotsIn(written, symbol) === lots && lotsIn(this.#positions, symbol) === lots) continue;
      const openedAt = (written.get(symbol) ?? filled.get(symbol))?.openedAt ?? 0;
      this.#logger.warn('a position differed from its fills; it is mended', {
        symbol,
        written: lotsIn(written, symbol),
        held: lotsIn(this.#positions, symbol),
        filled: lots,
      });
      if (this.#ledger.mend([{ symbol, lots, openedAt }]))
        this.#positions.set(symbol, { symbol, lots, openedAt });
    }
  }

  /** Writes what waits and the final state, and reads it back. Rows that could not be written are reported as lost. */
  async stop(signal: AbortSignal, { timeoutMs }: StopContext): Promise<ComponentEnd> {
    this.#logger.info('StateManager stops', { timeoutMs });
    clearInterval(this.#reconcileTimer);
    // It could not be opened, so nothing was taken down.
    if (this.#opened === undefined) return {};
    try {
      const end = performance.now() + timeoutMs - RESERVE_MS;
      while (!this.#isAllSaved() && performance.now() < end && !signal.aborted) await sleep(RETRY_MS);
      const lost = this.#waiting.length;
      if (lost === 0) this.#lookAgain();
      return { lost, notes: { ...this.#counts } };
    } finally {
      clearTimeout(this.#batchTimer);
      this.#ledger.close();
      this.#opened = undefined;
    }
  }

  /** After all have stopped, with a fresh connection: what the next run will find. */
  verify(): readonly Check[] {
    return inspectFile(this.#path);
  }

  /** Whoever was to fill it is gone. */
  #cancelLeftOpen(order: Order): void {
    const reason = 'left open by a run that was cut off';
    this.record({ ...order, status: 'cancelled', reason });
    this.#logger.warn('order cancelled', {
      id: order.id,
      symbol: order.symbol,
      filled: order.filled,
      reason,
    });
  }

  get #ledger(): Ledger {
    if (this.#opened === undefined) throw new Error('the books are not open');
    return this.#opened;
  }

  #isAllSaved(): boolean {
    this.#commit();
    return this.#waiting.length === 0 && this.#ledger.saveFinalState(this.#finalState());
  }

  /** Reads what has just been written. */
  #lookAgain(): void {
    const wrong = this.#ledger.inspect().filter(({ outcome }) => outcome === 'failed');
    const list = wrong.map(({ name, detail }) => `${name} (${detail})`).join(', ');
    if (wrong.length > 0) throw new Error(`the final state is wrong: ${list}`);
    this.#logger.info('final state saved and verified', this.#counts);
  }

  #finalState(): FinalState {
    const held = this.positions().sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
    return { ...this.#counts, positions: Object.fromEntries(held.map(({ symbol, lots }) => [symbol, lots])) };
  }

  #add(entry: Entry): void {
    this.#waiting.push(entry);
    if (this.#waiting.length >= BATCH_SIZE) this.#attempt(() => this.#commit());
    else this.#batchTimer ??= setTimeout(() => this.#attempt(() => this.#commit()), BATCH_MS);
  }

  /** Writes all that waits, a batch to a transaction; what can't be written now is tried again soon. */
  #commit(): void {
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH_SIZE);
      if (!this.#ledger.write(batch)) {
        if (!this.#isHeldUp) this.#logger.warn('another program holds the database; the batch waits');
        this.#isHeldUp = true;
        this.#batchTimer = setTimeout(() => this.#attempt(() => this.#commit()), RETRY_MS);
        return;
      }
      this.#waiting.splice(0, batch.length);
      this.#isHeldUp = false;
      this.#logger.debug('batch written', { entries: batch.length });
    }
  }

  /** What fails in a timer ends the application. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }
}
