import { type AnyActorRef, type AnyEventObject, getNextTransitions } from 'xstate';
import { triggerLabel } from './catalog.ts';
import { endChild, failChild, isStub, reportChild } from './children.ts';
import type { AnyModel } from './model.ts';
import { plain } from './plain.ts';
import type { Session } from './session.ts';

/** Something that may happen next, done to the real machine. */
export interface Step {
  /** Tells steps of one state apart. */
  readonly id: string;
  readonly label: string;
  /** Only of the first step of a walk: what the world is like before the machine is made. */
  readonly prepare?: (env: unknown) => void;
  run(session: Session): void;
}

/** The ways to begin: with nothing done yet, or in one of the model's worlds. */
export function beginnings(model: AnyModel): Step[][] {
  if (model.starts === undefined) return [[]];
  return model.starts.map(({ label, prepare }) => [
    { id: `start ${label}`, label: `start: ${label}`, prepare, run: () => {} },
  ]);
}

/**
 * What can happen to the machine where it stands: its timers fire, its children end, fail or report, the outside
 * sends an event that some active state listens to, the outside world changes. Nothing is ever sent that only XState
 * itself may send: an `after` comes from the clock, a done or an error from a child that really ends.
 */
export function stepsFrom(model: AnyModel, session: Session): Step[] {
  if (session.snapshot.status !== 'active') return [];
  const steps = new Map<string, Step>();
  const all = [
    ...timeSteps(session),
    ...childSteps(model, session),
    ...eventSteps(model, session),
    ...worldSteps(model),
  ];
  for (const step of all) if (!steps.has(step.id)) steps.set(step.id, step);
  return [...steps.values()];
}

/** Time can only bring the timer that is due next; one that is due later has steps of its own in between. */
function timeSteps(session: Session): Step[] {
  const delays = new Map(
    getNextTransitions(session.snapshot).map((it) => [String(it.eventType), triggerLabel(it)]),
  );
  return session
    .timers()
    .slice(0, 1)
    .map(({ id, eventType }) => {
      const name = eventType.startsWith('xstate.after.') ? (delays.get(eventType) ?? eventType) : eventType;
      // The id of a delayed raise without an id is random: such a timer is found again by what it brings.
      const find = (again: Session): string | undefined =>
        again.timers().find((timer) => timer.id === id || timer.eventType === eventType)?.id;
      return {
        id: `time ${eventType}`,
        label: `time: ${name}`,
        run: (again) => {
          const timer = find(again);
          if (timer !== undefined) again.letFire(timer);
        },
      };
    });
}

/** Every living child may end or fail at any moment, whether or not the machine has thought of it. */
function childSteps(model: AnyModel, session: Session): Step[] {
  const reported = new Set(getNextTransitions(session.snapshot).map((it) => String(it.eventType)));
  return Object.entries(session.children).flatMap(([id, child]) => {
    if (!isStub(child) || child.getSnapshot().status !== 'active') return [];
    const outputs = (again: Session): readonly unknown[] => model.outputs?.(id, again) ?? [undefined];
    const errors = (again: Session): readonly unknown[] => model.errors?.(id, again) ?? [new Error('boom')];
    const command = (
      key: string,
      label: string,
      act: (child: AnyActorRef, again: Session) => void,
    ): Step => ({
      id: `child ${id} ${key}`,
      label: `child ${id} ${label}`,
      run: (again) => {
        const target = again.children[id];
        if (target) act(target, again);
      },
    });
    return [
      ...outputs(session).map((output, i) =>
        command(`ends ${i}`, output === undefined ? 'ends' : `ends: ${brief(output)}`, (target, again) =>
          endChild(target, outputs(again)[i]),
        ),
      ),
      ...errors(session).map((error, i) =>
        command(`fails ${i}`, `fails: ${brief(error)}`, (target, again) =>
          failChild(target, errors(again)[i]),
        ),
      ),
      ...(reported.has(`xstate.snapshot.${id}`) ? [command('reports', 'reports', reportChild)] : []),
    ];
  });
}

function eventSteps(model: AnyModel, session: Session): Step[] {
  const internal = model.internal ?? [];
  const descriptors = getNextTransitions(session.snapshot)
    .map((transition) => String(transition.eventType))
    .filter((type) => type !== '' && !type.startsWith('xstate.') && !internal.includes(type));
  return [...new Set(descriptors)].flatMap((descriptor) =>
    variants(model, session, descriptor).map((event, i) => ({
      id: `event ${descriptor} ${i}`,
      label: eventLabel(event),
      run: (again: Session) => {
        const now = variants(model, again, descriptor)[i];
        if (now) again.actor.send(now);
      },
    })),
  );
}

function variants(model: AnyModel, session: Session, descriptor: string): readonly AnyEventObject[] {
  const given = model.events?.(session)[descriptor];
  const events = given ?? [{ type: descriptor.replace('*', 'unlisted') }];
  for (const { type } of events) {
    if (type.startsWith('xstate.'))
      throw new Error(`the model sends ${type} by hand, which only XState may send`);
  }
  return events;
}

function worldSteps(model: AnyModel): Step[] {
  return (model.knobs ?? []).map((knob) => ({
    id: `world ${knob.label}`,
    label: `world: ${knob.label}`,
    run: (session) => knob.run(session),
  }));
}

function eventLabel({ type, ...payload }: AnyEventObject): string {
  return Object.keys(payload).length > 0 ? `${type} ${brief(payload)}` : type;
}

const MAX_BRIEF = 70;

/** A value on one line, short enough for a title. */
function brief(value: unknown): string {
  if (value instanceof Error) return value.message;
  const text = plain(value);
  return text.length > MAX_BRIEF ? `${text.slice(0, MAX_BRIEF - 1)}…` : text;
}
