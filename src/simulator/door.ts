import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Timer } from '../ports.ts';
import type { Fault } from './fault-shapes.ts';
import { meansSocket } from './faults.ts';
import { isLocalRequest } from './guard.ts';
import { routeOf } from './routes.ts';
import { ServerSocket } from './server-socket.ts';
import { Session, type SessionPorts } from './session.ts';
import { retryAfterOf, type WeightMeter } from './weight.ts';

/** Largest message that is read at all, bytes; anything above 4096 is refused anyway. */
const MESSAGE_MAX = 1_048_576;

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

/** A lasting effect on one socket. */
interface Spell {
  readonly session: Session;
  end(): void;
}

/** The WebSocket side: handshakes, the sessions that are open, and the faults that strike them. */
export class Door {
  readonly #ports: DoorPorts;
  readonly #server = new WebSocketServer({
    noServer: true,
    autoPong: false,
    perMessageDeflate: false,
    maxPayload: MESSAGE_MAX,
    WebSocket: ServerSocket,
  });
  readonly #sessions = new Map<number, Session>();
  /** Sockets of handshakes that a fault leaves without an answer. */
  readonly #hanging = new Set<Duplex>();
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

  /** Handles an upgrade request. */
  upgrade(request: IncomingMessage, wire: Duplex, head: Buffer): void {
    const { faults, journal } = this.#ports;
    const path = request.url ?? '/';
    wire.on('error', () => {});
    const log = (status: number): void => journal.add('handshake', { path, status });
    if (!isLocalRequest(request)) {
      log(403);
      refuse(wire, 403);
      return;
    }
    if (faults.take('hangHandshake')) {
      log(0);
      this.#hanging.add(wire);
      wire.once('close', () => this.#hanging.delete(wire));
      return;
    }
    const fault = faults.take('refuse');
    if (fault) {
      const status = fault.status ?? 503;
      log(status);
      if (status === 0) wire.destroy();
      else refuse(wire, status, { 'Retry-After': fault.retryAfter, Location: fault.location });
      return;
    }
    const ban = this.#ports.weight.ban;
    if (ban) {
      log(418);
      refuse(wire, 418, retryAfterOf(ban));
      return;
    }
    const route = routeOf(path);
    if (!route) {
      log(404);
      refuse(wire, 404);
      return;
    }
    this.#server.handleUpgrade(request, wire, head, (socket) => {
      log(101);
      const session = new Session(++this.#numbers, this.#ports, socket as ServerSocket, wire, route);
      this.#sessions.set(session.number, session);
      journal.add('open', { socket: session.number, path });
      socket.once('close', (code: number) => this.#finish(session, code));
      const slam = faults.take('slam');
      if (slam) session.drop(slam.code, '');
      else session.begin();
    });
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
    for (const wire of this.#hanging) wire.destroy();
  }

  close(): void {
    for (const timer of this.#timers) this.#ports.clock.clearTimeout(timer);
    this.relieve();
    for (const session of [...this.#sessions.values()]) {
      session.destroy();
      this.#finish(session, 1006);
    }
    this.#server.close();
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

/** Answers a handshake with an HTTP status and no more. */
function refuse(wire: Duplex, status: number, headers: Record<string, string | undefined> = {}): void {
  const reason = STATUS_CODES[status] ?? 'Refused';
  const lines = Object.entries(headers).map(([name, value]) =>
    value === undefined ? '' : `${name}: ${value}\r\n`,
  );
  wire.end(
    `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Type: text/plain\r\n${lines.join('')}` +
      `Content-Length: ${reason.length}\r\n\r\n${reason}`,
    () => wire.destroy(),
  );
}
