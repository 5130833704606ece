/** Which transitions are listed: of all actors or of the one in view, as they come or held still. */
import { computed, signal } from '@preact/signals';
import type { RecentStep } from '../../protocol.ts';
import { recall, remember } from '../frame/memory.ts';
import { recent, selectedId } from '../model.ts';
import { isChatter, type Listed, listed } from './listed.ts';

export const isOfAll = signal(true);
/** Whether the everyday work of the busy ones is listed among that of all. */
export const hasChatter = signal(recall('chatter') === 'shown');
export const isPaused = signal(false);
/** What was there when it was held. */
const held = signal<readonly RecentStep[]>([]);

export function pause(isHeld: boolean): void {
  if (isHeld) held.value = recent.value;
  isPaused.value = isHeld;
}

export function showChatter(isShown: boolean): void {
  hasChatter.value = isShown;
  remember('chatter', isShown ? 'shown' : 'left out');
}

const isWanted = (step: RecentStep): boolean =>
  isOfAll.value ? hasChatter.value || !isChatter(step) : step.actor === selectedId.value;

/** Newest first. */
export const steps = computed<readonly Listed[]>(() =>
  listed((isPaused.value ? held.value : recent.value).filter(isWanted)),
);

/** How many came since it was held. */
export const missed = computed(() => {
  if (!isPaused.value) return 0;
  const last = held.value.at(-1)?.seq ?? -1;
  return recent.value.reduce((n, step) => n + (step.seq > last && isWanted(step) ? 1 : 0), 0);
});
