import {
  type AnyActor,
  type AnyActorRef,
  type AnyEventObject,
  type AnyMachineSnapshot,
  createActor,
  createMachine,
  type InspectionEvent,
} from 'xstate';
import type { Ledger } from './ledger.ts';
import type { AnyModel } from './model.ts';
import { WalkClock } from './walk-clock.ts';

/** Something scheduled with the system: an `after`, a delayed `raise` or a delayed `sendTo`. */
export interface Timer {
  readonly id: string;
  readonly eventType: string;
  /** When it fires, by the session's clock. */
  readonly due: number;
}

interface ScheduledEvent {
  readonly id: string;
  readonly source: AnyActorRef;
  readonly event: { readonly type: string };
}

/** More timers than this before the wanted one fires means that it never will. */
const MAX_TIMERS_PER_STEP = 10_000;

/**
 * One run of the machine. It is always the child of a parent that listens, since `sendParent` in a root actor throws;
 * the parent does nothing but write down what it hears.
 */
export class Session<Env = unknown> {
  readonly clock = new WalkClock();
  readonly env: Env;
  /** The machine under test. */
  readonly actor: AnyActor;
  /** What the machine sent to its parent. */
  readonly heard: AnyEventObject[] = [];
  /** What the machine emitted to listeners (after its start). */
  readonly emitted: AnyEventObject[] = [];
  readonly #root: AnyActor;
  readonly #dues = new WeakMap<ScheduledEvent, number>();
  readonly #actors: AnyActorRef[] = [];

  constructor(model: AnyModel, ledger: Ledger, prepare?: (env: Env) => void) {
    if (model.startAt !== undefined) this.clock.set(model.startAt);
    this.env = model.env?.(this.clock) as Env;
    prepare?.(this.env);
    const inspect = (event: InspectionEvent): void => {
      if (event.type === '@xstate.actor') this.#actors.push(event.actorRef as AnyActorRef);
      ledger.inspect(event);
    };
    const input = model.input?.(this.env, this.clock) as never;
    const listener = createMachine({
      invoke: {
        id: 'sut',
        src: ledger.machine,
        input,
        onDone: {},
        onError: {},
      },
      on: { '*': { actions: ({ event }) => this.heard.push(event) } },
    });
    this.#root = createActor(listener, {
      clock: this.clock,
      inspect,
      logger: () => {},
    }) as AnyActor;
    this.clock.onArm = (delay) => this.#noteDue(delay);
    this.#root.start();
    this.actor = (this.#root.getSnapshot() as AnyMachineSnapshot).children['sut'] as unknown as AnyActor;
    if (this.snapshot.status === 'active') this.actor.on('*', (event) => this.emitted.push(event));
  }

  get snapshot(): AnyMachineSnapshot {
    return this.actor.getSnapshot() as AnyMachineSnapshot;
  }

  /** The machine's children by id, ended ones included as long as the machine keeps them. */
  get children(): Readonly<Record<string, AnyActorRef>> {
    // After a crash at the very start the snapshot has no children at all.
    return (this.snapshot.children ?? {}) as Record<string, AnyActorRef>;
  }

  /** Timers that the machine itself has armed, the next one first. */
  timers(): Timer[] {
    return this.#scheduled()
      .filter(({ source }) => source === this.actor)
      .map((entry) => ({
        id: entry.id,
        eventType: entry.event.type,
        due: this.#due(entry),
      }));
  }

  /** Lets time pass until this timer has fired, or until an earlier one made the machine drop it. */
  letFire(timerId: string): void {
    const wanted = this.#scheduled().find(({ source, id }) => source === this.actor && id === timerId);
    if (!wanted) return;
    for (let fired = 0; fired < MAX_TIMERS_PER_STEP; fired++) {
      const [next] = this.#scheduled();
      if (!next || !this.#scheduled().includes(wanted)) return;
      this.clock.set(Math.max(this.#due(next), this.clock.now()));
    }
    throw new Error(
      `${timerId} did not fire within ${MAX_TIMERS_PER_STEP} earlier timers: give it a shorter delay`,
    );
  }

  /** Lets time pass, timer by timer, so that each fires when it is due. */
  pass(ms: number): void {
    const until = this.clock.now() + ms;
    for (let next = this.#scheduled()[0]; next && this.#due(next) <= until; next = this.#scheduled()[0])
      this.clock.set(Math.max(this.#due(next), this.clock.now()));
    this.clock.set(until);
  }

  /** Children that live although the machine no longer knows them: it spawned the same id twice. */
  orphans(): string[] {
    const known = new Set(Object.values(this.children));
    return this.#livingChildren()
      .filter((child) => !known.has(child))
      .map((child) => child.id);
  }

  /** What outlives the machine's own end: children and timers. */
  survivors(): string[] {
    return [
      ...this.#livingChildren().map((child) => `child ${child.id}`),
      ...this.timers().map((timer) => `timer ${timer.eventType}`),
    ];
  }

  /** Every actor below the machine that lives, however deep, in the order in which they came. */
  living(): AnyActorRef[] {
    return this.#actors.filter(
      (ref) => ref !== this.#root && ref !== this.actor && ref.getSnapshot().status === 'active',
    );
  }

  /** Stops the whole system from outside, as a process that gives up would. */
  close(): void {
    this.#root.stop();
  }

  #livingChildren(): AnyActorRef[] {
    return this.#actors.filter((ref) => ref._parent === this.actor && ref.getSnapshot().status === 'active');
  }

  #scheduled(): ScheduledEvent[] {
    const all = Object.values(
      this.#root.system.getSnapshot()._scheduledEvents,
    ) as unknown as ScheduledEvent[];
    return all.sort((a, b) => this.#due(a) - this.#due(b));
  }

  #due(entry: ScheduledEvent): number {
    return this.#dues.get(entry) ?? Number.POSITIVE_INFINITY;
  }

  /** The scheduler writes the entry down just before it arms the clock: the one not seen yet is meant. */
  #noteDue(delay: number): void {
    for (const entry of this.#scheduled()) {
      if (!this.#dues.has(entry)) this.#dues.set(entry, this.clock.now() + delay);
    }
  }
}
