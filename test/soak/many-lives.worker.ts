/** The lane of many lives in a thread of its own: its judging must not make the long life's network late. */
import { parentPort, workerData } from 'node:worker_threads';
import { type LivesOptions, type LivesResult, liveManyTimes } from './many-lives.ts';

export type LaneMessage = { readonly line: string } | { readonly result: LivesResult };

// Told to end, it ends whom it has started.
parentPort?.once('message', () => process.exit()).unref();

const send = (message: LaneMessage): void => parentPort?.postMessage(message);
send({ result: await liveManyTimes(workerData as LivesOptions, (line) => send({ line })) });
