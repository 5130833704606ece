/** What a store answers, wherever its database is: in the worker thread, or in the memory of a simulation. */
import { StoreError } from '../errors.ts';
import { StoreDatabase } from './database.ts';
import { type Hold, WAL_BYTES_MAX } from './holding.ts';
import type { Answer, Request } from './messages.ts';

/** One store: it is opened, asked and closed by requests, and every request has an answer. */
export class StoreService {
  readonly #hold: Hold | undefined;
  #database: StoreDatabase | undefined;

  /** @param hold default: the file that is named. */
  constructor(hold?: Hold) {
    this.#hold = hold;
  }

  /** Never throws: what goes wrong is the answer. */
  answer(request: Request): Answer {
    try {
      return this.#serve(request);
    } catch (error) {
      return refusal(request, error);
    }
  }

  #serve(request: Request): Answer {
    const { id } = request;
    switch (request.do) {
      case 'open': {
        const result = StoreDatabase.open(request.request, this.#hold);
        this.#database = result.database;
        return { id, ok: true, opened: result.opened };
      }
      case 'commit': {
        this.#opened.commit(request.rows, request.exchangeTime);
        const walBytes = this.#opened.walBytes();
        return walBytes > WAL_BYTES_MAX ? { id, ok: true, walBytes } : { id, ok: true };
      }
      case 'load':
        return { id, ok: true, loaded: this.#opened.load(request.batch, request.exchangeTime) };
      case 'missing': {
        const { series, range, exchangeTime } = request;
        return { id, ok: true, missing: this.#opened.missing(series, range, exchangeTime) };
      }
      case 'gaps':
        return { id, ok: true, gaps: this.#opened.gaps(request.series, request.range) };
      case 'close':
        this.#database?.close(request.exchangeTime);
        this.#database = undefined;
        return { id, ok: true };
    }
  }

  get #opened(): StoreDatabase {
    if (this.#database === undefined) throw new StoreError('the store is not open', { code: 'STORE_CLOSED' });
    return this.#database;
  }
}

/** The answer to a request that came to nothing. */
export const refusal = ({ id }: Pick<Request, 'id'>, error: unknown): Answer => ({
  id,
  ok: false,
  code: error instanceof StoreError ? error.code : 'STORE_WRITE',
  message: error instanceof Error ? error.message : String(error),
});
