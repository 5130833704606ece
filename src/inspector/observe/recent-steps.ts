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

/** The last transitions of all actors, so many and no more. */
export class RecentSteps {
  readonly #ring: NotedStep[] = [];
  readonly #max: number;
  /** Of the next step; the step of that number lies at its remainder. */
  #seq = 0;
  #told = 0;

  constructor(max: number) {
    this.#max = max;
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
    this.#ring[seq % this.#max] = step;
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
    this.#ring.length = 0;
    this.#told = this.#seq;
  }

  #from(first: number): RecentStep[] {
    const steps: RecentStep[] = [];
    for (let seq = Math.max(first, this.#seq - this.#max); seq < this.#seq; seq++) {
      const step = this.#ring[seq % this.#max];
      if (step !== undefined) steps.push(recentStep(step));
    }
    return steps;
  }
}
