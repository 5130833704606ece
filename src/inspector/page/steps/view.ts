/** Which transitions are listed: of all actors or of the one in view, as they come or held still. */
import { computed, signal } from '@preact/signals';
import type { RecentStep } from '../../protocol.ts';
import { recent, selectedId } from '../model.ts';

export const isOfAll = signal(true);
export const isPaused = signal(false);
/** What was there when it was held. */
const held = signal<readonly RecentStep[]>([]);

export function pause(isHeld: boolean): void {
  if (isHeld) held.value = recent.value;
  isPaused.value = isHeld;
}

/** Newest first. */
export const steps = computed<readonly RecentStep[]>(() => {
  const all = isPaused.value ? held.value : recent.value;
  return (isOfAll.value ? all : all.filter(({ actor }) => actor === selectedId.value)).toReversed();
});

/** How many came since it was held. */
export const missed = computed(() => {
  if (!isPaused.value) return 0;
  const last = held.value.at(-1)?.seq ?? 0;
  return recent.value.reduce((n, { seq }) => n + (seq > last ? 1 : 0), 0);
});
