import type { Cleanup } from '../../machines/model/cleanup.ts';
import type { Check, Component, ComponentEnd } from './component.ts';

/** What a load's report tells, as far as it is wanted here. */
export interface LoadEnd {
  readonly outcome: 'finished' | 'stopped' | 'failed';
  readonly error?: Error;
  readonly components: readonly Cleanup[];
  readonly bars: { readonly stored: number; readonly unwritten: number };
  readonly gaps: readonly unknown[];
}

/** What is needed of a load: a `HistoryLoad`, or what behaves like one. */
export interface Loading<End extends LoadEnd = LoadEnd> {
  start(): unknown;
  readonly done: Promise<End>;
  stop(options: { timeoutMs: number; reason: string }): Promise<End>;
}

/** How a load takes part in an application. */
export interface HistoryComponentOptions<End extends LoadEnd = LoadEnd> {
  /** Default `history`. */
  readonly name?: string;
  readonly deadlineMs?: number;
  readonly dependsOn?: readonly string[];
  /**
   * Called when it has finished: the application is then to be stopped by who is told. Without this the application
   * is told that a component has ended by itself, which to it is a failure.
   */
  readonly onFinished?: (report: End) => void;
}

/**
 * A load of history as a part of an application. It runs as soon as it has begun; its failure ends the application.
 * Afterwards it is asked for `load` (it has not failed) and `rows` (all bars that were fetched are kept).
 */
export function historyComponent<End extends LoadEnd>(
  load: Loading<End>,
  options: HistoryComponentOptions<End> = {},
): Component {
  const { name = 'history', onFinished, ...rest } = options;
  let end: End | undefined;
  let isAsked = false;
  return {
    name,
    ...rest,
    start(signal, { ended }) {
      signal.throwIfAborted();
      void load.done.then((report) => {
        end = report;
        if (isAsked) return;
        if (report.outcome === 'finished' && onFinished !== undefined) onFinished(report);
        else ended(report.error);
      });
      load.start();
    },
    async stop(_, { timeoutMs, reason }): Promise<ComponentEnd> {
      isAsked = true;
      end = await load.stop({ timeoutMs: Math.max(0, Math.round(timeoutMs)), reason });
      return { parts: end.components, lost: end.bars.unwritten, notes: notesOf(end) };
    },
    verify: () => [loadOf(end), rowsOf(end)],
  };
}

const notesOf = ({ outcome, bars, gaps }: LoadEnd): Record<string, string | number> => ({
  load: outcome,
  bars: `${bars.stored} stored`,
  gaps: gaps.length === 0 ? 'none' : `${gaps.length} named`,
});

function loadOf(end: LoadEnd | undefined): Check {
  if (end === undefined) return { name: 'load', outcome: 'skipped', detail: 'it has not said how it ended' };
  if (end.outcome === 'failed')
    return { name: 'load', outcome: 'failed', detail: end.error?.message ?? 'it failed' };
  const isWhole = end.outcome === 'finished';
  return { name: 'load', outcome: 'ok', detail: isWhole ? 'finished' : 'stopped; the next one goes on' };
}

function rowsOf(end: LoadEnd | undefined): Check {
  if (end === undefined) return { name: 'rows', outcome: 'skipped' };
  const { unwritten, stored } = end.bars;
  if (unwritten === 0) return { name: 'rows', outcome: 'ok', detail: `${stored} bars stored` };
  return {
    name: 'rows',
    outcome: 'failed',
    detail: `${unwritten} bars were fetched and not stored; the next load fetches them`,
  };
}
