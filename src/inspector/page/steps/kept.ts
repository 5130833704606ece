/** Transitions kept of what was heard. */
import type { RecentStep } from '../../protocol.ts';

/** Of each chart, so that a busy one pushes out nobody else's; the server keeps fewer. */
const OF_CHART_MAX = 400;
/** Of all. */
const MAX = 5_000;

/** What was kept and what came after it, without what is too old. Both oldest first. */
export function keptWith(kept: readonly RecentStep[], more: readonly RecentStep[]): readonly RecentStep[] {
  const all = kept.concat(more);
  const counts = new Map<string, number>();
  for (const { machine } of all) counts.set(machine, (counts.get(machine) ?? 0) + 1);
  let over = Math.max(0, all.length - MAX);
  if (over === 0 && [...counts.values()].every((n) => n <= OF_CHART_MAX)) return all;
  return all.filter(({ machine }) => {
    const n = counts.get(machine) ?? 0;
    if (n <= OF_CHART_MAX && over <= 0) return true;
    counts.set(machine, n - 1);
    over -= 1;
    return false;
  });
}
