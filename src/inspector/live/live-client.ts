import { WebSocket } from 'ws';
import type { Clock } from '../../ports.ts';
import { readWatch } from './watch-message.ts';

/** A page with more than this on its way to it, bytes, gets nothing more until all of that has gone. */
const BUFFERED_MAX = 1_024 * 1_024;
/** One that stays behind longer than this is dropped, ms. */
const BEHIND_MAX_MS = 30_000;
const PING_INTERVAL_MS = 15_000;
/** A page tells what it shows when somebody clicks: so many messages between two batches are no page's. */
const MESSAGES_MAX = 20;
/** For the answer to our closing frame, ms. */
const GOODBYE_MS = 1_000;

/** One page that looks, by its socket. */
export class LiveClient {
  /** The series that it shows, and up to where it knows its news. */
  series: string | undefined;
  since: number | undefined;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  /** It has missed something, or knows nothing yet: its next message is the whole picture. */
  #needsPicture = true;
  #behindSince: number | undefined;
  #pingedAt: number;
  #hasAnswered = true;
  #messages = 0;
  #leftAt: number | undefined;

  /** `watch` hears the series that it shows from now on, `end` that it has gone. */
  constructor(socket: WebSocket, clock: Clock, on: { watch(series: string | undefined): void; end(): void }) {
    this.#socket = socket;
    this.#clock = clock;
    this.#pingedAt = clock.now();
    socket.on('pong', () => {
      this.#hasAnswered = true;
    });
    socket.on('message', (data, isBinary) => {
      if (this.#leftAt !== undefined) return;
      const message = readWatch(data as Buffer, isBinary);
      this.#messages += 1;
      if (message === undefined || this.#messages > MESSAGES_MAX) this.leave(1008, 'not understood');
      else on.watch(message.series);
    });
    socket.on('error', () => socket.terminate());
    socket.once('close', () => on.end());
  }

  /** It is being told that it is over. */
  get isLeaving(): boolean {
    return this.#leftAt !== undefined;
  }

  /** Its next message is the whole picture, and there is room for it. */
  get wantsPicture(): boolean {
    return this.#needsPicture && !this.isLeaving && this.#socket.bufferedAmount === 0;
  }

  /** Nothing has been missed so far. */
  get wantsNews(): boolean {
    return !this.#needsPicture && !this.isLeaving;
  }

  /** Sends the whole picture: from here on nothing is missing. */
  sendPicture(text: string): void {
    this.#needsPicture = false;
    this.since = undefined;
    this.#send(text);
  }

  /** Sends news; or, to one that is too far behind, nothing more until it gets the whole picture. */
  sendNews(text: string): void {
    if (this.#socket.bufferedAmount > BUFFERED_MAX) this.#needsPicture = true;
    else this.#send(text);
  }

  /** Looks whether it is still there, and keeps up. Ends it otherwise. */
  check(): void {
    const now = this.#clock.now();
    this.#messages = 0;
    if (this.#leftAt !== undefined) {
      if (now - this.#leftAt >= GOODBYE_MS) this.#socket.terminate();
      return;
    }
    const { bufferedAmount } = this.#socket;
    const isBehind = bufferedAmount > BUFFERED_MAX || (this.#needsPicture && bufferedAmount > 0);
    this.#behindSince = isBehind ? (this.#behindSince ?? now) : undefined;
    if (this.#behindSince !== undefined && now - this.#behindSince >= BEHIND_MAX_MS) this.#socket.terminate();
    if (now - this.#pingedAt < PING_INTERVAL_MS) return;
    // A ping waits behind all that was sent before it: who is behind is judged by that.
    if (!this.#hasAnswered && !isBehind) this.#socket.terminate();
    this.#pingedAt = now;
    this.#hasAnswered = false;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  /** Says that it is over. Who does not answer within a second is cut off. */
  leave(code: number, reason: string): void {
    if (this.#leftAt !== undefined) return;
    this.#leftAt = this.#clock.now();
    this.#socket.close(code, reason);
  }

  /** Lets go of the socket at once. */
  terminate(): void {
    this.#socket.terminate();
  }

  #send(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }
}
