import type { AnyActorRef } from 'xstate';

/** One root of each system: a second one of the same system shows nothing more, and would have all of it told twice. */
export const distinctRoots = (roots: readonly AnyActorRef[]): readonly AnyActorRef[] =>
  roots.filter((root, at) => roots.findIndex((one) => one.system === root.system) === at);
