/** Whether what is shown is so now. An open socket says nothing of a collector that hangs: its strip comes twice a second. */
import { computed } from '@preact/signals';
import { link, linkSince, receivedAt } from '../model.ts';
import { now } from './clock.ts';

const SILENT_MS = 5_000;

export type Standing = 'connecting' | 'live' | 'silent' | 'lost';

export const standing = computed<Standing>(() => {
  if (link.value !== 'open') return link.value;
  return now.value - (receivedAt.value ?? now.value) > SILENT_MS ? 'silent' : 'live';
});

/** Wall ms up to which what is shown is known to be so; of a page that never heard anything, since when it tries. */
export const knownUntil = computed(() => receivedAt.value ?? linkSince.value);
