import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Timer } from '../ports.ts';
import type { Fault } from './faults.ts';
import { isLocalRequest } from './guard.ts';
import { routeOf } from './routes.ts';
import { ServerSocket, Session, type SessionPorts } from './session.ts';

/** Largest message that is read at all, bytes; anything above 4096 is refused anyway. */
const MESSAGE_MAX = 1_048_576;

/** The WebSocket side: handshakes, the sessions that are open, and the faults that strike them. */
export class Door {
  readonly #ports: SessionPorts;
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
  /** Half-open sessions and when they wake, monotonic wall ms. */
  readonly #half = new Map<Session, number>();
  readonly #timers = new Set<Timer>();
  #numbers = 0;

  constructor(ports: SessionPorts) {
    this.#ports = ports;
  }

  get open(): number {
    return this.#sessions.size;
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
      else refuse(wire, status, fault.retryAfter === undefined ? '' : `Retry-After: ${fault.retryAfter}\r\n`);
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
      session.begin();
    });
  }

  /** Does what a fault asks of the sockets that are open now; false when the fault is one for later. */
  strike(fault: Fault): boolean {
    const { clock } = this.#ports;
    switch (fault.kind) {
      case 'drop':
        for (const session of [...this.#sessions.values()]) {
          const meant = typeof fault.sockets === 'number' ? fault.sockets === session.number : true;
          if (meant) session.drop(fault.code, fault.reason ?? '');
        }
        return true;
      case 'malformed':
        if (fault.every !== undefined) return false;
        for (let i = 0; i < (fault.times ?? 1); i++) {
          for (const session of this.#sessions.values()) session.garbage(fault.text);
        }
        return true;
      case 'halfOpen':
        for (const session of this.#sessions.values()) {
          session.setHalfOpen(true);
          this.#half.set(session, clock.now() + (fault.forMs ?? Infinity));
        }
        if (fault.forMs !== undefined) this.#endLater(fault.forMs);
        return false;
      default:
        return false;
    }
  }

  /** Ends the lasting effects of faults on sockets. */
  relieve(): void {
    for (const session of this.#half.keys()) session.setHalfOpen(false);
    this.#half.clear();
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
    this.#half.delete(session);
    session.finish(code);
  }

  /** Wakes the half-open sockets whose time is over. */
  #endLater(delayMs: number): void {
    const { clock } = this.#ports;
    const timer = clock.setTimeout(() => {
      this.#timers.delete(timer);
      for (const [session, until] of this.#half) {
        if (until > clock.now()) continue;
        session.setHalfOpen(false);
        this.#half.delete(session);
      }
    }, delayMs + 1);
    this.#timers.add(timer);
  }
}

/** Answers a handshake with an HTTP status and no more. */
function refuse(wire: Duplex, status: number, headers = ''): void {
  const reason = STATUS_CODES[status] ?? 'Refused';
  wire.end(
    `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Type: text/plain\r\n${headers}` +
      `Content-Length: ${reason.length}\r\n\r\n${reason}`,
    () => wire.destroy(),
  );
}
