import type { AnyEventObject, AnyTransitionDefinition } from 'xstate';
import { edgeKeyOf } from '../chart/edge-key.ts';
import type { RecentStep, StateValue, Step } from '../protocol.ts';
import { rawReason, shownReason } from './reason.ts';

/** What a step says of its actor. Never the actor: one that has ended is not to be kept for a line in a list. */
export interface Identity {
  readonly id: string;
  readonly name: string;
  readonly machine: string;
}

/** A transition as it was noted. It is made presentable when somebody asks. */
export interface NotedStep {
  readonly seq: number;
  readonly at: number;
  readonly event: string;
  readonly reason: string | undefined;
  readonly transitions: readonly AnyTransitionDefinition[];
  readonly value: StateValue;
  readonly who: Identity;
  shown?: Step;
}

const EVENT_MAX = 200;

/** The transition as the page has it. */
export function shownStep(noted: NotedStep): Step {
  noted.shown ??= {
    at: noted.at,
    event: noted.event.slice(0, EVENT_MAX),
    ...(noted.reason === undefined ? {} : { reason: shownReason(noted.reason) }),
    edges: noted.transitions.map(edgeKeyOf).filter((key) => key !== undefined),
  };
  return noted.shown;
}

const recentStep = (noted: NotedStep): RecentStep => {
  const { id, name, machine } = noted.who;
  return { ...shownStep(noted), seq: noted.seq, actor: id, name, machine, value: noted.value };
};

/** Charts whose steps are kept apart; all others share one list. */
const MACHINES_MAX = 15;

/**
 * The last transitions of the actors of each chart, so many and no more: those of a chart that changes all the time
 * never push out the one transition of another that matters.
 */
export class RecentSteps {
  readonly #max: number;
  readonly #byMachine = new Map<string, Ring>();
  readonly #others: Ring;
  /** Of the next step, over all charts. */
  #seq = 0;
  #told = 0;

  /** `max`: steps of one chart that are kept. */
  constructor(max: number) {
    this.#max = max;
    this.#others = new Ring(max);
  }

  note(
    at: number,
    event: AnyEventObject,
    transitions: readonly AnyTransitionDefinition[],
    value: StateValue,
    who: Identity,
  ): NotedStep {
    const seq = this.#seq++;
    const step = { seq, at, event: event.type, reason: rawReason(event), transitions, value, who };
    this.#ringOf(who.machine).add(step);
    return step;
  }

  /** Those that were not taken yet, oldest first. */
  take(): RecentStep[] {
    const steps = this.#from(this.#told);
    this.#told = this.#seq;
    return steps;
  }

  /** All that are kept, oldest first. */
  all(): RecentStep[] {
    return this.#from(0);
  }

  /** Their numbers go on from where they were. */
  clear(): void {
    this.#byMachine.clear();
    this.#others.clear();
    this.#told = this.#seq;
  }

  #ringOf(machine: string): Ring {
    const known = this.#byMachine.get(machine);
    if (known !== undefined) return known;
    if (this.#byMachine.size >= MACHINES_MAX) return this.#others;
    const made = new Ring(this.#max);
    this.#byMachine.set(machine, made);
    return made;
  }

  #from(first: number): RecentStep[] {
    return [...this.#byMachine.values(), this.#others]
      .flatMap((ring) => ring.from(first))
      .sort((a, b) => a.seq - b.seq)
      .map(recentStep);
  }
}

/** The last few of a row of steps. */
class Ring {
  readonly #steps: NotedStep[] = [];
  readonly #max: number;
  /** Where the next one goes: in the place of the oldest, once it is full. */
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(step: NotedStep): void {
    this.#steps[this.#next] = step;
    this.#next = (this.#next + 1) % this.#max;
  }

  /** Those of this number and later, oldest first. */
  from(seq: number): NotedStep[] {
    const { length } = this.#steps;
    const steps: NotedStep[] = [];
    // From the newest back: of a chart in which nothing has happened, one is looked at.
    for (let back = 1; back <= length; back++) {
      const step = this.#steps[(this.#next - back + length) % length];
      if (step === undefined || step.seq < seq) break;
      steps.push(step);
    }
    return steps.reverse();
  }

  clear(): void {
    this.#steps.length = 0;
    this.#next = 0;
  }
}
