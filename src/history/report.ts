/** What a load leaves to say. */

import type { HistoryOutcome } from '../../machines/history.machine.ts';
import type { Cleanup } from '../../machines/model/cleanup.ts';
import type { Run } from '../../machines/model/gaps.ts';
import { countBars } from '../../machines/model/interval.ts';
import type { Gap } from '../../machines/model/row.ts';
import type { Span } from '../../machines/model/spans.ts';
import type { Loader } from './loader.ts';
import type { BySource } from './progress.ts';
import type { SinkCounts } from './sinks/sinks.ts';
import type { CacheCounts, HistoryNote, HistoryQuery } from './types.ts';

/** How a load went. */
export interface HistoryReport {
  /**
   * `finished`: every bar of the range that the exchange has is there, and what it has not is named. `stopped`,
   * `failed`: what was stored stays, and a load of the same range goes on from there.
   */
  readonly outcome: HistoryOutcome;
  /** What it failed with. */
  readonly error?: Error;
  /** Why it was stopped; empty when nobody stopped it. */
  readonly reason: string;
  /** What was asked for, less what can't be: bars before the first of the series, and those that have not ended. */
  readonly range: Span;
  readonly bars: {
    /** To be fetched, when it was planned. */
    readonly planned: number;
    /** New in the store, the file or memory; of these in `filled` those of gaps that had been named before. */
    readonly stored: number;
    readonly filled: number;
    /** Of the range there before. */
    readonly held: number;
    /** Of the range named as a gap before, and not asked for again: those of `known`. */
    readonly named: number;
    /** Fetched, and not kept. */
    readonly unwritten: number;
    /** Fetched, by where from. */
    readonly bySource: BySource;
  };
  /** Bars that the exchange has not, named by this load. A thousand are listed, as of each kind below. */
  readonly gaps: readonly Gap[];
  /** Gaps of the range that were named before, and not asked for again: the exchange was asked less than a day ago. */
  readonly known: readonly Gap[];
  readonly notes: readonly HistoryNote[];
  /** Bars that could not be asked for. */
  readonly unreached: readonly Run[];
  /** How many there were beyond those that are listed. */
  readonly unlisted: {
    readonly gaps: number;
    readonly known: number;
    readonly notes: number;
    readonly unreached: number;
  };
  readonly cache: Readonly<CacheCounts>;
  /** Requests that were sent. */
  readonly requests: HistoryRequests;
  readonly durationMs: number;
  /** Every component closed by itself and every bar that was fetched is kept. */
  readonly clean: boolean;
  readonly components: readonly Cleanup[];
}

export interface HistoryRequests {
  readonly rest: number;
  readonly archive: number;
}

/** What the report is made of, beside what the loader knows. */
export interface ReportFacts {
  readonly outcome: HistoryOutcome;
  readonly error: unknown;
  readonly reason: string;
  readonly lines: readonly Cleanup[];
  readonly query: HistoryQuery;
  readonly sink: Readonly<SinkCounts>;
  readonly cache: Readonly<CacheCounts>;
  readonly requests: HistoryRequests;
  readonly durationMs: number;
}

const errorOf = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error), { cause: error });

export function historyReportOf(loader: Loader, facts: ReportFacts): HistoryReport {
  const { outcome, error, reason, lines, query, sink, durationMs } = facts;
  const { plan, counters, gaps, known, barsKnown, notes, unreached } = loader;
  const { from, to } = plan?.range ?? query;
  const inRange = plan === undefined ? 0 : countBars(query.interval, from, to);
  return {
    outcome,
    ...(outcome === 'failed' ? { error: errorOf(error) } : {}),
    reason,
    range: { from, to },
    bars: {
      planned: counters.barsPlanned,
      ...sink,
      held: Math.max(0, inRange - counters.barsPlanned - barsKnown),
      named: barsKnown,
      bySource: { ...counters.bySource },
    },
    gaps: gaps.items,
    known: known.items,
    notes: notes.items,
    unreached: unreached.items,
    unlisted: { gaps: gaps.more, known: known.more, notes: notes.more, unreached: unreached.more },
    cache: { ...facts.cache },
    requests: facts.requests,
    durationMs: Math.round(durationMs),
    clean: sink.unwritten === 0 && lines.every((line) => line.outcome === 'closed'),
    components: lines,
  };
}
