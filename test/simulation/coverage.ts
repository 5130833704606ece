/** Which transitions of which chart were taken. */
import type { AnyStateMachine, InspectionEvent } from 'xstate';
import { edgeKeyOf } from '../../src/inspector/chart/edge-key.ts';
import { machineModels } from '../model/machines.ts';
import { catalog } from '../model/walk/index.ts';

type Step = Extract<InspectionEvent, { type: '@xstate.microstep' }>;

/** How many transitions of a chart there are, and how many were taken. */
export interface Reached {
  readonly machine: string;
  readonly reached: number;
  readonly total: number;
  readonly missing: readonly string[];
}

export class Coverage {
  /** Keys of transitions, as `edge-key.ts` spells them: `feed.attached|UP|0`. */
  readonly taken = new Set<string>();

  /** For XState's inspection. */
  readonly inspect = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.microstep') return;
    for (const transition of (event as Step)._transitions) {
      const key = edgeKeyOf(transition);
      if (key !== undefined) this.taken.add(key);
    }
  };
}

/** Of every chart of the product, with what is in `taken`. */
export function reachedOf(taken: ReadonlySet<string>): Reached[] {
  return Object.entries(machineModels).map(([machine, model]) => {
    const made = typeof model === 'function' ? (model as () => { machine: unknown })() : model;
    const entries = catalog((made as { machine: AnyStateMachine }).machine).map((entry) => ({
      label: entry.label,
      key: edgeKeyOf(entry.transition),
    }));
    const missing = entries.filter(({ key }) => key === undefined || !taken.has(key));
    return {
      machine,
      reached: entries.length - missing.length,
      total: entries.length,
      missing: missing.map(({ label }) => label),
    };
  });
}
