import type { AnyActorRef, AnyMachineSnapshot, InspectionEvent, Snapshot, Subscription } from 'xstate';
import type { Clock } from '../../ports.ts';
import type { SeriesStatus } from '../../status.ts';
import type { ActorRow, RecentStep, StateValue } from '../protocol.ts';
import { distinctRoots } from '../roots.ts';
import { type ActorRecord, recordOf, rowOf, seriesState, stateOf, statusOf } from './actor-record.ts';
import { RecentSteps } from './recent-steps.ts';
import { stateLabel } from './state-label.ts';

/** Actors with a chart that are shown yet after they have ended; others are gone at once. */
const ENDED_MAX = 200;
/** Of each chart. */
const RECENT_MAX = 150;
/** Only where all actors are asked for, and never what is new, could there be more. */
const GONE_MAX = 50_000;

/** What has happened since it was asked last. */
export interface Changes {
  /** New or changed. */
  readonly actors: ActorRow[];
  /** Ended and forgotten, of those that were told of. */
  readonly gone: string[];
  /** Oldest first, of each chart the last 150 at most. */
  readonly recent: RecentStep[];
}

type Inspected<Type extends InspectionEvent['type']> = Extract<InspectionEvent, { type: Type }>;

/**
 * Watches all actors of some systems, from any time of their life on. While they work it does next to nothing: it marks
 * who has changed and keeps the transition just taken. How an actor is now is read from it when somebody asks. Whatever
 * goes wrong here, XState never hears of it.
 */
export class Observer {
  readonly #clock: Clock;
  readonly #roots: readonly AnyActorRef[];
  #subscriptions: Subscription[] = [];
  /** Parents before their children. */
  readonly #records = new Map<object, ActorRecord>();
  readonly #byId = new Map<string, ActorRecord>();
  readonly #changed = new Set<ActorRecord>();
  /** Those that have ended, oldest first. */
  readonly #ended = new Set<ActorRecord>();
  #gone: string[] = [];
  readonly #recent = new RecentSteps(RECENT_MAX);
  readonly #streams = new Map<SeriesStatus['state'], number>();
  #lateEvents = 0;

  /** One root of each system; a second one is left out. */
  constructor({ clock, roots }: { clock: Clock; roots: readonly AnyActorRef[] }) {
    this.#clock = clock;
    this.#roots = distinctRoots(roots);
  }

  /** Begins with all actors that are there. */
  attach(): void {
    if (this.#subscriptions.length > 0) return;
    this.#subscriptions = this.#roots.map((root, number) => {
      this.#walk(root, number);
      return root.system.inspect((event) => this.#inspect(event, number));
    });
  }

  /** Ends, and lets go of every actor. */
  detach(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions = [];
    for (const kept of [this.#records, this.#byId, this.#changed, this.#ended, this.#streams]) kept.clear();
    this.#gone = [];
    this.#recent.clear();
  }

  /** All actors as they are now, parents before their children. */
  *rows(): Generator<ActorRow> {
    this.#lookAtRoots();
    for (const record of this.#records.values())
      yield record.row === undefined || this.#changed.has(record) ? this.#tell(record) : record.row;
  }

  /** What is new since the last call. Its cost is that of what has changed, however many actors there are. */
  takeChanges(): Changes {
    this.#lookAtRoots();
    const actors: ActorRow[] = [];
    for (const record of this.#changed) actors.push(this.#tell(record));
    this.#changed.clear();
    const gone = this.#gone;
    this.#gone = [];
    return { actors, gone, recent: this.#recent.take() };
  }

  /** The last transitions of the actors of each chart, oldest first. */
  recent(): readonly RecentStep[] {
    return this.#recent.all();
  }

  /** The actor of a row. */
  find(id: string): AnyActorRef | undefined {
    return this.#byId.get(id)?.actor;
  }

  /** How many series are in which state, as of the changes that were taken last. Kept by counting: it costs nothing. */
  streams(): Partial<Record<SeriesStatus['state'], number>> {
    return Object.fromEntries([...this.#streams].filter(([, count]) => count > 0));
  }

  /** How many actors of each chart are in which state now; those that have ended are in none. */
  countByState(): Map<string, Map<string, number>> {
    const counts = new Map<string, Map<string, number>>();
    for (const record of this.#records.values()) {
      if (!record.hasChart || statusOf(record) !== 'active') continue;
      const { machine } = record.who;
      const states = counts.get(machine) ?? new Map<string, number>();
      counts.set(machine, states);
      const state = stateLabel(stateOf(record));
      states.set(state, (states.get(state) ?? 0) + 1);
    }
    return counts;
  }

  /** How many events were sent to actors that had ended, since it was made: XState drops them without a word. */
  lateEvents(): number {
    return this.#lateEvents;
  }

  #inspect(event: InspectionEvent, root: number): void {
    try {
      if (event.type === '@xstate.microstep') this.#noteStep(event);
      else if (event.type === '@xstate.event') this.#noteEvent(event, root);
      else if (event.type === '@xstate.snapshot' && event.snapshot.status !== 'active')
        this.#end(event.actorRef);
    } catch {
      // What is odd about one event must not cost the actor its transition: its next one is noted again.
    }
  }

  #noteStep({ actorRef, event, snapshot, _transitions }: Inspected<'@xstate.microstep'>): void {
    // Most events find no transition.
    if (_transitions.length === 0) return;
    const record = this.#records.get(actorRef);
    if (record === undefined) return;
    record.steps += 1;
    const value = (snapshot as AnyMachineSnapshot).value as StateValue;
    record.last = this.#recent.note(this.#clock.wallNow(), event, _transitions, value, record.who);
    this.#changed.add(record);
  }

  /** An actor is there from its start on: one that is stopped before, XState says nothing more of. */
  #noteEvent({ actorRef, sourceRef, event }: Inspected<'@xstate.event'>, root: number): void {
    if (event.type === 'xstate.init') this.#begin(actorRef as AnyActorRef, root);
    else if ((actorRef.getSnapshot() as Snapshot<unknown>).status !== 'active') this.#lateEvents += 1;
    // The one word about an actor whose action or guard threw: no snapshot follows.
    if (sourceRef !== undefined && event.type.startsWith('xstate.error.actor.')) this.#end(sourceRef);
  }

  #begin(actor: AnyActorRef, root: number): void {
    if (this.#records.has(actor)) return;
    const { _parent: parent } = actor;
    const record = recordOf(idOf(actor, root), actor, parent && idOf(parent, root));
    this.#records.set(actor, record);
    this.#byId.set(record.who.id, record);
    this.#changed.add(record);
  }

  #end(actor: object): void {
    const record = this.#records.get(actor);
    if (record === undefined || this.#ended.has(record)) return;
    this.#changed.add(record);
    if (record.hasChart) this.#ended.add(record);
    // Calls and commits by the thousand would push out what is worth a look.
    else this.#forget(record);
    if (this.#ended.size <= ENDED_MAX) return;
    // A tree has its root for as long as it is shown.
    for (const oldest of this.#ended)
      if (oldest.parent !== undefined) {
        this.#forget(oldest);
        break;
      }
  }

  #forget(record: ActorRecord): void {
    this.#ended.delete(record);
    this.#records.delete(record.actor);
    this.#byId.delete(record.who.id);
    this.#changed.delete(record);
    this.#count(record, undefined);
    // Who was never told of it need not hear that it has gone: so this list has a bound, too.
    if (record.row !== undefined && this.#gone.length < GONE_MAX) this.#gone.push(record.who.id);
  }

  /** A root whose action threw tells nobody but those who have subscribed to it. */
  #lookAtRoots(): void {
    for (const root of this.#roots) {
      const record = this.#records.get(root);
      if (record !== undefined && statusOf(record) !== 'active') this.#end(root);
    }
  }

  #tell(record: ActorRecord): ActorRow {
    this.#count(record, seriesState(record));
    record.row = rowOf(record, this.#clock.wallNow());
    return record.row;
  }

  #count(record: ActorRecord, state: SeriesStatus['state'] | undefined): void {
    const { counted } = record;
    if (counted === state) return;
    record.counted = state;
    if (counted !== undefined) this.#streams.set(counted, (this.#streams.get(counted) ?? 0) - 1);
    if (state !== undefined) this.#streams.set(state, (this.#streams.get(state) ?? 0) + 1);
  }

  #walk(root: AnyActorRef, number: number): void {
    const left: (AnyActorRef | undefined)[] = [root];
    while (left.length > 0) {
      const actor = left.pop();
      if (actor === undefined) continue;
      this.#begin(actor, number);
      const { status, children } = actor.getSnapshot() as AnyMachineSnapshot;
      if (status !== 'active') this.#end(actor);
      if (children !== undefined) left.push(...Object.values<AnyActorRef | undefined>(children).reverse());
    }
  }
}

/** Sessions are counted anew by each copy of XState: the number of the root comes first. */
const idOf = (actor: AnyActorRef, root: number): string => `${root}/${actor.sessionId}`;
