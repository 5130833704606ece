import { type Exploration, inWords, type Path, replay } from './explorer.ts';
import { Ledger } from './ledger.ts';
import type { AnyModel } from './model.ts';

/** One walk of the final set. */
export interface Walk {
  readonly steps: Path;
  /** The labels of its steps, in words. */
  readonly text: string;
}

/**
 * Few walks that together show everything the exploration found. Greedy set cover: always the walk that adds most
 * (the shorter of two equals), then whatever became superfluous is dropped.
 */
export function minimalWalks(model: AnyModel, exploration: Exploration): Walk[] {
  const candidates = [...new Set(exploration.firstPath.values())]
    .map((path) => ({ path, covers: coverage(model, path) }))
    .sort((a, b) => a.path.length - b.path.length);
  const open = new Set(exploration.firstPath.keys());
  const chosen: typeof candidates = [];
  while (open.size > 0) {
    let best: (typeof candidates)[number] | undefined;
    let gain = 0;
    for (const candidate of candidates) {
      const adds = [...candidate.covers].filter((key) => open.has(key)).length;
      if (adds > gain) [best, gain] = [candidate, adds];
    }
    // What a replay no longer shows (the machine is not deterministic) stays open: the last test will name it.
    if (!best) break;
    chosen.push(best);
    for (const key of best.covers) open.delete(key);
  }
  return withoutSuperfluous(chosen)
    .sort((a, b) => a.path.length - b.path.length)
    .map(({ path }) => ({ steps: path, text: inWords(path) }));
}

function coverage(model: AnyModel, path: Path): ReadonlySet<string> {
  const ledger = new Ledger(model.machine);
  replay(model, ledger, path).close();
  return ledger.met;
}

function withoutSuperfluous<Item extends { readonly covers: ReadonlySet<string> }>(items: Item[]): Item[] {
  const kept = [...items];
  for (const item of items) {
    const others = kept.filter((other) => other !== item);
    if ([...item.covers].every((key) => others.some((other) => other.covers.has(key)))) {
      kept.splice(kept.indexOf(item), 1);
    }
  }
  return kept;
}
