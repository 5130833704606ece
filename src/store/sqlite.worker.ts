/** The store's thread: SQLite is synchronous, and a slow disk must not delay a deadline or a signal. */
import { parentPort } from 'node:worker_threads';
import { StoreError } from '../errors.ts';
import { StoreDatabase, WAL_BYTES_MAX } from './database.ts';
import type { Answer, Request } from './messages.ts';

let database: StoreDatabase | undefined;

function serve(request: Request): Answer {
  const { id } = request;
  switch (request.do) {
    case 'open': {
      const result = StoreDatabase.open(request.request);
      database = result.database;
      return { id, ok: true, opened: result.opened };
    }
    case 'commit': {
      opened().commit(request.rows, request.exchangeTime);
      const walBytes = opened().walBytes();
      return walBytes > WAL_BYTES_MAX ? { id, ok: true, walBytes } : { id, ok: true };
    }
    case 'load':
      return { id, ok: true, loaded: opened().load(request.batch, request.exchangeTime) };
    case 'missing':
      return { id, ok: true, missing: opened().missing(request.series, request.range, request.exchangeTime) };
    case 'gaps':
      return { id, ok: true, gaps: opened().gaps(request.series, request.range) };
    case 'close':
      database?.close(request.exchangeTime);
      database = undefined;
      return { id, ok: true };
  }
}

function opened(): StoreDatabase {
  if (database === undefined) throw new StoreError('the store is not open', { code: 'STORE_CLOSED' });
  return database;
}

parentPort?.on('message', (request: Request) => {
  let answer: Answer;
  try {
    answer = serve(request);
  } catch (error) {
    const code = error instanceof StoreError ? error.code : 'STORE_WRITE';
    const message = error instanceof Error ? error.message : String(error);
    answer = { id: request.id, ok: false, code, message };
  }
  parentPort?.postMessage(answer);
});
