/** What the observer says was taken is what the drawing has an edge for. */
import { describe, expect, test } from 'vitest';
import type { AnyStateMachine, InspectionEvent } from 'xstate';
import { closeOnFault } from '../../../machines/close-on-fault.ts';
import { edgeKeyOf } from '../../../src/inspector/chart/edge-key.ts';
import { read } from '../../architecture/source.ts';
import { cleanupModel } from '../../model/cleanup.model.ts';
import { componentModel } from '../../model/component.model.ts';
import { machineModels } from '../../model/machines.ts';
import { storeModel } from '../../model/store.model.ts';
import { stateNodes } from '../../model/walk/catalog.ts';
import { type AnyModel, catalog, Ledger, planWalks } from '../../model/walk/index.ts';
import { playWalk } from '../../model/walk/verdict.ts';

const machines = Object.values<AnyModel | (() => AnyModel)>(machineModels).map(
  (model) => (typeof model === 'function' ? model() : model).machine as AnyStateMachine,
);

/** What is marked in a drawing by an attribute, in its order. */
function marked(id: string, attribute: 'data-edge' | 'data-state'): string[] {
  const svg = read(`docs/charts/${id}.svg`);
  return [...svg.matchAll(new RegExp(`${attribute}="([^"]*)"`, 'g'))].map((match) => match[1] ?? '');
}

describe.each(machines.map((machine) => [machine.id, machine] as const))('%s', (id, machine) => {
  // As it runs: with other implementations, and guarded against faults.
  const running = closeOnFault(machine.provide({ actors: {} }));

  test('each transition has one key, and the drawing has it', () => {
    const keys = catalog(running).map(({ transition }) => edgeKeyOf(transition));
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(marked(id, 'data-edge'))).toEqual(new Set(keys));
  });

  test('a transition that leads elsewhere has a line and a label, any other a line of text', () => {
    const times = Map.groupBy(marked(id, 'data-edge'), (key) => key);
    for (const { transition } of catalog(running)) {
      const [target] = transition.target ?? [];
      const isLine = target !== undefined && target !== transition.source;
      expect(times.get(edgeKeyOf(transition) ?? ''), edgeKeyOf(transition)).toHaveLength(isLine ? 2 : 1);
    }
  });

  test('each state is in the drawing once', () => {
    const ids = [...stateNodes(running.root)].map((node) => node.id);
    expect(marked(id, 'data-state').sort()).toEqual(ids.sort());
  });
});

test.each([
  ['store', storeModel],
  ['component', componentModel],
  ['cleanup', cleanupModel],
] as const)(
  'all that XState says was taken in %s is in its drawing, and all of the drawing is taken',
  (id, model) => {
    const ledger = new Ledger(model.machine);
    closeOnFault(ledger.machine);
    const taken = new Set<string | undefined>();
    const count = ledger.inspect;
    Object.assign(ledger, {
      inspect: (event: InspectionEvent) => {
        count(event);
        if (event.type !== '@xstate.microstep') return;
        for (const transition of event._transitions)
          if (transition.source.machine === ledger.machine && transition.eventType !== null)
            taken.add(edgeKeyOf(transition));
      },
    });
    for (const walk of planWalks(model).walks) expect(playWalk(model, ledger, walk)).toEqual([]);
    expect(taken).toEqual(new Set(marked(id, 'data-edge')));
  },
);

test('a transition of no machine has no key', () => {
  const [entry] = catalog(machines[0]!);
  expect(edgeKeyOf(entry!.transition)).toBeDefined();
  expect(edgeKeyOf({ ...entry!.transition })).toBeUndefined();
});
