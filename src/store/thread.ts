/** Where a store is written, beside the program that writes it. */
import { Worker } from 'node:worker_threads';
import type { Answer, Request } from './messages.ts';
import { keepThread } from './threads.ts';

export interface StoreThread {
  /** Asks; requests are answered in order. Buffers that are handed over can't be used afterwards. */
  post(request: Request, handedOver: readonly ArrayBuffer[]): void;
  /** Ends it at once; nothing of it is told any more. Resolves when it has ended. */
  terminate(): Promise<unknown>;
}

export interface ThreadEvents {
  answered(answer: Answer): void;
  /** It has failed, or ended unasked; `ended` resolves when it has let go of its file. */
  gone(cause: unknown, ended: Promise<unknown>): void;
}

export type StartThread = (events: ThreadEvents) => StoreThread;

/** Beside the sources it is TypeScript, beside the bundle it is not. */
const WORKER_URL = new URL(
  import.meta.url.endsWith('.ts') ? './sqlite.worker.ts' : './sqlite.worker.js',
  import.meta.url,
);

/**
 * Of what lives a moment, as the rows of a batch, MB: without a bound a heap takes some hundred, the more the longer it lives.
 */
const YOUNG_MB = 12;

/** A worker thread, which writes the file that it is told to open. */
export const startWorker: StartThread = ({ answered, gone }) => {
  const worker = new Worker(WORKER_URL, {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  keepThread(worker);
  worker.on('message', answered);
  worker.on('error', (error) => gone(error, worker.terminate()));
  worker.on('exit', (code) => gone(new Error(`exit code ${code}`), Promise.resolve()));
  return {
    post: (request, handedOver) => worker.postMessage(request, handedOver),
    terminate() {
      for (const event of ['message', 'error']) worker.removeAllListeners(event);
      // A late error of a thread that is being ended is nobody's concern, but unheard it would end the process.
      worker.on('error', () => {});
      return worker.terminate();
    },
  };
};
