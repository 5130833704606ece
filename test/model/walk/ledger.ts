import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyTransitionDefinition,
  and,
  type EventObject,
  type InspectionEvent,
  type MachineContext,
} from 'xstate';
import { catalog, type Entry, type Obligation, obligationsOf, refusedKey, takenKey } from './catalog.ts';
import { reallyTaken } from './conflicts.ts';

/** A guard as XState evaluates built-in ones: by `check`, and never by calling it. */
interface CheckedGuard {
  (): boolean;
  check(snapshot: unknown, args: unknown, self: unknown): boolean;
}

/**
 * Counts what really happened: transitions by the inspected microsteps, refusals by what the guards really answered.
 *
 * A ledger watches a copy of the machine that belongs to it alone (`ledger.machine`: same config, same
 * implementations, its own transition objects). Guards are wrapped in that copy, so the machine that was given stays
 * as it was, two ledgers never count each other's walks, and nothing is ever wrapped twice. What somebody patched on
 * the machine object itself (say `machine.transition`) is not copied, just as `provide()` never copies it.
 */
export class Ledger {
  readonly machine: AnyStateMachine;
  readonly entries: readonly Entry[];
  readonly obligations: readonly Obligation[];
  readonly #entryOf = new Map<AnyTransitionDefinition, Entry>();
  readonly #met = new Set<string>();
  #fresh: string[] = [];

  constructor(machine: AnyStateMachine) {
    this.machine = machine.provide({}) as AnyStateMachine;
    this.entries = catalog(this.machine);
    this.obligations = obligationsOf(this.entries);
    for (const entry of this.entries) {
      this.#entryOf.set(entry.transition, entry);
      if (entry.guarded) this.#watchGuard(entry);
    }
  }

  /** To be given to the system in which `machine` runs. */
  readonly inspect = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.microstep') return;
    const own = event._transitions.filter((transition) => this.#entryOf.has(transition));
    for (const transition of reallyTaken(own, event.snapshot as AnyMachineSnapshot)) {
      const entry = this.#entryOf.get(transition);
      if (entry) this.#meet(takenKey(entry));
    }
  };

  /** Keys of the obligations met so far. */
  get met(): ReadonlySet<string> {
    return this.#met;
  }

  /** Keys met for the first time since the last call. */
  takeFresh(): string[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  /** What no walk has shown yet. */
  missing(): Obligation[] {
    return this.obligations.filter((obligation) => !this.#met.has(obligation.key));
  }

  #meet(key: string): void {
    if (this.#met.has(key)) return;
    this.#met.add(key);
    this.#fresh.push(key);
  }

  /** XState's inspection is silent about guards that refuse (PR #5444 is open), so the answer is overheard here. */
  #watchGuard(entry: Entry): void {
    const original = and([entry.transition.guard as never]) as unknown as CheckedGuard;
    const watched = (): boolean => {
      throw new Error('a watched guard is checked, never called');
    };
    watched.check = (snapshot: unknown, args: { context: MachineContext; event: EventObject }): boolean => {
      const answer = original.check(snapshot, args, original);
      if (!answer) this.#meet(refusedKey(entry));
      return answer;
    };
    entry.transition.guard = watched as never;
  }
}
