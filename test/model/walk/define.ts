import { describe, expect, test } from 'vitest';
import { Ledger } from './ledger.ts';
import type { Walk } from './minimal.ts';
import type { AnyModel } from './model.ts';
import { type Plan, planWalks, reportLine, reportOn, withoutStep } from './plan.ts';
import { playWalk, settle } from './verdict.ts';

const MAX_TITLE = 180;

/**
 * Registers the tests of one machine: nothing reachable crashes it, every walk, and last that the walks together took
 * every transition and saw every guard both ways.
 */
export function defineMachineWalks(name: string, model: AnyModel | (() => AnyModel)): void {
  describe(name, () => {
    let plan: Plan;
    try {
      plan = planWalks(typeof model === 'function' ? model() : model);
    } catch (error) {
      // Walks are found while tests are being collected; a failure there should still be a failure of this machine.
      test('can be explored', () => {
        throw error;
      });
      return;
    }
    definePlanned(plan);
  });
}

function definePlanned(plan: Plan): void {
  const { model, exploration } = plan;
  const ledger = new Ledger(model.machine);
  const walks = withoutStep(plan.walks, process.env['OMIT']);
  const left = new Set(walks);
  const play = (walk: Walk): string[] => {
    left.delete(walk);
    return playWalk(model, ledger, walk);
  };

  test('no reachable sequence crashes the machine', () => {
    expect(exploration.faults).toEqual([]);
  });

  for (const [index, walk] of walks.entries()) {
    test(`${index + 1}. ${shortened(walk.text)}`, () => {
      expect(play(walk)).toEqual([]);
    });
  }

  test('every transition was walked, every guard both ways', async ({ annotate }) => {
    // A test filter may have skipped walks; coverage is judged over all of them all the same.
    for (const walk of [...left]) play(walk);
    await annotate(reportLine(reportOn(plan, ledger)));
    const { missing, badExemptions } = settle(model, ledger);
    const hint =
      missing.length > 0 && exploration.undriven.length > 0
        ? `; no stub, so no step can end it: ${exploration.undriven.join(', ')}`
        : '';
    expect(badExemptions, 'exemptions').toEqual([]);
    expect(missing, `no walk took these${hint}`).toEqual([]);
  });
}

/** Long walks keep their beginning and their end, which say where they go. */
function shortened(text: string): string {
  if (text.length <= MAX_TITLE) return text;
  const half = Math.floor(MAX_TITLE / 2);
  return `${text.slice(0, half)} … ${text.slice(-half)}`;
}
