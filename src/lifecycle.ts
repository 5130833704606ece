/** What the chart's life means to a caller: promises for its states, its failure as an error, its end as a report. */
import type { Failure } from '../machines/collector.types.ts';
import type { Cleanup } from '../machines/model/cleanup.ts';
import { CandlestateError, ConnectionError } from './errors.ts';
import type { RunFacts } from './pipeline/run-counts.ts';
import { topState } from './status.ts';
import type { CleanupReport } from './supervisor/deadline-cleanup.ts';
import type { CollectorActor } from './wire.ts';

/** How a stop went. Every caller of the same stop gets the same object. */
export interface StopReport extends RunFacts {
  readonly reason: string;
  readonly durationMs: number;
  /** Every component closed by itself and every row was written. */
  readonly clean: boolean;
  readonly components: readonly Cleanup[];
  /** Closed candles kept in memory, by series as `BTCUSDT@1m`. They stay readable after the stop. */
  readonly buffers: Readonly<Record<string, number>>;
  /** Rows that were received and never written: `rows.received` less `rows.written`. */
  readonly unwritten: number;
}

/** What a stop leaves behind. */
export type Remains = RunFacts & Pick<StopReport, 'buffers'>;

export function reportOf(actor: CollectorActor, { buffers, rows, gaps }: Remains): StopReport {
  const { context } = actor.getSnapshot();
  // As it is now: rows may have come after the store had ended and said what it had left.
  const unwritten = rows.received - rows.written;
  return {
    reason: context.reason,
    durationMs: context.stopTook,
    clean: unwritten === 0 && context.lines.every((line) => line.outcome === 'closed'),
    components: context.lines,
    buffers,
    rows,
    gaps,
    unwritten,
  };
}

/** What is left of the time that the stop was given, ms; all of it where nobody asked for one. */
export function stopTimeLeft(actor: CollectorActor): number {
  const { stopBy, stopTimeoutMs, now } = actor.getSnapshot().context;
  return stopBy === undefined ? stopTimeoutMs : Math.max(0, stopBy - now());
}

/** The report of a stop when all was let go of that it had left. Of that only what went wrong has lines of its own. */
export const afterRelease = (report: StopReport, released: CleanupReport): StopReport => ({
  ...report,
  durationMs: report.durationMs + released.durationMs,
  clean: report.clean && released.clean,
  components: [...report.components, ...released.tasks.filter(({ outcome }) => outcome !== 'closed')],
});

/** Resolves when the chart is in a state, and rejects when it has stopped before that. */
export function reaches(
  actor: CollectorActor,
  wanted: 'streaming' | 'stopped',
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let hasLeft = false;
    const look = (): boolean => {
      const state = topState(actor);
      if (state === wanted) resolve();
      else if (state === 'stopped' && hasLeft) reject(failureOf(actor, signal));
      else {
        hasLeft ||= state !== 'initialized' && state !== 'stopped';
        return false;
      }
      return true;
    };
    if (look()) return;
    const subscription = actor.subscribe({
      next: () => {
        if (look()) subscription.unsubscribe();
      },
      error: (cause) =>
        reject(new ConnectionError('the collector failed', { code: 'COMPONENT_FAILED', cause })),
      // Whoever stops the actor itself ends it for good.
      complete: () => (wanted === 'stopped' ? resolve() : reject(failureOf(actor, signal))),
    });
  });
}

/** Why it did not come to streaming, as one of our errors. */
function failureOf(actor: CollectorActor, signal: AbortSignal | undefined): Error {
  const { failure, reason } = actor.getSnapshot().context;
  if (failure === undefined && signal?.aborted)
    return new ConnectionError('the signal given to the collector was aborted before it streamed', {
      code: 'ABORTED',
      cause: signal.reason,
    });
  if (failure === undefined)
    return new ConnectionError(`stopped before it streamed: ${reason}`, { code: 'STOPPED' });
  const { kind, cause } = failure;
  if (cause instanceof CandlestateError && kind !== 'connect-timeout') return cause;
  return new ConnectionError(describeFailure(failure), {
    code: kind === 'connect-timeout' ? 'CONNECT_TIMEOUT' : 'COMPONENT_FAILED',
    // A chart keeps a trouble as text.
    cause: typeof cause === 'string' && cause !== '' ? new Error(cause) : cause,
  });
}

export const describeFailure = (failure: Failure): string =>
  typeof failure.cause === 'string' && failure.cause !== ''
    ? `${failure.message}; last: ${failure.cause}`
    : failure.message;
