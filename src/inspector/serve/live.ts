/** Who may have a WebSocket, and how all of them end. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../../ports.ts';
import { within } from '../../supervisor/within.ts';
import { CLIENTS_MAX } from '../live/hub.ts';
import { MESSAGE_BYTES_MAX } from '../live/watch-message.ts';
import { type Answer, headersOf, NOT_FOUND, refused, text } from './answer.ts';
import { askedOf, pathOf, refusalOf } from './guard.ts';
import type { Hosts } from './hosts.ts';
import type { Ages } from './server.ts';

/** Whom sockets are given to, by the path that was asked for, as `live`. */
export type Doors = Readonly<Record<string, (socket: WebSocket) => void>>;

/** A client that is told to go answers within this, ms, or is cut off: of a short time to close in, within that share. */
const FAREWELL_MS = 250;
const FAREWELL_SHARE = 0.3;

export class LiveSockets {
  readonly #server: WebSocketServer;
  readonly #hosts: Hosts;
  readonly #doors: Doors;
  readonly #ages: Ages;
  #isEnding = false;

  constructor(hosts: Hosts, doors: Doors, ages: Ages) {
    this.#hosts = hosts;
    this.#doors = doors;
    this.#ages = ages;
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
    const door = this.#doorOf(request);
    if (typeof door !== 'function') {
      refuse(wire, door);
      return;
    }
    this.#server.handleUpgrade(request, wire, head, (socket) => {
      // Ends by its `close`, which follows.
      socket.on('error', () => {});
      this.#ages.release(wire);
      door(socket);
    });
  };

  #doorOf(request: IncomingMessage): Doors[string] | Answer {
    const refusal = refusalOf(askedOf(request), this.#hosts);
    if (refusal !== undefined) return refused(refusal);
    const path = pathOf(request.url ?? '')?.join('/') ?? '';
    const door = Object.hasOwn(this.#doors, path) ? this.#doors[path] : undefined;
    if (door === undefined) return NOT_FOUND;
    if (this.#isEnding) return text(503, 'the inspector ends');
    if (this.open >= CLIENTS_MAX) return text(503, `${CLIENTS_MAX} pages are open already: close one`);
    return door;
  }

  /** All have been told that this ends: cuts off who doesn't answer. Resolves when none is left. */
  async close(clock: Clock, timeoutMs: number): Promise<void> {
    this.#isEnding = true;
    const sockets = [...this.#server.clients];
    const gone = sockets.map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    );
    await within(Promise.all(gone), Math.min(FAREWELL_MS, timeoutMs * FAREWELL_SHARE), clock);
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
