import type { StateValue } from '../../protocol.ts';

/** Ids of all state nodes that a value means: the machine, every state it is in, and all regions on the way. */
export function activeStates(machine: string, value: StateValue | undefined): Set<string> {
  const ids = new Set<string>();
  const enter = (id: string, inside: StateValue | undefined): void => {
    ids.add(id);
    if (typeof inside === 'string') ids.add(`${id}.${inside}`);
    else for (const [key, next] of Object.entries(inside ?? {})) enter(`${id}.${key}`, next);
  };
  if (value !== undefined) enter(machine, value);
  return ids;
}

/** Those of them that have none of them inside: where the machine is, in so many regions. */
export function innermost(ids: ReadonlySet<string>): string[] {
  const all = [...ids];
  return all.filter((id) => !all.some((other) => other.startsWith(`${id}.`)));
}
