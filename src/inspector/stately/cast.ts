import type { Actor, ActorRefLike, AnyActorLogic, AnyActorRef } from 'xstate';
import { distinctRoots } from '../roots.ts';

/** A state, without the context behind it. */
export interface Seen {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly value?: unknown;
}

/** An actor as the conversion of `@statelyai/inspect` reads it, with an id that is unique over all systems. */
export interface Likeness extends ActorRefLike {
  /** The actor's own, behind the number of its root. */
  readonly sessionId: string;
  /** What its parent calls it. */
  readonly id: string;
  readonly rootId: string;
  /** Of a machine the viewer draws the `config`. */
  readonly logic: { readonly config: object | undefined };
  readonly _parent?: Likeness;
}

/** What of a snapshot may leave the process. */
export function seenOf(snapshot: object | undefined): Seen {
  const { status = 'active', value } = (snapshot ?? {}) as Partial<Seen>;
  return value === undefined ? { status } : { status, value };
}

/** The actors of several systems under ids that are unique: XState numbers the sessions of each system from 0. */
export class Cast {
  readonly #roots: readonly AnyActorRef[];
  readonly #known = new WeakMap<AnyActorRef, Likeness>();
  readonly #charts = new WeakMap<object, object>();

  constructor(roots: readonly AnyActorRef[]) {
    this.#roots = distinctRoots(roots);
  }

  get roots(): readonly AnyActorRef[] {
    return this.#roots;
  }

  of(actor: AnyActorRef): Likeness {
    const known = this.#known.get(actor) ?? this.#likeness(actor);
    this.#known.set(actor, known);
    return known;
  }

  /** All that live now, each behind its parent. */
  *living(actors: Iterable<AnyActorRef> = this.#roots): Generator<AnyActorRef> {
    for (const actor of actors) {
      yield actor;
      const { children } = actor.getSnapshot() as { children?: Record<string, AnyActorRef | undefined> };
      yield* this.living(Object.values(children ?? {}).filter((child) => child !== undefined));
    }
  }

  #likeness(actor: AnyActorRef): Likeness {
    const parent = actor._parent === undefined ? undefined : this.of(actor._parent);
    const number = this.#roots.findIndex(({ system }) => system === actor.system);
    const sessionId = `${number}/${actor.sessionId}`;
    return {
      sessionId,
      id: actor.id,
      rootId: parent?.rootId ?? sessionId,
      logic: { config: this.#chartOf((actor as Actor<AnyActorLogic>).logic) },
      send: () => {},
      getSnapshot: () => seenOf(actor.getSnapshot()),
      ...(parent === undefined ? {} : { _parent: parent }),
    };
  }

  /** The chart of a machine, without the context that it begins with. */
  #chartOf(logic: AnyActorLogic): object | undefined {
    if (!('config' in logic) || typeof logic.config !== 'object' || logic.config === null) return undefined;
    const { context: _, ...chart } = logic.config as { context?: unknown };
    const known = this.#charts.get(logic.config) ?? chart;
    this.#charts.set(logic.config, known);
    return known;
  }
}
