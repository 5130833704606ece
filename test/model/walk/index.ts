/** The tool that lists every transition of a machine from the machine itself and walks them all. */
export {
  catalog,
  type Entry,
  type Obligation,
  obligationsOf,
} from './catalog.ts';
export { endChild, failChild, type StubSnapshot, stub } from './children.ts';
export { defineMachineWalks } from './define.ts';
export { type Exploration, explore, inWords, type Path, replay } from './explorer.ts';
export { Ledger } from './ledger.ts';
export { type AnyModel, type Knob, type Model, model, type Start } from './model.ts';
export { examine, planWalks, type Report, type Verdict } from './plan.ts';
export { Session } from './session.ts';
export { type Step, stepsFrom } from './steps.ts';
export type { WalkClock } from './walk-clock.ts';
