import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { CandlestateError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { systemClock } from '../transport/clock.ts';
import type { Check, Component, ComponentEnd, StartContext } from './component.ts';

/** Where a server listens, and how it takes part in an application. */
export interface HttpServerComponentOptions {
  /** Default `http`. */
  readonly name?: string;
  /** 0: a free one; `server.address()` tells which. */
  readonly port: number;
  /** Default `127.0.0.1`: nobody but this machine. */
  readonly host?: string;
  readonly dependsOn?: readonly string[];
  readonly deadlineMs?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** What running requests get of the time of a stop; the rest is for cutting them off. */
const REQUESTS_SHARE = 0.5;

/**
 * An HTTP server as a part of an application. Its start listens. Its stop takes no connection any more, ends at once
 * those that no request runs on (kept alive, still sending their first one, or taken over by an `upgrade`: whoever has
 * them depends on the server and has stopped before), and lets requests that run be answered for half of its time;
 * then it cuts them off. Checks `connections`: none is left.
 *
 * Its start rejects with a `CandlestateError`, code `HTTP_LISTEN`, that names the port.
 */
export function httpServerComponent(server: Server, options: HttpServerComponentOptions): Component {
  const { name = 'http', port, host = '127.0.0.1', clock = systemClock, ...rest } = options;
  const connections = new Connections();
  let unwatch = (): void => {};
  return {
    name,
    ...rest,
    async start(signal, context) {
      connections.follow(server);
      try {
        await listen(server, port, host, signal);
      } catch (error) {
        connections.unfollow(server);
        throw error;
      }
      unwatch = watch(server, context);
    },
    async stop(signal, { timeoutMs }): Promise<ComponentEnd> {
      unwatch();
      const cutOff = (): void => connections.cutOff();
      const timer = clock.setTimeout(cutOff, timeoutMs * REQUESTS_SHARE);
      signal.addEventListener('abort', cutOff, { once: true });
      const closed = close(server);
      connections.endIdle();
      // The server says so as soon as no descriptor is left, a little before the sockets do.
      await Promise.all([closed, connections.gone()]);
      // Now it lets go of what it watches its connections with.
      server.close();
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', cutOff);
      connections.unfollow(server);
      return connections.cut > 0 ? { notes: { 'cut off': connections.cut } } : {};
    },
    verify: () => [connectionsOf(connections, server)],
  };
}

/** The sockets of a server, and which of them a request runs on. */
class Connections {
  /** Requests that run, by socket. */
  readonly #running = new Map<Socket, number>();
  #isEnding = false;
  /** Connections that had to be cut off in the last stop. */
  cut = 0;

  get size(): number {
    return this.#running.size;
  }

  follow(server: Server): void {
    this.#isEnding = false;
    this.cut = 0;
    server.on('connection', this.#onConnection);
    server.on('secureConnection', this.#onSecure);
    server.prependListener('request', this.#onRequest);
  }

  unfollow(server: Server): void {
    server.off('connection', this.#onConnection);
    server.off('secureConnection', this.#onSecure);
    server.off('request', this.#onRequest);
  }

  /** Ends what no request runs on now, and the others as soon as theirs are answered. */
  endIdle(): void {
    this.#isEnding = true;
    for (const [socket, running] of this.#running) if (running === 0) socket.destroy();
  }

  /** Resolves when none is left. */
  async gone(): Promise<void> {
    const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));
    await Promise.all([...this.#running.keys()].map(closed));
  }

  cutOff(): void {
    for (const socket of this.#running.keys()) {
      this.cut += 1;
      socket.destroy();
    }
  }

  readonly #onConnection = (socket: Socket): void => {
    this.#running.set(socket, 0);
    socket.once('close', () => this.#running.delete(socket));
  };

  /** Of an HTTPS server: from now on this one stands for the socket under it, on which no request will be seen. */
  readonly #onSecure = (secure: Socket): void => {
    for (const socket of this.#running.keys())
      if (socket.remotePort === secure.remotePort && socket.remoteAddress === secure.remoteAddress)
        this.#running.delete(socket);
    this.#onConnection(secure);
  };

  readonly #onRequest = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    this.#count(socket, 1);
    response.once('close', () => {
      this.#count(socket, -1);
      // What was written of the answer still goes out.
      if (this.#isEnding && this.#running.get(socket) === 0) socket.destroySoon();
    });
  };

  #count(socket: Socket, change: number): void {
    const running = this.#running.get(socket);
    if (running !== undefined) this.#running.set(socket, running + change);
  }
}

function listen(server: Server, port: number, host: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const settle = (): void => {
      server.off('error', onError);
      server.off('listening', onListening);
      signal.removeEventListener('abort', onAbort);
    };
    const onError = (error: NodeJS.ErrnoException): void => {
      settle();
      reject(refusal(error, port, host));
    };
    const onListening = (): void => {
      settle();
      resolve();
    };
    const onAbort = (): void => {
      settle();
      reject(signal.reason);
    };
    server.once('error', onError);
    server.once('listening', onListening);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      server.listen(port, host);
    } catch (error) {
      // What is no port, or a server that listens already.
      onError(error as NodeJS.ErrnoException);
    }
  });
}

function refusal(error: NodeJS.ErrnoException, port: number, host: string): CandlestateError {
  const why =
    error.code === 'EADDRINUSE'
      ? 'is taken by another program; stop it or choose another port'
      : `cannot be listened on: ${error.message}`;
  return new CandlestateError(`port ${port} on ${host} ${why}`, { code: 'HTTP_LISTEN', cause: error });
}

/** Tells when it closes and nobody here has asked it to, and with what; returns how to end that. */
function watch(server: Server, { ended }: StartContext): () => void {
  const onClose = (): void => ended();
  const onError = (error: Error): void => ended(error);
  server.once('close', onClose);
  server.on('error', onError);
  return () => {
    server.off('close', onClose);
    server.off('error', onError);
  };
}

/**
 * Takes no connection any more; resolves when none is left, at once when it did not listen. Not as an HTTP server does
 * it: that one would cut off answers that are written and not yet on their way.
 */
const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });

function connectionsOf(connections: Connections, server: Server): Check {
  if (connections.size === 0 && !server.listening) return { name: 'connections', outcome: 'ok' };
  const detail = server.listening ? 'the server still listens' : `${connections.size} are left`;
  return { name: 'connections', outcome: 'failed', detail };
}
