/** The door of `/live`: who may have a WebSocket, and how all of them end. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../../ports.ts';
import { within } from '../../supervisor/within.ts';
import { type Answer, headersOf, NOT_FOUND, refused, text } from './answer.ts';
import { askedOf, pathOf, refusalOf } from './guard.ts';
import type { Hosts } from './hosts.ts';

/** Whom the sockets are given to. */
export interface Clients {
  add(socket: WebSocket): void;
}

/** All that a page says is which series it shows. */
const MESSAGE_BYTES_MAX = 1_024;
export const CLIENTS_MAX = 32;
/** A client that is told to go answers within this, ms, or is cut off. */
const FAREWELL_MS = 250;
const GOING_AWAY = 1001;

export class LiveDoor {
  readonly #server: WebSocketServer;
  readonly #hosts: Hosts;
  readonly #clients: Clients;
  #isEnding = false;

  constructor(hosts: Hosts, clients: Clients) {
    this.#hosts = hosts;
    this.#clients = clients;
    this.#server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: MESSAGE_BYTES_MAX,
    });
  }

  /** WebSockets that are open, or not closed yet. */
  get open(): number {
    return this.#server.clients.size;
  }

  readonly upgrade = (request: IncomingMessage, wire: Duplex, head: Buffer): void => {
    wire.on('error', () => {});
    const refusal = this.#whyNot(request);
    if (refusal !== undefined) {
      refuse(wire, refusal);
      return;
    }
    this.#server.handleUpgrade(request, wire, head, (socket) => {
      // Ends by its `close`, which follows.
      socket.on('error', () => {});
      this.#clients.add(socket);
    });
  };

  #whyNot(request: IncomingMessage): Answer | undefined {
    const refusal = refusalOf(askedOf(request), this.#hosts);
    if (refusal !== undefined) return refused(refusal);
    const [name, ...rest] = pathOf(request.url ?? '') ?? [];
    if (name !== 'live' || rest.length > 0) return NOT_FOUND;
    if (this.#isEnding) return text(503, 'the inspector ends');
    if (this.open >= CLIENTS_MAX) return text(503, `${CLIENTS_MAX} pages are open already: close one`);
    return undefined;
  }

  /** Tells all that this ends, and cuts off who doesn't answer. Resolves when none is left. */
  async close(clock: Clock, timeoutMs: number): Promise<void> {
    this.#isEnding = true;
    const sockets = [...this.#server.clients];
    const gone = sockets.map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    );
    for (const socket of sockets) socket.close(GOING_AWAY, 'the inspector ends');
    await within(Promise.all(gone), Math.min(FAREWELL_MS, timeoutMs), clock);
    for (const socket of this.#server.clients) socket.terminate();
    await Promise.all(gone);
    this.#server.close();
  }
}

/** Answers an upgrade that is not granted, and ends the connection. */
function refuse(wire: Duplex, answer: Answer): void {
  const headers = Object.entries({ ...headersOf(answer), connection: 'close' });
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const status = `${answer.status} ${STATUS_CODES[answer.status]}`;
  wire.end(`HTTP/1.1 ${status}\r\n${lines}\r\n${answer.body}`, () => wire.destroy());
}
