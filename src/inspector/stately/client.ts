import { setImmediate as turn } from 'node:timers';
import type { createInspector, StatelyInspectionEvent } from '@statelyai/inspect';
import type { WebSocket } from 'ws';
import type { AnyActorRef, InspectionEvent } from 'xstate';
import type { Clock, Timer } from '../../ports.ts';
import { type Cast, type Likeness, type Seen, seenOf } from './cast.ts';

/** What waits for a viewer; beyond it is told anew how everything stands. */
const QUEUE_MAX = 10_000;
/** What may lie in a socket, bytes. */
const BUFFERED_MAX = 1_048_576;
/** Messages in one go: each may hold a chart of 30 kB, and the collector has other things to do. */
const SLICE = 16;
/** How long a viewer may take nothing, wall ms. */
const STUCK_MAX_MS = 30_000;

type Piece =
  | { readonly kind: 'actor'; readonly actor: AnyActorRef }
  | { readonly kind: 'state'; readonly actor: AnyActorRef; readonly seen: Seen; readonly event: string }
  | {
      readonly kind: 'event';
      readonly actor: AnyActorRef;
      readonly source: AnyActorRef | undefined;
      readonly event: string;
    };

/**
 * One viewer. It is told of all actors first, each with its chart and state, and then what they do. Of events the type
 * alone, of contexts nothing. As fast as it reads: what it could not take in time is replaced by how everything stands.
 */
export class StatelyClient {
  readonly #socket: WebSocket;
  readonly #cast: Cast;
  readonly #clock: Clock;
  readonly #inspector: ReturnType<typeof createInspector>;
  readonly #introduced = new WeakSet<AnyActorRef>();
  /** How everything stands, as far as it has not been told. */
  #standing: Iterator<AnyActorRef>;
  #queue: Piece[] = [];
  /** Something was left out: how everything stands has to be told again. */
  #isBehind = false;
  /** Whom the package is being told of. */
  #about: Likeness;
  #isPumping = false;
  #stuck: Timer | undefined;

  constructor(socket: WebSocket, cast: Cast, clock: Clock, create: typeof createInspector) {
    this.#socket = socket;
    this.#cast = cast;
    this.#clock = clock;
    this.#inspector = create(
      { send: (event) => this.#send(event, this.#about) },
      { sanitizeContext: () => ({}), sanitizeEvent: ({ type }) => ({ type }) },
    );
    this.#about = cast.of(cast.roots[0] as AnyActorRef);
    this.#standing = cast.living();
    this.#pumpSoon();
  }

  /** In constant time: this is called in the midst of a transition. */
  note(event: InspectionEvent): void {
    const actor = event.actorRef as AnyActorRef;
    if (event.type === '@xstate.actor') this.#enqueue({ kind: 'actor', actor });
    if (event.type === '@xstate.snapshot')
      this.#enqueue({ kind: 'state', actor, seen: seenOf(event.snapshot), event: event.event.type });
    if (event.type === '@xstate.event')
      this.#enqueue({
        kind: 'event',
        actor,
        source: event.sourceRef as AnyActorRef | undefined,
        event: event.event.type,
      });
  }

  close(): void {
    this.#clock.clearTimeout(this.#stuck);
    this.#queue = [];
    this.#socket.close(1001);
  }

  #enqueue(piece: Piece): void {
    if (this.#queue.length >= QUEUE_MAX) {
      this.#queue = [];
      this.#isBehind = true;
    } else {
      this.#queue.push(piece);
    }
    this.#pumpSoon();
  }

  #pumpSoon(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    turn(() => this.#pump());
  }

  #pump(): void {
    this.#isPumping = false;
    if (this.#socket.readyState !== this.#socket.OPEN || this.#stuck !== undefined) return;
    for (let told = 0; told < SLICE; told++) if (!this.#tellNext()) return;
    if (this.#socket.bufferedAmount >= BUFFERED_MAX) this.#waitForRoom();
    else this.#pumpSoon();
  }

  #waitForRoom(): void {
    this.#stuck = this.#clock.setTimeout(() => this.#socket.terminate(), STUCK_MAX_MS);
    // Called when all that was written before has gone.
    this.#socket.ping(undefined, undefined, () => {
      this.#clock.clearTimeout(this.#stuck);
      this.#stuck = undefined;
      this.#pumpSoon();
    });
  }

  /** False when there is nothing to tell. */
  #tellNext(): boolean {
    const standing = this.#standing.next();
    if (standing.done !== true) {
      this.#try(() => this.#introduce(standing.value, true));
      return true;
    }
    if (this.#isBehind) {
      this.#isBehind = false;
      this.#standing = this.#cast.living();
      return true;
    }
    const piece = this.#queue.shift();
    if (piece !== undefined) this.#try(() => this.#tell(piece));
    return piece !== undefined;
  }

  /** What can't be written, as the chart of another system may be, is left out: nobody above this would catch it. */
  #try(tell: () => void): void {
    try {
      tell();
    } catch {
      // What follows is told all the same.
    }
  }

  #tell(piece: Piece): void {
    this.#introduce(piece.actor, false);
    const actor = this.#cast.of(piece.actor);
    this.#about = actor;
    if (piece.kind === 'state') this.#inspector.snapshot(actor, piece.seen, { event: { type: piece.event } });
    if (piece.kind !== 'event') return;
    const source = piece.source === undefined ? {} : { source: this.#cast.of(piece.source) };
    this.#inspector.event(actor, { type: piece.event }, source);
  }

  /** Once with its chart; how it stands to whoever knows it, when that is wanted. */
  #introduce(actor: AnyActorRef, again: boolean): void {
    const likeness = this.#cast.of(actor);
    const seen = likeness.getSnapshot();
    this.#about = likeness;
    if (!this.#introduced.has(actor)) this.#inspector.actor(likeness, seen);
    else if (again) this.#inspector.snapshot(likeness, seen);
    this.#introduced.add(actor);
  }

  #send(event: StatelyInspectionEvent, { id, rootId }: Likeness): void {
    // The package would call all streams alike, by their chart, and knows of no root in what it makes of single calls.
    this.#socket.send(JSON.stringify({ ...event, rootId, ...('name' in event ? { name: id } : {}) }));
  }
}
