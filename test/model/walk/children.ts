import type { AnyActorLogic, AnyActorRef, EventObject, Snapshot } from 'xstate';

/** What a stub has lived through. */
export type StubSnapshot = Snapshot<unknown> & {
  readonly input: unknown;
  /** Events that others sent to it, oldest first. */
  readonly received: readonly EventObject[];
};

type StubEvent =
  | { type: 'stub.end'; output: unknown }
  | { type: 'stub.fail'; error: unknown }
  | { type: 'stub.report' }
  | { type: 'xstate.stop' };

const isCommand = (event: EventObject): event is StubEvent =>
  ['stub.end', 'stub.fail', 'stub.report', 'xstate.stop'].includes(event.type);

/**
 * A real child that lives until it is told to end, to fail, or to show a new snapshot; everything happens in the same
 * call, so a walk needs no promises. It stands for any child: `machine.provide({ actors: { socket: stub } })`.
 */
const stubLogic: AnyActorLogic = {
  getInitialSnapshot: (_scope, input: unknown): StubSnapshot => ({
    status: 'active',
    output: undefined,
    error: undefined,
    input,
    received: [],
  }),
  transition: (snapshot: StubSnapshot, event: EventObject): StubSnapshot => {
    if (!isCommand(event)) return { ...snapshot, received: [...snapshot.received, event] };
    switch (event.type) {
      case 'stub.end':
        return {
          ...snapshot,
          status: 'done',
          output: event.output,
          error: undefined,
        };
      case 'stub.fail':
        return {
          ...snapshot,
          status: 'error',
          error: event.error,
          output: undefined,
        };
      case 'stub.report':
        return { ...snapshot };
      case 'xstate.stop':
        return {
          ...snapshot,
          status: 'stopped',
          output: undefined,
          error: undefined,
        };
    }
  },
  getPersistedSnapshot: (snapshot: StubSnapshot) => snapshot,
};

/** `stubLogic`, for any slot of any machine: a slot's declared logic (a whole StateMachine, say) is not asked for. */
// biome-ignore lint/suspicious/noExplicitAny: it takes the place of every type of actor
export const stub: any = stubLogic;

/** The child can be commanded. Any other logic ends by itself or not at all. */
export function isStub(actor: AnyActorRef): boolean {
  return (actor as AnyActorRef & { logic?: unknown }).logic === stub;
}

export const endChild = (child: AnyActorRef, output: unknown): void =>
  child.send({ type: 'stub.end', output });
export const failChild = (child: AnyActorRef, error: unknown): void =>
  child.send({ type: 'stub.fail', error });
export const reportChild = (child: AnyActorRef): void => child.send({ type: 'stub.report' });
