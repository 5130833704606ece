/** What the tree shows now: the forest, what is looked for, what was opened, and the lines that come of it. */
import { computed, effect, signal, untracked } from '@preact/signals';
import { message } from '../model.ts';
import type { Entry } from './entry.ts';
import { flatten, type Line, termsOf } from './flatten.ts';
import { Forest } from './forest.ts';
import type { StateCount } from './state-counts.ts';

export const forest = new Forest();
/** Raised with each message that changed an actor, and when actors came, went or moved. */
export const changes = signal(0);
const moves = signal(0);

export const query = signal('');
export const chosenStates = signal<ReadonlySet<string>>(new Set());
const told = signal<ReadonlyMap<string, boolean>>(new Map());
export const isFiltered = computed(() => query.value.trim() !== '' || chosenStates.value.size > 0);

export const lines = computed<readonly Line[]>(() => {
  moves.value;
  // Without a filter no state decides what is to be seen.
  if (isFiltered.value) changes.value;
  return flatten(forest.roots, told.value, { terms: termsOf(query.value), states: chosenStates.value });
});
export const hits = computed(() => lines.value.reduce((n, { onTheWay }) => n + (onTheWay ? 0 : 1), 0));
export const stateCounts = computed<ReadonlyMap<string, readonly StateCount[]>>(() => {
  changes.value;
  return forest.counts.byMachine();
});

/** The line that the keyboard is at. */
export const cursorId = signal<string | undefined>(undefined);
/** An actor that is to be scrolled to; a new object each time that it is asked for. */
export const revealed = signal<{ readonly id: string } | undefined>(undefined);

/** So long a change is lit, ms. */
const FRESH_MS = 700;
/** Raised when what was lit may go out. */
export const faded = signal(0);
let fading: ReturnType<typeof setTimeout> | undefined;

export const isFresh = (entry: Entry): boolean => performance.now() - entry.changedAt < FRESH_MS;

function fadeLater(): void {
  clearTimeout(fading);
  fading = setTimeout(() => {
    faded.value++;
  }, FRESH_MS + 20);
}

/** Takes in each message, before whoever shows it. */
export function growForest(): void {
  effect(() => {
    const heard = message.value;
    if (heard === undefined) return;
    untracked(() => {
      if (heard.type === 'news' && heard.actors === undefined && heard.gone === undefined) return;
      if (forest.apply(heard, performance.now())) moves.value++;
      changes.value++;
      fadeLater();
    });
  });
}

export function open(id: string, isOpen: boolean): void {
  told.value = new Map(told.value).set(id, isOpen);
}

export function chooseState(key: string): void {
  const next = new Set(chosenStates.value);
  if (!next.delete(key)) next.add(key);
  chosenStates.value = next;
}

export function clearFilter(): void {
  query.value = '';
  chosenStates.value = new Set();
}

/** Opens the way to an actor, and has it scrolled into view. */
export function reveal(id: string): void {
  const next = new Map(told.value);
  for (let at = forest.get(id)?.parent; at !== undefined; at = at.parent)
    if (!lines.value.some(({ entry, open }) => entry === at && open === true)) next.set(at.row.id, true);
  if (next.size !== told.value.size || [...next].some(([key, value]) => told.value.get(key) !== value))
    told.value = next;
  cursorId.value = id;
  revealed.value = { id };
}
