/** The chart of a load that keeps nothing: REST and archive for as long as some work asks them. */
import { createActor, fromPromise, toPromise } from 'xstate';
import { closeOnFault } from '../machines/close-on-fault.ts';
import { historyMachine } from '../machines/history.machine.ts';
import { indexTimers } from './actors/timer-index.ts';
import type { Clock, Logger } from './ports.ts';
import { DeadlineCleanup } from './supervisor/deadline-cleanup.ts';
import type { wireRest } from './wire.rest.ts';

/** Begins at once. `work` ends it, or a STOP, which aborts the signal of the work. */
export function startAsking({
  session,
  name,
  stopTimeoutMs,
  clock,
  logger,
  work,
  closeArchive,
}: {
  readonly session: ReturnType<typeof wireRest>;
  /** Stands in reports in place of a sink's. */
  readonly name: string;
  readonly stopTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  work(signal: AbortSignal): Promise<void>;
  closeArchive(): Promise<void> | undefined;
}) {
  const nothing = fromPromise(async () => {});
  const actor = createActor(
    closeOnFault(
      historyMachine.provide({
        actors: {
          rest: session.machine,
          open: nothing,
          plan: fromPromise(async () => ({ pieces: 1 })),
          load: fromPromise(async ({ signal }) => {
            await work(signal);
            return { lacking: 0, hasMore: false };
          }),
          finish: nothing,
          closeSink: nothing,
          closeArchive: fromPromise(async () => closeArchive()),
        },
      }),
    ),
    {
      clock,
      input: {
        rest: session.input,
        sink: name,
        isDryRun: false,
        stopTimeoutMs,
        now: () => clock.now(),
      },
    },
  );
  indexTimers(actor);
  actor.on('NOTICE', ({ level, message, fields }) => logger[level](message, { ...fields }));
  const ended = toPromise(actor);
  // Who does not wait for it is told by the log of what is wrong.
  ended.catch((error: unknown) => logger.error('what asked for the past has failed', { error }));
  actor.start();
  actor.send({ type: 'START' });
  return {
    actor,
    /** Resolves to how it ended; rejects for a fault of ours. */
    ended,
    /** Lets go of what the chart has left. Never rejects. */
    async release(): Promise<void> {
      const cleanup = new DeadlineCleanup({ timeoutMs: stopTimeoutMs, clock, logger });
      session.release(cleanup);
      await cleanup.run();
    },
  };
}
