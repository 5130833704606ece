import type { AnyActorRef, AnyStateMachine } from 'xstate';

/**
 * XState leaves the children of a machine running when an action or guard of it throws (statelyai/xstate
 * #5153): a socket would stay open behind a dead machine. This stops the children first and then lets the
 * error go its way. Apply it after the last `provide()`, which makes a new machine.
 */
export function closeOnFault<Machine extends AnyStateMachine>(machine: Machine): Machine {
  const transition = machine.transition.bind(machine);
  machine.transition = (snapshot, event, scope) => {
    try {
      return transition(snapshot, event, scope);
    } catch (error) {
      for (const child of Object.values<AnyActorRef | undefined>(snapshot.children))
        if (child) scope.stopChild(child);
      throw error;
    }
  };
  return machine;
}
