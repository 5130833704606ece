/** All actors as trees, kept up to date by differences: a message costs what it changes, not what there is. */
import type { ActorRow, ServerMessage } from '../../protocol.ts';
import { type Entry, entryOf, isLive, renew } from './entry.ts';
import { StateCounts } from './state-counts.ts';

export class Forest {
  readonly #entries = new Map<string, Entry>();
  /** Those whose parent has not been heard of stand among the roots. */
  readonly #roots: Entry[] = [];
  readonly #orphans = new Map<string, Set<Entry>>();
  readonly #unsorted = new Set<Entry[]>();
  readonly counts = new StateCounts();

  get size(): number {
    return this.#entries.size;
  }

  get roots(): readonly Entry[] {
    return this.#roots;
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /** Takes in a message that was heard at `now`. Says whether actors came, went or changed places. */
  apply(message: ServerMessage, now: number): boolean {
    if (message.type === 'picture') {
      this.#entries.clear();
      this.#roots.length = 0;
      this.#orphans.clear();
      this.counts.clear();
      for (const row of message.actors) this.#put(row, Number.NEGATIVE_INFINITY);
    } else {
      for (const row of message.actors ?? []) this.#put(row, now);
      for (const id of message.gone ?? []) this.#drop(id);
    }
    const moved = this.#unsorted.size > 0;
    for (const siblings of this.#unsorted)
      siblings.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
    this.#unsorted.clear();
    return moved;
  }

  /** Names from its root down to it. */
  path(id: string): string[] {
    const names: string[] = [];
    for (let at = this.#entries.get(id); at !== undefined; at = at.parent) names.unshift(at.row.name);
    return names;
  }

  /** The actor at the end of a path of names; of several the one that lives. */
  find(path: readonly string[]): Entry | undefined {
    let siblings: readonly Entry[] = this.#roots;
    let found: Entry | undefined;
    for (const name of path) {
      // The living stand first.
      found = siblings.find((entry) => entry.row.name === name);
      if (found === undefined) return undefined;
      siblings = found.children;
    }
    return found;
  }

  #put(row: ActorRow, now: number): void {
    const known = this.#entries.get(row.id);
    if (known === undefined) {
      const entry = entryOf(row, now);
      this.#entries.set(row.id, entry);
      this.counts.add(entry, 1);
      this.#link(entry);
      for (const child of this.#orphans.get(row.id) ?? []) {
        remove(this.#roots, child);
        this.#link(child);
      }
      this.#orphans.delete(row.id);
      return;
    }
    const { order } = known;
    this.counts.add(known, -1);
    tell(known.parent, known, -1);
    renew(known, row, now);
    tell(known.parent, known, 1);
    this.counts.add(known, 1);
    if (known.order !== order) this.#unsorted.add(known.parent?.children ?? this.#roots);
  }

  #link(entry: Entry): void {
    const { parent: parentId } = entry.row;
    const parent = parentId === undefined ? undefined : this.#entries.get(parentId);
    entry.parent = parent;
    const siblings = parent?.children ?? this.#roots;
    siblings.push(entry);
    this.#unsorted.add(siblings);
    if (parent === undefined) {
      if (parentId !== undefined) {
        const waiting = this.#orphans.get(parentId) ?? new Set();
        this.#orphans.set(parentId, waiting.add(entry));
      }
      return;
    }
    tell(parent, entry, 1);
    tellBelow(parent, entry, 1);
  }

  #drop(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.counts.add(entry, -1);
    const siblings = entry.parent?.children ?? this.#roots;
    remove(siblings, entry);
    this.#unsorted.add(siblings);
    this.#orphans.get(entry.row.parent ?? '')?.delete(entry);
    tell(entry.parent, entry, -1);
    if (entry.parent !== undefined) tellBelow(entry.parent, entry, -1);
    for (const child of entry.children) this.#link(child);
  }
}

/** Counts `entry` itself in all that is above it. */
function tell(from: Entry | undefined, entry: Entry, by: 1 | -1): void {
  const lives = isLive(entry) ? by : 0;
  const warns = entry.meaning === 'warn' ? by : 0;
  const troubles = entry.meaning === 'bad' ? by : 0;
  if (lives === 0 && warns === 0 && troubles === 0) return;
  for (let at = from; at !== undefined; at = at.parent) {
    at.below += lives;
    at.warnings += warns;
    at.troubles += troubles;
  }
}

/** Counts what is below `entry` in all that is above it. */
function tellBelow(from: Entry, entry: Entry, by: 1 | -1): void {
  for (let at: Entry | undefined = from; at !== undefined; at = at.parent) {
    at.below += by * entry.below;
    at.warnings += by * entry.warnings;
    at.troubles += by * entry.troubles;
  }
}

function remove(list: Entry[], entry: Entry): void {
  const at = list.indexOf(entry);
  if (at >= 0) list.splice(at, 1);
}
