import type { Obligation } from './catalog.ts';
import { replay } from './explorer.ts';
import type { Ledger } from './ledger.ts';
import type { Walk } from './minimal.ts';
import type { AnyModel } from './model.ts';

/** Shorter than this explains nothing. */
const MIN_REASON = 15;

/** Replays one walk and says what is wrong with the machine on the way or at its end. */
export function playWalk(model: AnyModel, ledger: Ledger, walk: Walk): string[] {
  const session = replay(model, ledger, walk.steps);
  const problems: string[] = [];
  const { status, error } = session.snapshot;
  if (status === 'error') problems.push(`the machine crashed: ${String(error)}`);
  if (status === 'done') problems.push(...session.survivors().map((left) => `${left} outlives the machine`));
  session.close();
  const left = session.survivors().map((it) => `${it} outlives the whole system`);
  return [...problems, ...left];
}

/**
 * Labels that no walk has shown and that nobody has exempted with a reason, and every exemption that is not honest:
 * one without a reason, one for something that does not exist, one for something that was walked after all.
 */
export function settle(model: AnyModel, ledger: Ledger): { missing: string[]; badExemptions: string[] } {
  const exempt = new Map(Object.entries(model.exempt ?? {}));
  const byLabel = new Map(ledger.obligations.map((it): [string, Obligation] => [it.label, it]));
  const badExemptions = [...exempt].flatMap(([label, reason]) => {
    const obligation = byLabel.get(label);
    if (!obligation) return [`${label}: exempted, but the machine has no such transition`];
    if (typeof reason !== 'string' || reason.trim().length < MIN_REASON) {
      return [`${label}: exempted without a reason (at least ${MIN_REASON} characters)`];
    }
    return ledger.met.has(obligation.key) ? [`${label}: exempted, but a walk shows it`] : [];
  });
  const missing = ledger.missing().map((it) => it.label);
  return {
    missing: missing.filter((label) => !exempt.has(label)),
    badExemptions,
  };
}
