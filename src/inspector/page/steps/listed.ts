/** What of the transitions is listed: without the chatter, and each repetition as one line. */
import type { RecentStep } from '../../protocol.ts';
import { eventName } from '../format.ts';
import { meaningOf, meaningOfNames } from '../state/meaning.ts';
import { stateText } from '../state/value.ts';

/** Charts that change with every request and every commit. */
const BUSY: ReadonlySet<string> = new Set(['restSession', 'store']);
const QUIET: ReadonlySet<string> = new Set(['good', 'rest']);

/** Everyday work of one that changes all the time. What goes wrong there, and the way out of it, is none. */
export function isChatter({ machine, event, value, edges }: RecentStep): boolean {
  return (
    BUSY.has(machine) &&
    eventName(event).cause !== 'error' &&
    QUIET.has(meaningOf({ machine, value, status: 'active' })) &&
    edges.every((edge) => QUIET.has(meaningOfNames(machine, namesOf(edge))))
  );
}

/** The states that an edge leaves: `store.open.flushing|…` is `open`, `flushing`. */
const namesOf = (edge: string): string[] => (edge.split('|')[0] ?? '').split('.').slice(1);

/** A line: one step, or several that are the same but for who took them and when. */
export interface Listed {
  /** The newest of them. */
  readonly step: RecentStep;
  /** The number of the oldest: what the line is known by while it grows. */
  readonly key: number;
  readonly times: number;
  /** Those who took them, newest first, each once. */
  readonly names: readonly string[];
}

/** Newest first, of steps that are oldest first. */
export function listed(steps: readonly RecentStep[]): readonly Listed[] {
  const lines: { step: RecentStep; key: number; times: number; names: Set<string> }[] = [];
  let sign = '';
  for (const step of steps.toReversed()) {
    const next = signOf(step);
    const line = lines.at(-1);
    if (line === undefined || next !== sign)
      lines.push({ step, key: step.seq, times: 1, names: new Set([step.name]) });
    else {
      line.key = step.seq;
      line.times += 1;
      line.names.add(step.name);
    }
    sign = next;
  }
  return lines.map(({ names, ...line }) => ({ ...line, names: [...names] }));
}

const signOf = ({ machine, event, reason = '', value, edges }: RecentStep): string =>
  [machine, event, reason, stateText(value), ...edges].join('\n');
