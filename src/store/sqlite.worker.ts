/** The store's thread: SQLite is synchronous, and a slow disk must not delay a deadline or a signal. */
import { parentPort } from 'node:worker_threads';
import type { Request } from './messages.ts';
import { StoreService } from './service.ts';

const service = new StoreService();

parentPort?.on('message', (request: Request) => parentPort?.postMessage(service.answer(request)));
