/** The lines of the tree that are to be seen, from top to bottom. */
import { type Entry, isFound, isLive, searchable } from './entry.ts';
import { stateKey } from './state-counts.ts';

export interface Line {
  readonly entry: Entry;
  /** 1: a root. */
  readonly level: number;
  /** Absent: it has nothing below it. */
  readonly open?: boolean;
  /** It is here for what is below it. */
  readonly onTheWay: boolean;
}

export interface Filter {
  /** As they are compared; all must be found. */
  readonly terms: readonly string[];
  /** Machine and state, any of these; empty: whichever. */
  readonly states: ReadonlySet<string>;
}

export const termsOf = (query: string): string[] => searchable(query).split(/\s+/).filter(Boolean);

/** Above so many children an actor is closed until somebody opens it. */
const FEW = 25;

/** Whether it shows its children without having been told: roots do, and those who have few and are no series. */
export const opensByItself = ({ parent, row, children }: Entry): boolean =>
  parent === undefined || (row.series === undefined && children.length <= FEW);

/** `told`: what somebody opened or closed, by id. A filter opens all that leads to what it finds. */
export function flatten(
  roots: readonly Entry[],
  told: ReadonlyMap<string, boolean>,
  { terms, states }: Filter,
): Line[] {
  const lines: Line[] = [];
  const isFiltered = terms.length > 0 || states.size > 0;
  const passes = (entry: Entry): boolean =>
    (states.size === 0 || (isLive(entry) && states.has(stateKey(entry)))) && isFound(entry, terms);

  const all = (entry: Entry, level: number): void => {
    if (entry.children.length === 0) {
      lines.push({ entry, level, onTheWay: false });
      return;
    }
    const open = told.get(entry.row.id) ?? opensByItself(entry);
    lines.push({ entry, level, open, onTheWay: false });
    if (open) for (const child of entry.children) all(child, level + 1);
  };

  const found = (entry: Entry, level: number): boolean => {
    const isHit = passes(entry);
    const at = lines.length;
    lines.push({ entry, level, onTheWay: !isHit });
    let hasHits = false;
    for (const child of entry.children) hasHits = found(child, level + 1) || hasHits;
    if (hasHits) lines[at] = { entry, level, open: true, onTheWay: !isHit };
    else if (!isHit) lines.length = at;
    return isHit || hasHits;
  };

  for (const root of roots) isFiltered ? found(root, 1) : all(root, 1);
  return lines;
}
