/** How an application ended: what its chart knows at the end, as a report. */

import { type Cleanup, describe, type Outcome } from '../../machines/model/cleanup.ts';
import type { ComponentFailure, ComponentLine } from '../../machines/supervisor.types.ts';
import { CandlestateError } from '../errors.ts';
import type { Check, ComponentEnd } from './component.ts';

/** How a stop went. Every caller of the same stop gets the same object. */
export interface SupervisorReport {
  readonly reason: string;
  /** From the first wish to stop to the last look, ms. */
  readonly durationMs: number;
  /** Every component and part closed by itself, nothing was lost, and no check failed. */
  readonly clean: boolean;
  /** Nothing was lost, no component failed, and no check failed. One that was given up is not unsound by itself. */
  readonly sound: boolean;
  /** In the order in which they ended. */
  readonly components: readonly ComponentLine[];
  /** What was looked at when all had ended, and what was found. */
  readonly checks: readonly Check[];
  /** Which component ended it that nobody stopped, and with what. */
  readonly failure?: { readonly component: string; readonly error: unknown };
}

/** What a report is made of. */
export interface ReportFacts {
  readonly reason: string;
  readonly stopTook: number;
  readonly lines: readonly ComponentLine[];
  readonly checks: readonly Check[];
  readonly failure: ComponentFailure | undefined;
}

export function reportOf({ reason, stopTook, lines, checks, failure }: ReportFacts): SupervisorReport {
  const kept =
    lines.every(({ lost = 0 }) => lost === 0) && checks.every(({ outcome }) => outcome !== 'failed');
  const parts = lines.flatMap((line) => [line, ...(line.parts ?? [])]);
  return {
    reason,
    durationMs: stopTook,
    clean: kept && parts.every(({ outcome }) => outcome === 'closed'),
    sound: kept && lines.every(({ outcome }) => outcome !== 'failed'),
    components: lines,
    checks,
    ...(failure === undefined ? {} : { failure: { component: failure.component, error: failure.error } }),
  };
}

/** The supervisor's own chart broke: what it knew then, and whatever had not ended was let go. */
export function brokenReport(
  facts: ReportFacts,
  pending: Iterable<string>,
  error: unknown,
): SupervisorReport {
  const left = [...pending].map((name): ComponentLine => ({ name, outcome: 'forced', durationMs: 0 }));
  const broken: Check = { name: 'supervisor', outcome: 'failed', detail: describe(error) };
  const reason = facts.reason || 'the supervisor failed';
  return reportOf({
    ...facts,
    reason,
    lines: [...facts.lines, ...left],
    checks: [...facts.checks, broken],
    failure: facts.failure ?? { component: 'supervisor', message: reason, error },
  });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
const OUTCOMES: readonly Outcome[] = ['closed', 'forced', 'failed'];
const RESULTS = ['ok', 'failed', 'skipped'];

const textOf = (value: unknown): string => (typeof value === 'string' ? value : describe(value));

/** One part of an answer to `stop`, when it is one; its error may come as it was thrown. */
function partOf(part: unknown): Cleanup[] {
  if (!isObject(part)) return [];
  const { name, outcome, durationMs, error } = part;
  if (typeof name !== 'string' || !OUTCOMES.includes(outcome as Outcome)) return [];
  const tookMs = typeof durationMs === 'number' ? durationMs : 0;
  const line = { name, outcome: outcome as Outcome, durationMs: tookMs };
  return [error === undefined ? line : { ...line, error: textOf(error) }];
}

/** What of an answer to `stop` can be used. Most answer nothing, and anything may come. */
export function endOf(answer: unknown): ComponentEnd {
  if (!isObject(answer)) return {};
  const { parts, lost, notes } = answer;
  const isNote = ([, value]: [string, unknown]): boolean =>
    typeof value === 'string' || typeof value === 'number';
  return {
    ...(Array.isArray(parts) ? { parts: parts.flatMap(partOf) } : {}),
    ...(typeof lost === 'number' && lost > 0 ? { lost } : {}),
    ...(isObject(notes)
      ? { notes: Object.fromEntries(Object.entries(notes).filter(isNote)) as Record<string, string | number> }
      : {}),
  };
}

/** What `verify` answered, or an error that says that these are no checks. */
export function checksOf(answer: unknown): readonly Check[] {
  const isCheck = (check: unknown): boolean =>
    isObject(check) && typeof check['name'] === 'string' && RESULTS.includes(check['outcome'] as string);
  const withText = ({ detail, ...check }: Check): Check =>
    detail === undefined ? check : { ...check, detail: textOf(detail) };
  if (Array.isArray(answer) && answer.every(isCheck)) return answer.map(withText);
  throw new CandlestateError('verify did not answer with a list of checks', { code: 'COMPONENT_FAILED' });
}
