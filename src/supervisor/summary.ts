import { type Cleanup, describe } from '../../machines/model/cleanup.ts';
import type { Check, ComponentEnd } from './component.ts';

/** What the line is made of: a supervisor's report, or what has as much to tell. */
export interface Summarised {
  readonly reason: string;
  readonly durationMs: number;
  readonly components: readonly (Cleanup & ComponentEnd)[];
  readonly checks: readonly Check[];
  /** What ended it, when nobody asked for the end. */
  readonly failure?: { readonly component: string; readonly error: unknown };
}

/** What is told one by one; of more only the number. */
const COMPONENTS_MAX = 20;
const PARTS_MAX = 5;
const NOTES_MAX = 8;
const CHECKS_MAX = 10;
/** Longest piece of text that comes from elsewhere: an error, a note, a name. */
const TEXT_MAX = 120;
/** Longest account of all ends: behind it the checks must still have their place. */
const ENDS_MAX = 2_400;

/**
 * The end of an application in one line: how long, why, how each component ended (its parts only where they did not
 * close by themselves), what it notes (buffers, gaps, rows), what was lost, and what the checks found.
 */
export function summaryLine(report: Summarised): string {
  const { reason, durationMs, components, checks, failure } = report;
  const ends = [
    `stopped in ${ms(durationMs)}: ${text(reason)}`,
    ...(failure === undefined ? [] : [`${text(failure.component)} had failed: ${textOf(failure.error)}`]),
    ...listed(components, COMPONENTS_MAX, componentText),
  ];
  return `${clipped(ends.join(' | '), ENDS_MAX)} | ${checksText(checks)}`;
}

function componentText(component: Cleanup & ComponentEnd): string {
  const { parts = [], lost = 0, notes = {} } = component;
  const details = [
    ...listed(
      parts.filter(({ outcome }) => outcome !== 'closed'),
      PARTS_MAX,
      endText,
    ),
    ...(lost > 0 ? [`${lost} rows lost`] : []),
    ...listed(Object.entries(notes), NOTES_MAX, ([name, value]) => `${text(name)}: ${text(String(value))}`),
  ];
  return details.length === 0 ? endText(component) : `${endText(component)} (${details.join('; ')})`;
}

const endText = ({ name, outcome, durationMs, error }: Cleanup): string =>
  `${text(name)} ${outcome} ${ms(durationMs)}${error === undefined ? '' : ` "${text(error)}"`}`;

function checksText(checks: readonly Check[]): string {
  if (checks.length === 0) return 'nothing checked';
  const odd = checks.filter(({ outcome }) => outcome !== 'ok');
  if (odd.length === 0) return 'checks ok';
  // Those that failed first: they must not be among the ones that are only counted.
  const sorted = [
    ...odd.filter(({ outcome }) => outcome === 'failed'),
    ...odd.filter(({ outcome }) => outcome === 'skipped'),
  ];
  const each = listed(sorted, CHECKS_MAX, ({ name, outcome, detail }) =>
    detail === undefined ? `${text(name)} ${outcome}` : `${text(name)} ${outcome} (${text(detail)})`,
  );
  return `checks: ${each.join(', ')}`;
}

const listed = <One>(all: readonly One[], max: number, say: (one: One) => string): string[] => [
  ...all.slice(0, max).map(say),
  ...(all.length > max ? [`and ${all.length - max} more`] : []),
];

const ms = (duration: number): string => `${Math.round(duration)} ms`;

const clipped = (line: string, max: number): string =>
  line.length <= max ? line : `${line.slice(0, max - 1)}…`;

/** One line, and not too long. */
const text = (given: string): string => {
  const beginning = given.slice(0, 10 * TEXT_MAX);
  return clipped(beginning.replace(/\s+/g, ' ').trim(), TEXT_MAX);
};

const textOf = (error: unknown): string => text(describe(error));
