import type { CandleBlock } from '../../../machines/model/block.ts';
import type { Series } from '../../../machines/model/kline.ts';
import type { Gap } from '../../../machines/model/row.ts';
import type { Span } from '../../../machines/model/spans.ts';
import type { TableFile } from '../../store/table-file.ts';
import { type HistorySink, noCounts, type Taken } from './sinks.ts';

const over = (): Error => new Error('the load has ended');

/** A file, which has its name only once it is whole. Nothing of it is left when it does not come to that. */
export class FileSink implements HistorySink {
  readonly name = 'file';
  readonly isOrdered = true;
  readonly barsMax = Number.POSITIVE_INFINITY;
  readonly counts = noCounts();
  readonly #openFile: () => Promise<TableFile>;
  #file: TableFile | undefined;
  /** What was asked for last: one thing after the other is done with the file. */
  #last: Promise<void> = Promise.resolve();
  #isClosing = false;
  #isWhole = false;

  constructor(openFile: () => Promise<TableFile>) {
    this.#openFile = openFile;
  }

  open(isDryRun: boolean): Promise<void> {
    return this.#next(async () => {
      if (!isDryRun) this.#file = await this.#openFile();
    });
  }

  async missing(_: Series, range: Span): Promise<readonly Span[]> {
    return [range];
  }

  async gaps(): Promise<readonly Gap[]> {
    return [];
  }

  take({ blocks }: Taken): Promise<void> {
    return this.#next((file) => this.#write(file, blocks));
  }

  finish(): Promise<void> {
    return this.#next(async (file) => {
      await file?.close();
      this.#isWhole = true;
    });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    // Whoever asked for it has heard how it went.
    await this.#last.catch(() => {});
    if (this.#isWhole) return;
    this.counts.stored = 0;
    await this.#file?.abort();
  }

  async #write(file: TableFile | undefined, blocks: readonly CandleBlock[]): Promise<void> {
    for (const block of blocks) {
      if (this.#isClosing) throw over();
      await file?.write(block);
      this.counts.stored += block.rows;
    }
  }

  #next(work: (file: TableFile | undefined) => Promise<void>): Promise<void> {
    this.#last = this.#last.then(() => {
      if (this.#isClosing) throw over();
      return work(this.#file);
    });
    return this.#last;
  }
}
