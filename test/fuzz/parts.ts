/** All that is fuzzed. */
import type { Part, TargetName } from './campaign.ts';
import { framesPart } from './frames.ts';

/** Of a hundred inputs, how many are for each target: as many as take about as long. */
export const TARGETS: readonly { readonly name: TargetName; readonly share: number }[] = [
  { name: 'frames', share: 60 },
];

export function partsOf(target: TargetName): readonly Part[] {
  if (target === 'frames') return [framesPart()];
  return [];
}
