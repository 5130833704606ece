import { STATUS_CODES } from 'node:http';
import type { Timer } from '../ports.ts';
import type { Fault } from './fault-shapes.ts';
import { meansSocket } from './faults.ts';
import type { Line } from './line.ts';
import { type Route, routeOf } from './routes.ts';
import { Session, type SessionPorts } from './session.ts';
import { retryAfterOf, type WeightMeter } from './weight.ts';

export interface DoorPorts extends SessionPorts {
  readonly weight: WeightMeter;
}

/** One open socket, as `GET /state` tells it. */
export interface ConnectionState {
  /** Its number as in the log. */
  readonly socket: number;
  /** How many streams it subscribed to. */
  readonly streams: number;
  /** Wall ms since the handshake. */
  readonly ageMs: number;
}

/** A request to open a WebSocket. */
export interface HandshakeRequest {
  /** Path with query. */
  readonly path: string;
  /** Whether it comes from this machine's own programs. */
  readonly isLocal: boolean;
}

/** What becomes of a handshake. */
export type Handshake =
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      /** Body of the answer. */
      readonly text: string;
    }
  /** The connection is broken at once. */
  | { readonly kind: 'destroyed' }
  /** No answer comes. `wait` takes what breaks the connection when the fault ends, and returns how to leave. */
  | { readonly kind: 'hanging'; wait(destroy: () => void): () => void }
  /** `open` begins the session, which from then on is to hear what comes in. */
  | { readonly kind: 'accepted'; open(line: Line): Session };

/** A lasting effect on one socket. */
interface Spell {
  readonly session: Session;
  end(): void;
}

/** The WebSocket side: handshakes, the sessions that are open, and the faults that strike them. */
export class Door {
  readonly #ports: DoorPorts;
  readonly #sessions = new Map<number, Session>();
  /** What breaks the connections of handshakes that a fault leaves without an answer. */
  readonly #hanging = new Set<() => void>();
  /** By kind and socket: a new one replaces the one before. */
  readonly #spells = new Map<string, Spell>();
  readonly #timers = new Set<Timer>();
  #numbers = 0;

  constructor(ports: DoorPorts) {
    this.#ports = ports;
  }

  get open(): number {
    return this.#sessions.size;
  }

  /** The sockets that are open now, oldest first. */
  connections(): ConnectionState[] {
    return Array.from(this.#sessions.values(), (session) => ({
      socket: session.number,
      streams: session.streams,
      ageMs: session.ageMs,
    }));
  }

  /** Decides on a handshake. */
  handshake({ path, isLocal }: HandshakeRequest): Handshake {
    const { faults, journal, weight } = this.#ports;
    const log = (status: number): void => journal.add('handshake', { path, status });
    const refuse = (status: number, headers: Readonly<Record<string, string>> = {}): Handshake => {
      log(status);
      return { kind: 'refused', status, headers, text: STATUS_CODES[status] ?? 'Refused' };
    };
    if (!isLocal) return refuse(403);
    if (faults.take('hangHandshake')) {
      log(0);
      return { kind: 'hanging', wait: (destroy) => this.#hang(destroy) };
    }
    const fault = faults.take('refuse');
    if (fault?.status === 0) {
      log(0);
      return { kind: 'destroyed' };
    }
    if (fault) {
      const { status = 503, retryAfter, location } = fault;
      return refuse(status, {
        ...(retryAfter !== undefined && { 'Retry-After': retryAfter }),
        ...(location !== undefined && { Location: location }),
      });
    }
    const ban = weight.ban;
    if (ban) return refuse(418, retryAfterOf(ban));
    const route = routeOf(path);
    if (!route) return refuse(404);
    return {
      kind: 'accepted',
      open: (line) => {
        log(101);
        return this.#open(path, route, line);
      },
    };
  }

  /** Does what a fault asks of the sockets that are open now; false when the fault is one for later. */
  strike(fault: Fault): boolean {
    const meant = [...this.#sessions.values()].filter(
      (session) => !('sockets' in fault) || meansSocket(fault, session.number),
    );
    switch (fault.kind) {
      case 'drop':
        for (const session of meant) session.drop(fault.code, fault.reason ?? '');
        return true;
      case 'tear':
        for (const session of meant) session.tear(fault.end ?? 'reset');
        return true;
      case 'notice':
        for (const session of meant) session.notice(fault.event ?? 'serverShutdown', fault.closeAfterMs);
        return true;
      case 'malformed':
        if (fault.every !== undefined) return false;
        for (let i = 0; i < (fault.times ?? 1); i++) {
          for (const session of meant) session.garbage(fault.text);
        }
        return true;
      case 'halfOpen':
        for (const session of meant) {
          session.setHalfOpen(true);
          this.#cast(fault, session, () => session.setHalfOpen(false));
        }
        return false;
      case 'dribble':
        for (const session of meant) {
          session.dribble(fault.bytesPerSecond);
          this.#cast(fault, session, () => session.dribble(undefined));
        }
        return false;
      default:
        return false;
    }
  }

  /** Ends the lasting effects of faults on sockets. */
  relieve(): void {
    for (const spell of this.#spells.values()) spell.end();
    this.#spells.clear();
    for (const destroy of this.#hanging) destroy();
  }

  close(): void {
    for (const timer of this.#timers) this.#ports.clock.clearTimeout(timer);
    this.relieve();
    for (const session of [...this.#sessions.values()]) {
      session.destroy();
      this.#finish(session, 1006);
    }
  }

  #hang(destroy: () => void): () => void {
    this.#hanging.add(destroy);
    return () => this.#hanging.delete(destroy);
  }

  #open(path: string, route: Route, line: Line): Session {
    const { journal, faults } = this.#ports;
    const session = new Session(++this.#numbers, this.#ports, line, route, (it, code) =>
      this.#finish(it, code),
    );
    this.#sessions.set(session.number, session);
    journal.add('open', { socket: session.number, path });
    const slam = faults.take('slam');
    if (slam) session.drop(slam.code, '');
    else session.begin();
    return session;
  }

  #finish(session: Session, code: number): void {
    if (!this.#sessions.delete(session.number)) return;
    for (const [key, spell] of this.#spells) if (spell.session === session) this.#spells.delete(key);
    session.finish(code);
  }

  /** Has a lasting effect end with its fault. */
  #cast(fault: { kind: string; forMs?: number | undefined }, session: Session, end: () => void): void {
    const { clock } = this.#ports;
    const key = `${fault.kind} ${session.number}`;
    const spell: Spell = { session, end };
    this.#spells.set(key, spell);
    if (fault.forMs === undefined) return;
    const timer = clock.setTimeout(() => {
      this.#timers.delete(timer);
      if (this.#spells.get(key) !== spell) return;
      this.#spells.delete(key);
      spell.end();
    }, fault.forMs + 1);
    this.#timers.add(timer);
  }
}
