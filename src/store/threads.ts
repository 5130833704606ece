/** The threads that write stores, while they live: an exit waits for them, and one may be inside SQLite. */
import type { Worker } from 'node:worker_threads';

const living = new Set<Worker>();

/** Known until it has ended. */
export function keepThread(worker: Worker): void {
  living.add(worker);
  worker.once('exit', () => living.delete(worker));
}

export const livingThreads = (): number => living.size;

/**
 * Ends all of them and resolves when they are gone, which a long statement delays. Their writers are not told,
 * so that none starts another: it is the end of the process. SQLite rolls back what was under way.
 */
export async function endThreads(): Promise<void> {
  await Promise.all(
    [...living].map(async (worker) => {
      worker.removeAllListeners();
      worker.on('error', () => {});
      await worker.terminate();
      living.delete(worker);
    }),
  );
}
