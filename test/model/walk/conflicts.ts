import type { AnyMachineSnapshot, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/**
 * In a parallel chart two regions may each enable a transition of which only one can be taken. An inspected
 * microstep lists the enabled ones, so the pre-empted have to be told apart here, by the same rule that XState
 * applies (`removeConflictingTransitions`): whoever leaves states that another already leaves loses, unless its
 * source lies deeper inside the other's source.
 */
export function reallyTaken(
  enabled: readonly AnyTransitionDefinition[],
  after: AnyMachineSnapshot,
): AnyTransitionDefinition[] {
  const kept = new Set<AnyTransitionDefinition>();
  for (const candidate of enabled) {
    const rivals = [...kept].filter((other) => conflict(candidate, other));
    if (rivals.some((other) => !isInside(candidate.source, other.source))) continue;
    for (const rival of rivals) kept.delete(rival);
    kept.add(candidate);
  }
  return [...kept].filter((transition) => arrived(transition, after));
}

/** Both leave a common state. A transition without target leaves nothing, hence never conflicts. */
function conflict(a: AnyTransitionDefinition, b: AnyTransitionDefinition): boolean {
  if (!a.target?.length || !b.target?.length) return false;
  const [first, second] = [domain(a), domain(b)];
  return (
    first === undefined ||
    second === undefined ||
    first === second ||
    isInside(first, second) ||
    isInside(second, first)
  );
}

/** The innermost state that survives the transition, everything below it is left. `undefined`: not even the root. */
function domain(transition: AnyTransitionDefinition): AnyStateNode | undefined {
  const source: AnyStateNode = transition.source;
  const targets: readonly AnyStateNode[] = transition.target ?? [];
  const within = (node: AnyStateNode): boolean => targets.every((target) => isInside(target, node));
  if (!transition.reenter && targets.every((target) => target === source || isInside(target, source))) {
    return source;
  }
  let node: AnyStateNode | undefined = source.parent;
  while (node !== undefined && !within(node)) node = node.parent;
  return node ?? (transition.reenter ? undefined : source.machine.root);
}

function isInside(node: AnyStateNode, ancestor: AnyStateNode): boolean {
  for (let up = node.parent; up !== undefined; up = up.parent) if (up === ancestor) return true;
  return false;
}

/** Its targets are active now. A history target stands for children of its parent. */
function arrived(transition: AnyTransitionDefinition, after: AnyMachineSnapshot): boolean {
  const active: readonly AnyStateNode[] = after._nodes;
  return (transition.target ?? []).every((target: AnyStateNode) => {
    const place = target.type === 'history' ? target.parent : target;
    return place !== undefined && active.includes(place);
  });
}
