import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** One transition of a chart, as the machine itself lists it. */
export interface Entry {
  /** `source|descriptor|index`: unique within the machine. */
  readonly key: string;
  /** What people read and what exemptions name: unique within the machine too. */
  readonly label: string;
  readonly guarded: boolean;
  readonly transition: AnyTransitionDefinition;
}

/** The chart's nodes, the root first. */
export function* stateNodes(node: AnyStateNode): Generator<AnyStateNode> {
  yield node;
  for (const child of Object.values(node.states)) yield* stateNodes(child as AnyStateNode);
}

/** A transition with a delay knows the delay's name; the type only says so for `after` itself. */
function delayOf(transition: AnyTransitionDefinition): string | number | undefined {
  return (transition as AnyTransitionDefinition & { delay?: string | number }).delay;
}

/** `after(backoff)`, `done(call)`, `error(*)`, `always`, or the event's own name. */
export function triggerLabel(transition: AnyTransitionDefinition): string {
  const type = String(transition.eventType);
  if (type === '') return 'always';
  const delay = delayOf(transition);
  if (delay !== undefined) return `after(${delay})`;
  const actor = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type);
  if (actor) return `${actor[1]}(${actor[2]})`;
  const snapshot = /^xstate\.snapshot\.(.+)$/.exec(type);
  if (snapshot) return `snapshot(${snapshot[1]})`;
  return type.startsWith('xstate.done.state.') ? 'done-state' : type;
}

/** A guard's name as its author would say it; `not`, `and` and `or` name what they combine. */
export function guardLabel(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type);
  if (typeof guard !== 'function') return 'inline';
  if ('guards' in guard && Array.isArray(guard.guards)) {
    return `${guard.name}(${guard.guards.map(guardLabel).join(', ')})`;
  }
  // An arrow function written in place is named after the property that holds it.
  return guard.name === '' || guard.name === 'guard' ? 'inline' : guard.name;
}

function targetLabel(transition: AnyTransitionDefinition): string {
  if (transition.target?.length) return transition.target.map((node) => node.id).join(', ');
  return transition.actions.length > 0 ? '(stays)' : '(ignored)';
}

/**
 * Every transition of the machine in document order: events, wildcards, forbidden ones (`{}`), `after`, done, error
 * and snapshot of children, done of compound states, `always`. Initial transitions carry no guard in XState and are
 * taken by whoever enters the state, so they are no entries.
 */
export function catalog(machine: AnyStateMachine): Entry[] {
  const entries: Entry[] = [];
  const uses = new Map<string, number>();
  for (const node of stateNodes(machine.root)) {
    const lists: [string, readonly AnyTransitionDefinition[]][] = [...node.transitions.entries()];
    if (node.always) lists.push(['always', node.always]);
    for (const [descriptor, transitions] of lists) {
      for (const [index, transition] of transitions.entries()) {
        const guarded = transition.guard !== undefined;
        const guard = guarded ? ` [${guardLabel(transition.guard)}]` : '';
        const label = `${node.id} --${triggerLabel(transition)}${guard}--> ${targetLabel(transition)}`;
        const nth = (uses.get(label) ?? 0) + 1;
        uses.set(label, nth);
        entries.push({
          key: `${node.id}|${descriptor}|${index}`,
          label: nth === 1 ? label : `${label} #${nth}`,
          guarded,
          transition,
        });
      }
    }
  }
  return entries;
}

/** Something a walk has to show: a transition taken, or a guard that refused. */
export interface Obligation {
  readonly key: string;
  readonly label: string;
}

export const takenKey = (entry: Entry): string => `taken ${entry.key}`;
export const refusedKey = (entry: Entry): string => `refused ${entry.key}`;

/** A guarded transition owes two things: being taken (the guard held) and being refused by its guard. */
export function obligationsOf(entries: readonly Entry[]): Obligation[] {
  return entries.flatMap((entry) => {
    const taken = { key: takenKey(entry), label: entry.label };
    return entry.guarded
      ? [taken, { key: refusedKey(entry), label: `${entry.label} (guard refusing)` }]
      : [taken];
  });
}
