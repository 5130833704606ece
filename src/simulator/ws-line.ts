import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Clock } from '../ports.ts';
import type { Line, LineEvents } from './line.ts';
import type { ServerSocket } from './server-socket.ts';
import { Trickle, tear } from './wire.ts';

/** A line over a real connection. */
export class WsLine implements Line {
  readonly #socket: ServerSocket;
  readonly #wire: Duplex;
  readonly #clock: Clock;
  #trickle: Trickle | undefined;

  constructor(socket: ServerSocket, wire: Duplex, clock: Clock) {
    this.#socket = socket;
    this.#wire = wire;
    this.#clock = clock;
    socket.on('error', () => {});
  }

  /** From now on these hear what comes in. */
  tell(events: LineEvents): void {
    const socket = this.#socket;
    socket.withholdClose = () => events.withholdsClose();
    socket.on('message', (data: Buffer) => events.message(data));
    socket.on('ping', (data: Buffer) => events.ping(data));
    socket.on('pong', (data: Buffer) => events.pong(data));
    socket.once('close', (code: number) => events.closed(code));
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  get backlogBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: string | Uint8Array): void {
    this.#socket.send(data);
  }

  ping(data: string): void {
    this.#socket.ping(data);
  }

  pong(data: Uint8Array): void {
    this.#socket.pong(data);
  }

  close(code: number, reason: string): void {
    this.#socket.end(code, reason);
  }

  destroy(): void {
    this.#wire.destroy();
    this.#socket.terminate();
  }

  tear(end: 'fin' | 'reset'): void {
    tear(this.#wire, this.#clock, end);
  }

  dribble(bytesPerSecond: number | undefined, bytesMax: number): void {
    this.#trickle?.stop();
    this.#trickle =
      bytesPerSecond === undefined
        ? undefined
        : new Trickle(this.#wire, this.#clock, bytesPerSecond, bytesMax);
  }

  setDeaf(isDeaf: boolean): void {
    if (isDeaf) this.#socket.pause();
    else this.#socket.resume();
  }

  cork(): void {
    this.#wire.cork();
  }

  uncork(): void {
    this.#wire.uncork();
  }
}
