/** Work that has an end, run as a process: signals, faults and exit codes are those of every command. */
import type { Application } from '../supervisor/run.ts';

/**
 * Does `work` once. What it throws is the failure that the process ends with; once the signal is aborted, it may
 * throw what it likes. A stop waits for its end: aborted work comes to it soon.
 */
export function jobOf(work: (signal: AbortSignal) => Promise<void>, timeoutMs: number): Application {
  const breakOff = new AbortController();
  const ended = Promise.withResolvers<{ reason: string; sound: boolean; failure?: unknown }>();
  return {
    timeoutMs,
    async start() {
      void work(breakOff.signal).then(
        () => ended.resolve({ reason: 'done', sound: true }),
        (failure: unknown) =>
          ended.resolve(
            breakOff.signal.aborted
              ? { reason: 'stopped', sound: true }
              : { reason: 'failed', sound: false, failure },
          ),
      );
    },
    async stop() {
      breakOff.abort();
      return ended.promise;
    },
    ended: ended.promise,
  };
}
