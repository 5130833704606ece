/** What is shown: an actor, or the charts. The address says so by names, which outlive a restart of the collector. */
import { effect, signal, untracked } from '@preact/signals';
import { message, select, selectedId } from '../model.ts';
import { forest, reveal } from '../tree/view.ts';
import { hashOf, type Place, placeOf } from './path.ts';

export const place = signal<Place>(placeOf(location.hash));

/** Shows an actor, and where it stands in the tree. */
export function showActor(id: string): void {
  select(id);
  place.value = { view: 'actor', path: forest.path(id) };
  reveal(id);
}

export function showCharts(machine?: string): void {
  place.value = { view: 'charts', ...(machine === undefined ? {} : { machine }) };
}

/** Back to the actor that was last shown. */
export function leaveCharts(): void {
  place.value = { view: 'actor', path: selectedId.value === undefined ? [] : forest.path(selectedId.value) };
}

export function followAddress(): void {
  addEventListener('hashchange', () => {
    if (location.hash !== hashOf(place.value)) place.value = placeOf(location.hash);
    settle();
  });
  effect(() => {
    const hash = hashOf(place.value);
    // No line in the browser's history for each actor that was looked at.
    if (location.hash !== hash) history.replaceState(null, '', hash);
  });
  effect(() => {
    if (message.value !== undefined) untracked(settle);
  });
}

/** Finds the actor that the address names: after a reload, after a restart, when it is born at last. */
function settle(): void {
  if (place.value.view !== 'actor') return;
  const { path } = place.value;
  const id = selectedId.value;
  if (id !== undefined && sameNames(forest.path(id), path)) return;
  const found = path.length === 0 ? forest.roots[0] : forest.find(path);
  if (found !== undefined) showActor(found.row.id);
  // What is shown was there, has ended, and is forgotten: it stays in view as what it was.
  else if (id !== undefined && message.value?.type === 'picture') select(undefined);
}

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, i) => name === b[i]);
