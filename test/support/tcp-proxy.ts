/** A TCP proxy on loopback that misbehaves on command, each direction by itself. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What a direction does with its bytes. */
type Manner =
  | { readonly kind: 'pass' }
  /** Reads and forgets: the sender thinks that all is well. */
  | { readonly kind: 'blackhole' }
  /** Reads no more: the sender's buffers fill. */
  | { readonly kind: 'clog' }
  /** `bytes` at a time, one piece each `everyMs`. */
  | { readonly kind: 'dribble'; readonly bytes: number; readonly everyMs: number }
  /** The n-th chunk is cut in two at its n-th byte, over and over. */
  | { readonly kind: 'split' };

/** Bytes kept for a slow direction before it is no longer read from. */
const KEPT_BYTES = 1_048_576;

/** One direction of one connection. */
export class Lane {
  /** Hears the bytes that are passed on, in order. */
  onBytes: ((bytes: Buffer) => void) | undefined;
  readonly #from: Socket;
  readonly #to: Socket;
  #manner: Manner = { kind: 'pass' };
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #chunks = 0;
  #left = Number.POSITIVE_INFINITY;
  #atEnd: () => void = () => {};

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
  }

  blackhole(): void {
    this.#become({ kind: 'blackhole' });
  }

  clog(): void {
    this.#become({ kind: 'clog' });
    this.#from.pause();
  }

  dribble(bytes: number, everyMs: number): void {
    this.#become({ kind: 'dribble', bytes, everyMs });
  }

  /** At most so many bytes a second. */
  throttle(bytesPerSecond: number): void {
    this.dribble(Math.max(1, Math.round(bytesPerSecond / 50)), 20);
  }

  split(): void {
    this.#become({ kind: 'split' });
  }

  /** Back to passing on; what was kept goes first. */
  free(): void {
    this.#become({ kind: 'pass' });
    this.#from.resume();
  }

  /** Passes `bytes` more, then does `end` and passes nothing any more. */
  after(bytes: number, end: () => void): void {
    this.#left = bytes;
    this.#atEnd = end;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#kept = [];
  }

  #become(manner: Manner): void {
    clearInterval(this.#timer);
    this.#manner = manner;
    if (manner.kind === 'dribble') this.#timer = setInterval(() => this.#drip(manner.bytes), manner.everyMs);
    else if (manner.kind === 'pass' || manner.kind === 'split') this.#drip(Number.POSITIVE_INFINITY);
  }

  #take(bytes: Buffer): void {
    switch (this.#manner.kind) {
      case 'blackhole':
        return;
      case 'pass':
        this.#write(bytes);
        return;
      case 'split': {
        const at = bytes.length < 2 ? 0 : 1 + (this.#chunks++ % (bytes.length - 1));
        this.#write(bytes.subarray(0, at));
        this.#keep(bytes.subarray(at));
        // Its own packet: the other end must have the first part before the second leaves.
        this.#from.pause();
        setImmediate(() => {
          this.#drip(Number.POSITIVE_INFINITY);
          if (this.#manner.kind !== 'clog') this.#from.resume();
        });
        return;
      }
      default:
        this.#keep(bytes);
        if (this.#keptBytes > KEPT_BYTES) this.#from.pause();
    }
  }

  #keep(bytes: Buffer): void {
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
  }

  #drip(count: number): void {
    const all = Buffer.concat(this.#kept);
    const part = all.subarray(0, count);
    const rest = all.subarray(part.length);
    this.#kept = rest.length === 0 ? [] : [rest];
    this.#keptBytes = rest.length;
    if (part.length > 0) this.#write(part);
    if (this.#keptBytes <= KEPT_BYTES && this.#manner.kind === 'dribble') this.#from.resume();
  }

  #write(bytes: Buffer): void {
    if (this.#left <= 0) return;
    const part = bytes.subarray(0, Math.min(bytes.length, this.#left));
    this.#left -= part.length;
    if (this.#to.writable && part.length > 0) {
      this.#to.write(part);
      this.onBytes?.(part);
    }
    // Whole in the hands of the kernel before the connection breaks, else a reset would overtake it.
    if (this.#left <= 0) this.#to.write('', () => setTimeout(this.#atEnd, 5));
  }
}

/** One connection through the proxy. */
export class Link {
  /** From 1, in the order of dialling. */
  readonly number: number;
  readonly toClient: Lane;
  readonly toServer: Lane;
  onEnd: (() => void) | undefined;
  readonly #client: Socket;
  readonly #server: Socket;
  #ended = false;

  constructor(number: number, client: Socket, server: Socket) {
    this.number = number;
    this.#client = client;
    this.#server = server;
    this.toClient = new Lane(server, client);
    this.toServer = new Lane(client, server);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.setNoDelay(true);
      one.on('error', () => {});
      one.on('end', () => other.end());
      one.on('close', () => this.#end());
    }
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  /** Both ends get a RST: for the client ECONNRESET. */
  reset(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
    this.#end();
  }

  /** The client is told that no more comes; the server that its client is gone. */
  fin(): void {
    this.#client.end();
    this.#server.destroy();
  }

  /** Nothing comes through any more in either direction, and nobody is told. */
  blackhole(): void {
    this.toClient.blackhole();
    this.toServer.blackhole();
  }

  /** Neither end is read from any more. */
  clog(): void {
    this.toClient.clog();
    this.toServer.clog();
  }

  free(): void {
    this.toClient.free();
    this.toServer.free();
  }

  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.toClient.stop();
    this.toServer.stop();
    // A client that waits for an answer of a server that is gone, or the other way round, waits no more.
    this.onEnd?.();
    setImmediate(() => {
      this.#client.destroySoon();
      this.#server.destroySoon();
    });
  }
}

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open, oldest first. */
  links(): readonly Link[];
  /** How many there were. */
  dialled(): number;
  /** Called with every new connection before the first byte of it. */
  onLink: ((link: Link) => void) | undefined;
  /** Nobody listens any more: ECONNREFUSED for who dials. What is open stays. */
  refuse(): void;
  /** Listens again, where it did. */
  accept(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a proxy on loopback to a port of loopback. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const links = new Set<Link>();
  const listeners: { onLink: ((link: Link) => void) | undefined } = { onLink: undefined };
  let count = 0;
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true });
    const link = new Link(++count, client, upstream);
    links.add(link);
    client.once('close', () => links.delete(link));
    listeners.onLink?.(link);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const link of links) link.destroy();
    await ended;
  };
  return Object.assign(listeners, {
    port,
    links: () => [...links],
    dialled: () => count,
    refuse: () => void server.close(),
    accept: async () => {
      if (!server.listening) await listen(port);
    },
    close,
    [Symbol.asyncDispose]: close,
  });
}
