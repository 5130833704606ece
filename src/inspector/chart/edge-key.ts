/**
 * The name of an edge of a statechart: the same for the drawing, made of a machine, and for the observer, which sees a
 * copy of that machine (`provide` makes one) at work.
 */
import type { AnyTransitionDefinition } from 'xstate';

/**
 * `connection.waiting|CLOSE|0`: the state that it leaves, the event as XState has it (`always` where none is needed),
 * and which of that state's transitions on that event it is.
 */
export function edgeKey(source: string, event: string, index: number): string {
  return `${source}|${event === '' ? 'always' : event}|${index}`;
}

/** Definitions live as long as their machine; to each its key is spelled once. */
const known = new WeakMap<AnyTransitionDefinition, string>();

/** The key of a transition that was taken; nothing for one that no chart draws, as the step into the initial state. */
export function edgeKeyOf(transition: AnyTransitionDefinition): string | undefined {
  const found = known.get(transition);
  if (found !== undefined) return found;
  const { source, eventType } = transition;
  const event = eventType as string | null;
  if (event === null) return undefined;
  const siblings = event === '' ? source.always : source.transitions.get(event);
  const index = siblings?.indexOf(transition) ?? -1;
  if (index < 0) return undefined;
  const key = edgeKey(source.id, event, index);
  known.set(transition, key);
  return key;
}
