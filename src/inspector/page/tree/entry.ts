/** An actor in the tree: its row, and what is derived of it once instead of at each look. */
import type { ActorRow } from '../../protocol.ts';
import { type Meaning, meaningOf } from '../state/meaning.ts';
import { stateBrief, stateText } from '../state/value.ts';

export interface Entry {
  row: ActorRow;
  /** Whole state; of what has no chart, how it ended. */
  text: string;
  brief: string;
  meaning: Meaning;
  parent: Entry | undefined;
  /** In order. */
  children: Entry[];
  /** Its place among its siblings: they are compared by this, as text. */
  order: string;
  /** Actors below it, at any depth; those that ended not counted. */
  below: number;
  /** Of these, in a state that means `warn`, and `bad`. */
  warnings: number;
  troubles: number;
  /** When the page heard of its last transition, ms of the page's own clock; −∞: it was so when the page came. */
  changedAt: number;
  /** All that is searched, in lower case; made when first searched. */
  searched: string | undefined;
}

export const isLive = (entry: Entry): boolean => entry.row.status === 'active';

export function entryOf(row: ActorRow, changedAt: number): Entry {
  return {
    ...derived(row),
    order: orderOf(row),
    parent: undefined,
    children: [],
    below: 0,
    warnings: 0,
    troubles: 0,
    changedAt,
  };
}

/** Takes over a newer row. */
export function renew(entry: Entry, row: ActorRow, now: number): void {
  const hasEnded = row.status !== entry.row.status;
  if (row.steps !== entry.row.steps || hasEnded) entry.changedAt = now;
  Object.assign(entry, derived(row));
  // Nothing else in it changes.
  if (hasEnded) entry.order = orderOf(row);
}

type Said = Pick<Entry, 'text' | 'brief' | 'meaning'>;

/** Thousands of actors share a few states: each is put into words once. */
const WORDS_MAX = 2_000;
const words = new Map<string, Said>();

function derived(row: ActorRow): Said & Pick<Entry, 'row' | 'searched'> {
  const key = `${row.machine ?? ''} ${row.status} ${JSON.stringify(row.value)}`;
  let said = words.get(key);
  if (said === undefined) {
    said = inWords(row);
    if (words.size >= WORDS_MAX) words.clear();
    words.set(key, said);
  }
  const { text, brief, meaning } = said;
  return { row, text, brief, meaning, searched: undefined };
}

function inWords(row: ActorRow): Said {
  const ended = row.status === 'active' ? '' : row.status;
  const { value } = row;
  return {
    text: value === undefined ? ended : stateText(value),
    brief: value === undefined ? ended : stateBrief(value),
    meaning: meaningOf(row),
  };
}

/** Those alive first; of these those with a chart, of these what is not one of many series; numbers by their value. */
const orderOf = ({ status, machine, series, name, id }: ActorRow): string =>
  [
    status === 'active' ? 0 : 1,
    machine === undefined ? 1 : 0,
    series === undefined ? 0 : 1,
    `${name}\u0000${id}`.replace(/\d+/g, (digits) => digits.padStart(8, '0')),
  ].join('');

/** As it is compared: in lower case, but for the month, which is not a minute. */
export const searchable = (text: string): string =>
  text.includes('1M')
    ? text
        .split(/((?:@|^|\s)1M(?!\w))/)
        .map((part, number) => (number % 2 === 1 ? part : part.toLowerCase()))
        .join('')
    : text.toLowerCase();

/** Whether each of `terms` (as {@link searchable} has them) is found in its name, machine, series, state or status. */
export function isFound(entry: Entry, terms: readonly string[]): boolean {
  const { name, machine = '', series = '', status } = entry.row;
  entry.searched ??= searchable(`${name}\n${machine}\n${series}\n${entry.text}\n${entry.brief}\n${status}`);
  for (const term of terms) if (!entry.searched.includes(term)) return false;
  return true;
}
