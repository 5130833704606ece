import { type AnyActorRef, createActor, createMachine, raise, sendParent, sendTo } from 'xstate';

/** What XState keeps its timers with: declared in its types, but no part of what it promises. */
interface Scheduler {
  schedule(source: AnyActorRef, target: AnyActorRef, event: never, delay: number, id?: string): void;
  cancel(source: AnyActorRef, id: string): void;
  cancelAll(source: AnyActorRef): void;
}

/**
 * Finds an actor's timers by the actor. XState looks through the timers of the whole system for those of an actor that
 * stops, so the stop of ten thousand streams that wait for something is quadratic, and takes seconds.
 *
 * Call it before the actor is started. False, and nothing is changed, where XState is built otherwise than this needs.
 */
export const indexTimers = (root: { readonly system: object }): boolean => holds() && index(root);

function index(root: { readonly system: object }): boolean {
  const { scheduler } = root.system as { scheduler?: Partial<Scheduler> };
  if (scheduler?.schedule === undefined || !scheduler.cancel || !scheduler.cancelAll) return false;
  const { schedule, cancel, cancelAll } = scheduler as Scheduler;
  /** Also of timers that have gone off: to cancel those is to do nothing. Their names are those of a chart, so few. */
  const idsOf = new WeakMap<AnyActorRef, string[]>();
  /** Those who have a timer without a name of its own. */
  const unknown = new WeakSet<AnyActorRef>();
  scheduler.schedule = (source, target, event, delay, id) => {
    const ids = idsOf.get(source);
    if (id === undefined) unknown.add(source);
    else if (ids === undefined) idsOf.set(source, [id]);
    else if (!ids.includes(id)) ids.push(id);
    schedule(source, target, event, delay, id);
  };
  scheduler.cancelAll = (source) => {
    if (unknown.has(source)) cancelAll(source);
    else for (const id of idsOf.get(source) ?? []) cancel(source, id);
  };
  return true;
}

/** Waits in every way in which a chart can wait. */
const waiting = createMachine({
  entry: [
    raise({ type: 'RAISED' }, { delay: 1 }),
    raise({ type: 'NAMED' }, { delay: 1, id: 'named' }),
    sendParent({ type: 'SENT' }, { delay: 1, id: 'sent' }),
    sendTo(({ self }) => self, { type: 'TO_SELF' }, { delay: 1 }),
  ],
  after: { 1: {} },
});
const WAYS = 5;

/** Tried on a system of its own whose time stands still: what it arms for actors that stop, it clears. */
function holds(): boolean {
  const armed = new Set<number>();
  let made = 0;
  const clock = {
    setTimeout: () => {
      armed.add(++made);
      return made;
    },
    clearTimeout: (timer: number) => void armed.delete(timer),
  };
  const after = { after: { 1: {} } };
  const parent = createMachine({
    ...after,
    initial: 'on',
    states: {
      on: { invoke: [{ src: waiting }, { src: createMachine(after) }], on: { OFF: 'off' } },
      off: {},
    },
  });
  const root = createActor(parent, { clock: clock as never });
  if (!index(root)) return false;
  root.start();
  const armedByAll = armed.size;
  root.send({ type: 'OFF' });
  const left = armed.size;
  root.stop();
  return armedByAll === WAYS + 2 && left === 1 && armed.size === 0;
}
