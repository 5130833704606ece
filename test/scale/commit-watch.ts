/** When rows were committed, as another program sees it: how many a store holds, looked at again and again. */
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { instant } from './instant.ts';

const LOOK_MS = 5;

export class CommitWatch {
  readonly #looks: { readonly count: number; readonly at: number }[] = [];
  readonly #over = new AbortController();
  readonly #watching: Promise<void>;

  constructor(file: string) {
    this.#watching = this.#watch(file);
  }

  async #watch(file: string): Promise<void> {
    const database = new DatabaseSync(file, { readOnly: true });
    const query = database.prepare('SELECT count(*) AS count FROM candles');
    while (!this.#over.signal.aborted) {
      const count = Number(query.get()?.['count']);
      if (count !== this.#looks.at(-1)?.count) this.#looks.push({ count, at: instant() });
      await sleep(LOOK_MS);
    }
    database.close();
  }

  /** Ends it. Returns when the row that came `nth`, from 1, was seen first, by `instant()`; rows are committed as they come. */
  async end(): Promise<(nth: number) => number> {
    this.#over.abort();
    await this.#watching;
    return (nth) => this.#looks.find(({ count }) => count >= nth)?.at ?? Number.NaN;
  }
}
