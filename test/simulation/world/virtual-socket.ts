/** A process's end of a simulated WebSocket. */
import { LIMITS } from '../../../src/binance/venue.ts';
import type { Clock, Socket, SocketEnd, SocketHandlers, Timer } from '../../../src/ports.ts';
import { type DialAnswer, END, type Frame, netError, OVERHEAD_BYTES } from './frames.ts';

/** As `src/transport/socket.ts` sets them, ms. */
const HANDSHAKE_MS = 30_000;
const CLOSE_MS = 10_000;
/** Characters of the body of a refusal that are read. */
const REFUSAL_BODY_MAX = 4_096;
const NOTHING = Buffer.alloc(0);

/** What the socket needs of the two directions. */
export interface SocketWire {
  /** Towards the exchange. */
  push(frame: Frame, bytes: number): void;
  /** Has it happen soon, when the process runs. */
  soon(callback: () => void): void;
  /** The process has let go of it. */
  over(): void;
}

/** What `src/transport/socket.ts` and the library `ws` do, without a network. */
export class VirtualSocket implements Socket {
  readonly #clock: Clock;
  readonly #wire: SocketWire;
  readonly #handlers: SocketHandlers;
  #state: 'dialling' | 'open' | 'closing' | 'over' = 'dialling';
  /** What the exchange's close frame said. */
  #received: { readonly code: number; readonly reason: string } | undefined;
  #failure: Error | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, wire: SocketWire, handlers: SocketHandlers) {
    this.#clock = clock;
    this.#wire = wire;
    this.#handlers = handlers;
    this.#timer = clock.setTimeout(() => {
      this.#fail(new Error('Opening handshake has timed out'));
    }, HANDSHAKE_MS);
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  send(text: string): void {
    if (this.#state !== 'open') return;
    const bytes = Buffer.from(text);
    this.#wire.push(bytes, bytes.length + OVERHEAD_BYTES);
  }

  ping(): void {
    if (this.#state === 'open') this.#wire.push({ kind: 'ping', data: NOTHING }, OVERHEAD_BYTES);
  }

  close(): void {
    if (this.#state === 'open') this.#sendClose(1000);
    if (this.#state !== 'dialling') return;
    this.#state = 'closing';
    const error = new Error('WebSocket was closed before the connection was established');
    this.#wire.soon(() => this.#fail(error));
  }

  terminate(): void {
    if (this.#state === 'over') return;
    this.#wire.push(END, OVERHEAD_BYTES);
    this.#end();
  }

  /** The answer to the dial has come. */
  answered(answer: DialAnswer): void {
    if (this.#state !== 'dialling') return;
    this.#disarm();
    if (answer.kind === 'failed') this.#fail(answer.error);
    else if (answer.kind === 'refused') this.#refused(answer);
    else {
      this.#state = 'open';
      this.#handlers.opened();
    }
  }

  /** Something of the exchange has come. */
  take(frame: Frame): void {
    if (this.#state === 'over') return;
    if (Buffer.isBuffer(frame)) this.#takeMessage(frame);
    else this.#takeControl(frame);
  }

  #takeControl(frame: Exclude<Frame, Buffer>): void {
    if (frame.kind === 'end') {
      this.#finish();
      return;
    }
    // Nothing is read behind a close frame, nor behind a frame that is too large.
    if (this.#received !== undefined || this.#failure !== undefined) return;
    if (frame.kind === 'close') {
      this.#received = frame;
      if (this.#state === 'open') this.#sendClose(frame.code);
      return;
    }
    if (frame.kind === 'ping' && this.#state === 'open')
      this.#wire.push({ kind: 'pong', data: frame.data }, OVERHEAD_BYTES);
    this.#handlers.heard();
  }

  #takeMessage(data: Buffer): void {
    if (this.#received !== undefined || this.#failure !== undefined) return;
    if (data.length <= LIMITS.frameBytesMax) {
      this.#handlers.message(data);
      return;
    }
    this.#failure = new RangeError('Max payload size exceeded');
    if (this.#state === 'open') this.#sendClose(1009);
  }

  #sendClose(code: number): void {
    this.#state = 'closing';
    this.#wire.push({ kind: 'close', code, reason: '' }, OVERHEAD_BYTES);
    this.#timer = this.#clock.setTimeout(() => {
      this.#wire.push(END, OVERHEAD_BYTES);
      this.#finish();
    }, CLOSE_MS);
  }

  #refused({ status, headers: all, text }: Extract<DialAnswer, { kind: 'refused' }>): void {
    const headers = new Headers(all);
    const retryAfter = headers.get('retry-after');
    const date = headers.get('date');
    const isLimit = status === 418 || status === 429;
    this.#finish({
      code: 1006,
      reason: `handshake answered with HTTP ${status}`,
      status,
      ...(retryAfter !== null && { retryAfter }),
      ...(date !== null && { date }),
      ...(isLimit && text !== '' && { text: text.slice(0, REFUSAL_BODY_MAX) }),
    });
  }

  /** It never opened. */
  #fail(cause: Error): void {
    if (this.#state === 'over') return;
    this.#wire.push(END, OVERHEAD_BYTES);
    this.#finish({ code: 1006, reason: cause.message, cause });
  }

  #finish(end?: SocketEnd): void {
    const { code = 1006, reason = this.#failure?.message ?? '' } = this.#received ?? {};
    this.#end();
    this.#handlers.closed(end ?? { code, reason, ...(this.#failure && { cause: this.#failure }) });
  }

  #end(): void {
    this.#state = 'over';
    this.#disarm();
    this.#wire.over();
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** A connection that ended before the handshake was answered. */
export const hangUp = (): Error => netError('ECONNRESET', 'socket hang up');
