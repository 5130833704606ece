/** How many living actors of a machine are in which state: the choices of the filter. */
import type { Meaning } from '../state/meaning.ts';
import { type Entry, isLive } from './entry.ts';

export interface StateCount {
  /** What the filter knows it by: machine and whole state. */
  readonly key: string;
  readonly machine: string;
  readonly text: string;
  readonly brief: string;
  readonly meaning: Meaning;
  count: number;
}

export const stateKey = (entry: Entry): string => `${entry.row.machine ?? ''}|${entry.text}`;

export class StateCounts {
  readonly #counts = new Map<string, StateCount>();

  add(entry: Entry, by: 1 | -1): void {
    const { machine } = entry.row;
    if (machine === undefined || !isLive(entry)) return;
    const key = stateKey(entry);
    const { text, brief, meaning } = entry;
    const known = this.#counts.get(key) ?? { key, machine, text, brief, meaning, count: 0 };
    known.count += by;
    this.#counts.set(key, known);
  }

  clear(): void {
    this.#counts.clear();
  }

  /** By machine; states that nobody is in any more stay while the page looks, so that the choices keep their places. */
  byMachine(): Map<string, readonly StateCount[]> {
    const all = [...this.#counts.values()].sort(
      (a, b) => compare(a.machine, b.machine) || compare(a.text, b.text),
    );
    return Map.groupBy(all, ({ machine }) => machine);
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
