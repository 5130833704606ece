import { stateNodes } from './catalog.ts';
import { type Exploration, explore } from './explorer.ts';
import { Ledger } from './ledger.ts';
import { minimalWalks, type Walk } from './minimal.ts';
import type { AnyModel } from './model.ts';
import { playWalk, settle } from './verdict.ts';

/** Everything known about a machine before its walks are played. */
export interface Plan {
  readonly model: AnyModel;
  readonly exploration: Exploration;
  readonly walks: readonly Walk[];
  readonly exploredInMs: number;
}

export function planWalks(model: AnyModel): Plan {
  const start = performance.now();
  const exploration = explore(model);
  const walks = minimalWalks(model, exploration);
  return { model, exploration, walks, exploredInMs: performance.now() - start };
}

/** Leaves out every walk that contains such a step (`OMIT` in the environment), to show that it is missed. */
export function withoutStep(walks: readonly Walk[], omit: string | undefined): readonly Walk[] {
  return omit ? walks.filter((walk) => !walk.steps.some((step) => step.label.includes(omit))) : walks;
}

/** The numbers of one machine. */
export interface Report {
  readonly machine: string;
  /** States of the chart, the root not counted. */
  readonly states: number;
  readonly transitions: number;
  /** Transitions, plus one refusal for each guard. */
  readonly obligations: number;
  /** Obligations that the walks showed. */
  readonly walked: number;
  readonly walks: number;
  /** Distinct moments that the exploration told apart. */
  readonly explored: number;
  readonly exploredInMs: number;
}

export function reportOn(plan: Plan, ledger: Ledger): Report {
  return {
    machine: plan.model.machine.id,
    states: [...stateNodes(ledger.machine.root)].length - 1,
    transitions: ledger.entries.length,
    obligations: ledger.obligations.length,
    walked: ledger.met.size,
    walks: plan.walks.length,
    explored: plan.exploration.states,
    exploredInMs: Math.round(plan.exploredInMs),
  };
}

export const reportLine = (it: Report): string =>
  `${it.machine}: ${it.transitions} transitions, ${it.obligations} obligations, ${it.walked} walked, ` +
  `${it.walks} walks over ${it.explored} states, explored in ${it.exploredInMs} ms`;

/** All that the registered tests would say, without a test runner. */
export interface Verdict {
  readonly faults: readonly string[];
  readonly missing: readonly string[];
  readonly badExemptions: readonly string[];
  /** What single walks complained about. */
  readonly problems: readonly string[];
  readonly plan: Plan;
  readonly report: Report;
}

export function examine(model: AnyModel, omit?: string): Verdict {
  const plan = planWalks(model);
  const ledger = new Ledger(model.machine);
  const problems = withoutStep(plan.walks, omit).flatMap((walk) => playWalk(model, ledger, walk));
  const { faults } = plan.exploration;
  return {
    faults,
    ...settle(model, ledger),
    problems,
    plan,
    report: reportOn(plan, ledger),
  };
}
