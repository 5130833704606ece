import type { Cleanup } from '../../machines/model/cleanup.ts';
import type { CollectorEvents } from '../pipeline/delivery.ts';
import type { RunFacts } from '../pipeline/run-counts.ts';
import type { Check, Component, ComponentEnd, StartContext } from './component.ts';

/** What a collector's stop report tells, as far as it is wanted here. */
export interface CollectorEnd extends RunFacts {
  readonly components: readonly Cleanup[];
  readonly buffers: Readonly<Record<string, number>>;
  readonly unwritten: number;
}

/** What is needed of a collector: a `BinanceDataCollector`, or what behaves like one. */
export interface Stoppable {
  readonly state: string;
  startStreaming(): Promise<void>;
  stop(options: { timeoutMs: number; reason: string }): Promise<CollectorEnd>;
  on<Name extends 'state' | 'error'>(
    event: Name,
    listener: (payload: CollectorEvents[Name]) => unknown,
  ): () => void;
  status(): { readonly rowsWaiting: number };
  readonly actor: {
    getSnapshot(): { readonly children: Readonly<Record<string, Living | undefined>> };
  };
}

interface Living {
  getSnapshot(): { readonly status?: string } | undefined;
}

/** How a collector takes part in an application. */
export interface CollectorComponentOptions {
  /** Default `collector`. */
  readonly name?: string;
  readonly deadlineMs?: number;
  readonly dependsOn?: readonly string[];
}

/**
 * A collector as a part of an application. It runs when it streams; when it stops and nobody here has asked it to, the
 * application stops. Its stop gets exactly the time that the supervisor gives. Afterwards it is asked for `rows` (all
 * that were received are written), `parts` (none failed) and `actors` (none is alive).
 */
export function collectorComponent(collector: Stoppable, options: CollectorComponentOptions = {}): Component {
  const { name = 'collector', ...rest } = options;
  let unwatch = (): void => {};
  let end: CollectorEnd | undefined;
  return {
    name,
    ...rest,
    async start(signal, context) {
      signal.throwIfAborted();
      end = undefined;
      await unlessAborted(signal, collector.startStreaming());
      unwatch = watch(collector, context);
      // Between its last step and this one somebody else may have stopped it.
      if (collector.state === 'stopped') context.ended();
    },
    async stop(_, { timeoutMs, reason }): Promise<ComponentEnd> {
      unwatch();
      end = await collector.stop({ timeoutMs: Math.max(0, Math.round(timeoutMs)), reason });
      return { parts: end.components, lost: end.unwritten, notes: notesOf(end) };
    },
    verify: () => [rowsOf(end, collector.status().rowsWaiting), partsOf(end), actorsOf(end, collector)],
  };
}

/**
 * A start that is aborted is over at once: it is `stop` that knows how long the collector may take to end, and a
 * collector that is stopping already would not hear of it.
 */
async function unlessAborted(signal: AbortSignal, started: Promise<void>): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([started, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Whoever lost the race may still fail, and nobody listens.
    started.catch(() => {});
  }
}

/** Tells when it stops by itself, or by somebody else, and with what; returns how to end that. */
function watch(collector: Stoppable, { ended }: StartContext): () => void {
  let failure: Error | undefined;
  const detach = [
    collector.on('error', ({ code, message, cause }) => {
      if (code === 'COLLECTOR_FAILED') failure = new Error(message, { cause });
    }),
    collector.on('state', ({ to }) => {
      if (to === 'stopped') ended(failure);
    }),
  ];
  return () => {
    for (const one of detach.splice(0)) one();
  };
}

/** Series that are listed each by name; more are summed up. */
const NAMED_MAX = 4;

function notesOf({ buffers, gaps, rows }: CollectorEnd): Record<string, string> {
  const sizes = Object.entries(buffers);
  const candles = sizes.reduce((sum, [, size]) => sum + size, 0);
  const each = sizes.length > NAMED_MAX ? '' : sizes.map(([key, size]) => `, ${key} ${size}`).join('');
  return {
    buffers: `${candles} candles of ${sizes.length} series${each}`,
    gaps: gaps.named + gaps.open === 0 ? 'none' : `${gaps.named} named, ${gaps.open} open`,
    rows: `${rows.received} received, ${rows.written} written`,
  };
}

function rowsOf(end: CollectorEnd | undefined, rowsWaiting: number): Check {
  if (end === undefined) {
    const detail = `the collector has not said how it ended; ${rowsWaiting} rows wait`;
    return { name: 'rows', outcome: rowsWaiting > 0 ? 'failed' : 'skipped', detail };
  }
  const { received, written } = end.rows;
  if (received === written && rowsWaiting === 0)
    return { name: 'rows', outcome: 'ok', detail: `${received} received and written` };
  const lost = Math.max(received - written, rowsWaiting);
  const detail = `${lost} of ${received} rows were received and not written; the next run fetches them`;
  return { name: 'rows', outcome: 'failed', detail };
}

/** Parts of it that failed; one that had to be forced is no fault of the data. */
function partsOf(end: CollectorEnd | undefined): Check {
  const failed = end?.components.filter(({ outcome }) => outcome === 'failed') ?? [];
  if (failed.length === 0) return { name: 'parts', outcome: end === undefined ? 'skipped' : 'ok' };
  const names = failed.slice(0, NAMED_MAX).map(({ name, error }) => `${name}: ${error ?? 'it failed'}`);
  const more = failed.length > NAMED_MAX ? `; and ${failed.length - NAMED_MAX} more` : '';
  return { name: 'parts', outcome: 'failed', detail: `${names.join('; ')}${more}` };
}

function actorsOf(end: CollectorEnd | undefined, collector: Stoppable): Check {
  const alive = Object.entries(collector.actor.getSnapshot().children)
    .filter(([, child]) => child?.getSnapshot()?.status === 'active')
    .map(([id]) => id);
  if (alive.length === 0) return { name: 'actors', outcome: 'ok' };
  const detail = `still alive: ${alive.slice(0, NAMED_MAX).join(', ')}`;
  // Given up, it may still be on its way down: that is a line of the report already.
  return { name: 'actors', outcome: end === undefined ? 'skipped' : 'failed', detail };
}
