/** An HTTP server that no client can exhaust, and that keeps no process alive. */
import { createServer, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../ports.ts';

/** What a client may take. */
export interface Limits {
  /** Until its headers have come, until its request has, until its next one does, ms. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** Until it has taken an answer in whole, ms. */
  readonly answerTimeoutMs: number;
  /** How old a connection may become that is no WebSocket, whatever comes on it, ms. */
  readonly connectionMs: number;
  /** How often the first two are looked at, ms. */
  readonly checkEveryMs: number;
  /** Of a request line and its headers together, bytes. */
  readonly headerBytesMax: number;
  readonly requestsPerSocketMax: number;
  /** All that are no WebSockets together; whoever comes then takes the place of who has been there longest. */
  readonly connectionsMax: number;
}

export const LIMITS: Limits = {
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 5_000,
  keepAliveTimeoutMs: 5_000,
  answerTimeoutMs: 30_000,
  connectionMs: 120_000,
  checkEveryMs: 1_000,
  headerBytesMax: 8_192,
  requestsPerSocketMax: 200,
  connectionsMax: 128,
};

/** A server within these limits that does not listen yet. */
export function boundedServer(limits: Limits): Server {
  const server = createServer({
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    maxHeaderSize: limits.headerBytesMax,
    // Refused with a word of ours.
    requireHostHeader: false,
    // Whoever offers HTTP/2, as Java's client does, is answered as if it had not.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  });
  server.maxRequestsPerSocket = limits.requestsPerSocketMax;
  // Those that give up their place are there until they have closed.
  server.maxConnections = limits.connectionsMax * 2;
  server.on('connection', (socket) => socket.unref());
  // It was told with the last answer that there would be no more.
  server.on('dropRequest', (_, socket) => socket.destroy());
  return server.unref();
}

/**
 * How old connections are. Node's time-outs begin anew with whatever a client says: one that says nothing worth an
 * answer, again and again, would stay for ever. And when all places are taken the oldest gives up its own: an answer
 * takes moments, so who holds out has nothing to lose, and who asks gets in.
 */
export class Ages {
  readonly #clock: Clock;
  readonly #connectionMs: number;
  readonly #connectionsMax: number;
  /** The oldest first. */
  readonly #ends = new Map<Duplex, { timer: Timer; closeAt: number }>();

  /** The clock's timers keep no process alive. */
  constructor(server: Server, clock: Clock, { connectionMs, connectionsMax }: Limits) {
    this.#clock = clock;
    this.#connectionMs = connectionMs;
    this.#connectionsMax = connectionsMax;
    server.on('connection', this.#begin);
  }

  /** Half of its time is over: its next answer is the last, and nobody is cut off. */
  isOld(socket: Duplex): boolean {
    return this.#clock.now() >= (this.#ends.get(socket)?.closeAt ?? 0);
  }

  /** It has become a WebSocket, and is bounded otherwise. */
  release(socket: Duplex): void {
    this.#clock.clearTimeout(this.#ends.get(socket)?.timer);
    this.#ends.delete(socket);
  }

  readonly #begin = (socket: Duplex): void => {
    const [oldest] = this.#ends.keys();
    if (oldest !== undefined && this.#ends.size >= this.#connectionsMax) {
      this.release(oldest);
      oldest.destroy();
    }
    const timer = this.#clock.setTimeout(() => socket.destroy(), this.#connectionMs);
    this.#ends.set(socket, { timer, closeAt: this.#clock.now() + this.#connectionMs / 2 });
    socket.once('close', () => this.release(socket));
  };
}
