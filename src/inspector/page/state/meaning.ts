/** What a state means to somebody who watches: this alone decides its colour. */
import type { ActorRow } from '../../protocol.ts';
import { statePaths } from './value.ts';

/**
 * `bad`: the promise is in danger; `warn`: something is made good or waited for; `going`: on its way from one state of rest
 * to another; `rest`: nothing to do; `good`: at work; `ended`.
 */
export type Meaning = 'bad' | 'warn' | 'going' | 'rest' | 'good' | 'ended';

/** The one that comes first says what the whole means. */
export const MEANINGS: readonly Meaning[] = ['bad', 'warn', 'going', 'rest', 'good', 'ended'];

const table = (words: Readonly<Record<Meaning, string>>): ReadonlyMap<string, Meaning> =>
  new Map(MEANINGS.flatMap((meaning) => words[meaning].split(' ').map((word) => [word, meaning])));

/** Names of states, of whichever chart. */
const STATES = table({
  bad: 'mute garbled broken forcing banned',
  warn:
    'offline down waiting pausing doubting doubtful unanswered repairing mending retrying reopening ' +
    'rateLimited polling partial',
  going:
    'awaiting asking permitting opening subscribing proving preparing dialing connecting rotating overlapping ' +
    'starting stopping closing ending verifying sealing working collecting',
  rest: 'initialized idle empty quiet',
  good: 'streaming full up steady live elder heir flowing listening pinging whole busy batching flushing running',
  ended: 'closed stopped ended exited',
});
/** Where a chart uses a word in a sense of its own. */
const SPECIAL: ReadonlyMap<string, Meaning> = new Map([['component.waiting', 'rest']]);

/** States of series, as the strip counts them. */
const SERIES = table({
  bad: 'mute',
  warn: 'repairing',
  going: 'awaiting',
  rest: 'quiet waiting',
  good: 'live',
  ended: 'retired off',
});

export function meaningOf({
  machine,
  value,
  status,
}: Pick<ActorRow, 'machine' | 'value' | 'status'>): Meaning {
  if (status === 'error') return 'bad';
  if (status !== 'active') return 'ended';
  if (value === undefined) return 'rest';
  return meaningOfNames(machine, statePaths(value).flat());
}

/** Of states by their names. */
export function meaningOfNames(machine: string | undefined, names: readonly string[]): Meaning {
  const said = new Set(names.map((name) => SPECIAL.get(`${machine}.${name}`) ?? STATES.get(name)));
  return MEANINGS.find((meaning) => said.has(meaning)) ?? 'rest';
}

/** Of the state of a series, or of the collector. */
export const meaningOfSeries = (state: string): Meaning => SERIES.get(state) ?? 'rest';
export const meaningOfCollector = (state: string): Meaning => STATES.get(state) ?? 'rest';
