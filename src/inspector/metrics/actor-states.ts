import type { ActorCount } from './figure.ts';

/** What the metrics need of an observer. */
export interface ActorCounts {
  countByState(): ReadonlyMap<string, ReadonlyMap<string, number>>;
  lateEvents(): number;
}

/** Machines, and pairs of machine and state, that get a name of their own. Those of this project are far fewer. */
export const MACHINES_MAX = 32;
export const PAIRS_MAX = 400;
/** Letters of a name: machines of other actor systems may be called anything. */
const NAME_MAX = 64;
const OTHER = 'other';

/**
 * Actors by machine and state, with bounded names: who comes when all places are taken is counted under `other`. A
 * pair that has been there keeps its place and goes to 0, so that no line vanishes between two scrapes.
 */
export class ActorStates {
  readonly #machines = new Map<string, Map<string, number>>();
  #pairs = 0;

  /** Counts as of now. */
  read(counts: ReturnType<ActorCounts['countByState']>): ActorCount[] {
    for (const states of this.#machines.values()) for (const state of states.keys()) states.set(state, 0);
    for (const [machine, ofMachine] of counts) {
      const states = this.#statesOf(machine.slice(0, NAME_MAX));
      for (const [state, count] of ofMachine) {
        const place = this.#placeIn(states, state.slice(0, NAME_MAX));
        states.set(place, (states.get(place) ?? 0) + count);
      }
    }
    return [...this.#machines].flatMap(([machine, states]) =>
      [...states].map(([state, count]) => ({ machine, state, count })),
    );
  }

  #statesOf(machine: string): Map<string, number> {
    const name = this.#machines.has(machine) || this.#machines.size < MACHINES_MAX ? machine : OTHER;
    const states = this.#machines.get(name) ?? new Map<string, number>();
    this.#machines.set(name, states);
    return states;
  }

  #placeIn(states: ReadonlyMap<string, number>, state: string): string {
    if (states.has(state)) return state;
    if (this.#pairs >= PAIRS_MAX) return OTHER;
    this.#pairs += 1;
    return state;
  }
}
