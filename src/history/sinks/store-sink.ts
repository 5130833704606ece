import { existsSync } from 'node:fs';
import type { CandleBlock } from '../../../machines/model/block.ts';
import { describe, isRetryable } from '../../../machines/model/cleanup.ts';
import type { Series } from '../../../machines/model/kline.ts';
import type { Gap } from '../../../machines/model/row.ts';
import { type Span, unite } from '../../../machines/model/spans.ts';
import type { Clock, Logger } from '../../ports.ts';
import { readMissing } from '../../store/blocks.ts';
import { checkStore, inspectStore } from '../../store/inspect.ts';
import type { HistoryBatch } from '../../store/load.ts';
import type { StoreWriter } from '../../store/writer.ts';
import { sleep } from '../../transport/clock.ts';
import { copied, portionsOf, rowsIn } from './parts.ts';
import { type HistorySink, noCounts, type Taken } from './sinks.ts';

/** So many rows are worth a transaction; the rest waits for company. */
const BATCH_ROWS = 8_000;
/** No transaction has more, for each is copied. */
const BATCH_ROWS_MAX = 10_000;
/** A commit that failed and may succeed is tried so often in all, ever later: within half a minute. */
const TRIES_MAX = 7;
const RETRY_MS = 500;

/** What is needed of the store's writer. */
export type HistoryWriter = Pick<StoreWriter, 'load' | 'missing' | 'gaps' | 'close' | 'terminate'> & {
  open(): Promise<unknown>;
};

export interface StoreSinkPorts {
  readonly writer: HistoryWriter;
  readonly path: string;
  readonly origin: string;
  readonly series: Series;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The exchange's time, ms; NaN while nobody has asked for it. */
  readonly exchangeNow: () => number;
  /** The same, or the local time while it is not known, ms. */
  readonly stampNow: () => number;
}

const nothing = () => ({ blocks: [] as CandleBlock[], gaps: [] as Gap[], collected: [] as Span[], rows: 0 });

/**
 * A store. While one batch is being committed the next one is gathered: no more than these two are held. What comes
 * late may come in any order.
 */
export class StoreSink implements HistorySink {
  readonly name = 'store';
  readonly isOrdered = false;
  readonly barsMax = Number.POSITIVE_INFINITY;
  readonly counts = noCounts();
  readonly #ports: StoreSinkPorts;
  readonly #over = new AbortController();
  #isDryRun = false;
  #isOpen = false;
  #gathered = nothing();
  #underWay: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(ports: StoreSinkPorts) {
    this.#ports = ports;
  }

  async open(isDryRun: boolean): Promise<void> {
    const { path, origin } = this.#ports;
    this.#isDryRun = isDryRun;
    // Who only looks does so also while somebody else writes.
    if (isDryRun) return void (await inspectStore(path, origin));
    await checkStore(path, origin);
    // One that is not there yet is made for the first bars: what the exchange refuses must not leave a file behind.
    if (existsSync(path)) await this.#open();
  }

  async #open(): Promise<void> {
    this.#isOpen = true;
    await this.#ports.writer.open();
  }

  async missing(series: Series, range: Span): Promise<readonly Span[]> {
    const { writer, path, stampNow } = this.#ports;
    const options = { exchangeTime: stampNow() };
    if (this.#isDryRun) return existsSync(path) ? readMissing(path, series, range, options) : [range];
    return this.#isOpen ? writer.missing(series, range, options) : [range];
  }

  async gaps(series: Series, range: Span): Promise<readonly Gap[]> {
    return this.#isOpen ? this.#ports.writer.gaps(series, range) : [];
  }

  async take({ blocks, gaps, collected }: Taken): Promise<void> {
    this.#throwIfFailed();
    this.#over.signal.throwIfAborted();
    // That nothing is there is not worth a store.
    if (!this.#isOpen && rowsIn(blocks) === 0 && gaps.length === 0) return;
    if (!this.#isOpen) await this.#open();
    this.#over.signal.throwIfAborted();
    this.#gathered.blocks.push(...blocks);
    this.#gathered.gaps.push(...gaps);
    this.#gathered.collected.push(...collected);
    this.#gathered.rows += rowsIn(blocks);
    if (this.#gathered.rows < BATCH_ROWS) return;
    await this.#underWay;
    this.#over.signal.throwIfAborted();
    this.#throwIfFailed();
    this.#commitGathered();
  }

  async finish(): Promise<void> {
    await this.#underWay;
    this.#throwIfFailed();
    this.#commitGathered();
    await this.#underWay;
    this.#throwIfFailed();
  }

  async close(signal: AbortSignal): Promise<void> {
    // From here on nothing is taken and nothing waits to be tried again.
    this.#over.abort(new Error('the load has ended'));
    if (!this.#isOpen) return;
    const { writer, exchangeNow } = this.#ports;
    signal.addEventListener('abort', () => void writer.terminate(), { once: true });
    await this.#underWay;
    const hadFailed = this.#failure !== undefined;
    if (hadFailed) this.#giveUpGathered();
    else this.#commitGathered();
    await this.#underWay;
    await writer.close(exchangeNow());
    // What the load itself has failed with is its own report.
    if (!hadFailed) this.#throwIfFailed();
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #giveUpGathered(): void {
    this.counts.unwritten += this.#gathered.rows;
    this.#gathered = nothing();
  }

  /** Only when nothing is under way. What goes wrong is kept for who comes next. */
  #commitGathered(): void {
    const { blocks, gaps, collected, rows } = this.#gathered;
    if (rows === 0 && gaps.length === 0 && collected.length === 0) return;
    this.#gathered = nothing();
    const { series } = this.#ports;
    const portions = portionsOf(blocks, BATCH_ROWS_MAX);
    let kept = 0;
    const commitAll = async (): Promise<void> => {
      const last = portions.pop() ?? [];
      for (const portion of portions) {
        await this.#commit({ series, blocks: portion, gaps: [], collected: [] });
        kept += rowsIn(portion);
      }
      // Only with the last of its bars is it whole.
      await this.#commit({ series, blocks: last, gaps, collected: unite(collected) });
      release(blocks);
    };
    this.#underWay = commitAll().catch((error: unknown) => {
      this.#failure = { error };
      this.counts.unwritten += rows - kept;
    });
  }

  async #commit(batch: HistoryBatch): Promise<void> {
    const { writer, clock, logger, exchangeNow, stampNow } = this.#ports;
    for (let tries = 1; ; tries++) {
      try {
        if (tries > 1) await this.#reopen();
        // The writer's thread gets a copy: what it was given is gone, and may have to be given again.
        const again = { ...batch, blocks: copied(batch.blocks), foundAt: stampNow() };
        const done = await writer.load(again, exchangeNow());
        this.counts.stored += done.inserted;
        this.counts.filled += done.filled;
        this.#isGone = false;
        return;
      } catch (error) {
        if (tries === TRIES_MAX || !isRetryable(error) || this.#over.signal.aborted) throw error;
        this.#isGone = codeOf(error) === 'STORE_WRITER_GONE';
        const retryMs = RETRY_MS * 2 ** (tries - 1);
        logger.error('the store cannot write; rows wait', { reason: describe(error), retryMs });
        await sleep(clock, retryMs, this.#over.signal).catch(() => {
          throw error;
        });
      }
    }
  }

  /** The writer's thread has died: it has to be opened anew. */
  #isGone = false;

  async #reopen(): Promise<void> {
    if (this.#isGone) await this.#ports.writer.open();
    this.#isGone = false;
  }
}

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;

/** Gives their memory back now: the garbage collector lets tens of megabytes of buffers wait. */
function release(blocks: readonly CandleBlock[]): void {
  for (const { columns } of blocks) (columns.openTime.buffer as ArrayBuffer).transfer(0);
}
