/**
 * Sends a machine, at every reachable moment, what no active state listens to: each other event that the chart knows,
 * and one that nobody knows. With the walks, which send all others, every cell of state and event is decided.
 */
import { getNextTransitions } from 'xstate';
import { alphabetOf } from './summary.ts';
import { type AnyModel, explore, inWords, Ledger, replay, type Session } from './walk/index.ts';

export interface UnexpectedReport {
  /** Pairs of a moment and an event that nobody listens to then. */
  readonly cells: number;
  /** Those in which something happened, in words. */
  readonly problems: readonly string[];
}

/** As somebody would write it who errs. */
const MISSPELT = 'STOPP';
/** After any event at all XState looks whether an `always` has come to hold by what has changed outside. */
const LOOK = 'LOOK';

/** What it keeps, what it has, and what others have heard of it. */
const stand = (session: Session): readonly unknown[] => [
  session.snapshot.status,
  JSON.stringify(session.snapshot.value),
  session.snapshot.context,
  session.heard.length,
  session.emitted.length,
  session.living().length,
  session.timers().length,
];

export function sendUnexpected(model: AnyModel): UnexpectedReport {
  const ledger = new Ledger(model.machine);
  const alphabet = alphabetOf(ledger.machine, model.internal);
  const problems: string[] = [];
  let cells = 0;
  for (const path of explore(model).reached) {
    const session = replay(model, ledger, path);
    if (session.snapshot.status === 'active') session.actor.send({ type: LOOK });
    const expected = new Set(getNextTransitions(session.snapshot).map(({ eventType }) => String(eventType)));
    for (const type of [...alphabet, MISSPELT]) {
      if (session.snapshot.status !== 'active' || expected.has(type) || expected.has('*')) continue;
      const before = stand(session);
      session.actor.send({ type });
      cells += 1;
      const after = stand(session);
      if (after.some((part, index) => part !== before[index])) problems.push(`${inWords(path)} → ${type}`);
    }
    session.close();
  }
  return { cells, problems };
}
