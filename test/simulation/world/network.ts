/** A network without a network: what a process sees of the exchange, and what befalls the way to it. */
import type { Clock, HttpClient, OpenSocket, Random } from '../../../src/ports.ts';
import type { ExchangeCore } from '../../../src/simulator/core.ts';
import { Connection } from './connection.ts';
import type { Life } from './life.ts';
import { Path } from './path.ts';
import { createVirtualHttp } from './virtual-http.ts';
import type { WorldClock } from './world-clock.ts';

/** Which sockets: all that are open now, or these, by their numbers at the exchange. */
export type Sockets = 'all' | readonly number[];

/** A process began to open a WebSocket. */
export interface Dial {
  readonly life: Life;
  /** World time, ms. */
  readonly at: number;
}

export interface NetworkOptions {
  readonly exchange: ExchangeCore;
  readonly world: WorldClock;
  readonly random: Random;
}

/** What a process reaches the exchange by. */
export interface NetworkPorts {
  readonly openSocket: OpenSocket;
  createHttpClient(clock: Clock): HttpClient;
}

/** Connects lives with an exchange. What the real transport does with sockets it does in simulated time. */
export class VirtualNetwork {
  /** Every WebSocket that was dialled, in the order of time. */
  readonly dials: Dial[] = [];
  /** HTTP requests that were sent. */
  requests = 0;
  readonly #options: NetworkOptions;
  readonly #path: Path;
  readonly #connections = new Set<Connection>();

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#path = new Path(options.world, options.random);
  }

  /** Each life has its own; when it dies its connections break. */
  portsFor(life: Life): NetworkPorts {
    const path = this.#path;
    const { exchange } = this.#options;
    life.onDeath(() => {
      for (const connection of this.#connections) if (connection.life === life) connection.abandon();
    });
    const onOver = (connection: Connection): void => void this.#connections.delete(connection);
    const onRequest = (): void => {
      this.requests += 1;
    };
    return {
      openSocket: (address, handlers) => {
        this.dials.push({ life, at: path.world.now() });
        const url = new URL(address);
        const connection = new Connection({ life, path, exchange, url, handlers, onOver });
        this.#connections.add(connection);
        return connection.socket;
      },
      createHttpClient: (clock) => createVirtualHttp({ life, path, exchange, clock, onRequest }),
    };
  }

  /** WebSockets that a process has not let go of: dialling, open, or closing. */
  openSockets(life: Life): number {
    if (life.isDead) return 0;
    return [...this.#connections].filter((it) => it.life === life && !it.socket.isOver).length;
  }

  /** Connections of which at least one end is held: none that are over stay behind. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Nothing passes for so long, neither way; then all of it does. */
  clog(sockets: Sockets, forMs: number): void {
    const until = this.#path.world.now() + forMs;
    for (const connection of this.#meant(sockets)) connection.hold(until);
  }

  /** Nothing passes any more, and neither end is told: a way that has forgotten its connections. */
  blackhole(sockets: Sockets): void {
    for (const connection of this.#meant(sockets)) connection.lose();
  }

  /** The way is cut for so long, also for dials and requests; then what was sent arrives, unless it was given up. */
  cutOff(forMs: number): void {
    this.#path.cut(forMs);
    this.clog('all', forMs);
  }

  /** Of all that is sent from now on: at least `ms` in each direction, and up to `jitterMs` more. First 20 and 10. */
  setLatency(ms: number, jitterMs: number): void {
    this.#path.setLatency(ms, jitterMs);
  }

  /** The exchange's name can't be looked up for so long. */
  dnsFails(forMs: number): void {
    this.#path.dnsFails(forMs);
  }

  /** Nobody listens at the exchange's address for so long; what is open stays so. */
  refuseConnections(forMs: number): void {
    this.#path.refuseConnections(forMs);
  }

  /** Ends what lasts; what a clog has held back comes when it would have come. */
  relieve(): void {
    this.#path.relieve();
  }

  #meant(sockets: Sockets): Connection[] {
    const all = [...this.#connections];
    if (sockets === 'all') return all;
    return all.filter(({ number }) => number !== undefined && sockets.includes(number));
  }
}
