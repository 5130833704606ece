/** The fewest faults that still break the promise, found by fast-check. */
import fc from 'fast-check';
import type { Violation } from './check/violations.ts';
import { DAY_MS, type Plan } from './plan.ts';
import { type SimulationOptions, simulate, type Verdict } from './run.ts';

export interface Shrunk {
  readonly plan: Plan;
  readonly violation: Violation;
}

type Run = (plan: Plan, options?: SimulationOptions) => Promise<Verdict>;

/** Longer is not searched, ms. */
const SEARCH_MS = 20 * 60_000;

/**
 * Leaves out faults of a plan as long as it breaks the same clause of the same invariant. Undefined when it breaks none.
 */
export async function shrinkPlan(
  plan: Plan,
  say: (line: string) => void,
  run: Run = simulate,
): Promise<Shrunk | undefined> {
  const [first] = (await run(plan)).violations;
  if (first === undefined) return undefined;
  // What begins after the violation has nothing to do with it, and the days end soon after it.
  const cut: Plan = {
    ...plan,
    days: Math.min(plan.days, (first.atMs + 60_000) / DAY_MS),
    faults: plan.faults.filter(({ atMs }) => atMs <= first.atMs),
  };
  let best: Shrunk = { plan, violation: first };
  const breaks = async (tried: Plan): Promise<boolean> => {
    const found = (await run(tried)).violations.find(
      ({ invariant, name }) => invariant === first.invariant && name === first.name,
    );
    if (found === undefined) return false;
    best = { plan: tried, violation: found };
    say(`${tried.faults.length} faults still do: ${found.invariant} ${found.name}`);
    return true;
  };
  const isCut = await breaks(cut);
  const base = isCut ? cut : plan;
  await fc.check(
    fc.asyncProperty(fc.subarray([...base.faults]), async (faults) => !(await breaks({ ...base, faults }))),
    { numRuns: 1, examples: [[[...base.faults]]], interruptAfterTimeLimit: SEARCH_MS },
  );
  return best;
}
