import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Clock } from '../ports.ts';
import type { Handshake, HandshakeRequest } from './door.ts';
import { isLocalRequest } from './guard.ts';
import { ServerSocket } from './server-socket.ts';
import { WsLine } from './ws-line.ts';

type Refused = Extract<Handshake, { kind: 'refused' }>;

/** Largest message that is read at all, bytes; anything above 4096 is refused anyway. */
const MESSAGE_MAX = 1_048_576;

/** Makes lines of the upgrade requests that the exchange accepts. */
export class Upgrades {
  readonly #clock: Clock;
  readonly #decide: (request: HandshakeRequest) => Handshake;
  readonly #server = new WebSocketServer({
    noServer: true,
    autoPong: false,
    perMessageDeflate: false,
    maxPayload: MESSAGE_MAX,
    WebSocket: ServerSocket,
  });

  constructor(clock: Clock, decide: (request: HandshakeRequest) => Handshake) {
    this.#clock = clock;
    this.#decide = decide;
  }

  /** Handles an upgrade request. */
  take(request: IncomingMessage, wire: Duplex, head: Buffer): void {
    wire.on('error', () => {});
    const handshake = this.#decide({ path: request.url ?? '/', isLocal: isLocalRequest(request) });
    switch (handshake.kind) {
      case 'refused':
        refuse(wire, handshake);
        return;
      case 'destroyed':
        wire.destroy();
        return;
      case 'hanging':
        wire.once(
          'close',
          handshake.wait(() => wire.destroy()),
        );
        return;
      case 'accepted':
        this.#server.handleUpgrade(request, wire, head, (socket) => {
          const line = new WsLine(socket as ServerSocket, wire, this.#clock);
          line.tell(handshake.open(line));
        });
    }
  }

  close(): void {
    this.#server.close();
  }
}

/** Answers a handshake with an HTTP status and no more. */
function refuse(wire: Duplex, { status, headers, text }: Refused): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  wire.end(
    `HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Type: text/plain\r\n${lines.join('')}` +
      `Content-Length: ${text.length}\r\n\r\n${text}`,
    () => wire.destroy(),
  );
}
