/** The exchange's end of a simulated WebSocket. */
import type { Timer } from '../../../src/ports.ts';
import type { Line, LineEvents } from '../../../src/simulator/line.ts';
import { END, type Frame, OVERHEAD_BYTES } from './frames.ts';
import type { WorldClock } from './world-clock.ts';

/** A client that does not answer the exchange's close frame is cut off, ms: as `ws` does it. */
const CLOSE_MS = 30_000;

/** What the line needs of the two directions. */
export interface LineWire {
  /** Towards the client. */
  push(frame: Frame, bytes: number): void;
  readonly bytes: number;
  setRate(bytesPerSecond: number | undefined): void;
  /** Whether what the client sends stays where it is. */
  setDeaf(isDeaf: boolean): void;
  /** The exchange has let go of it. */
  over(): void;
}

/** A line without a network: what the library `ws` does for the exchange is done here. */
export class VirtualLine implements Line {
  readonly #world: WorldClock;
  readonly #wire: LineWire;
  #events: LineEvents | undefined;
  #state: 'open' | 'closing' | 'over' = 'open';
  /** Code of the client's close frame. */
  #received: number | undefined;
  #bytesMax = Infinity;
  #timer: Timer | undefined;

  constructor(world: WorldClock, wire: LineWire) {
    this.#world = world;
    this.#wire = wire;
  }

  /** From now on these hear what comes in. */
  tell(events: LineEvents): void {
    this.#events = events;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get backlogBytes(): number {
    return this.#wire.bytes;
  }

  send(data: string | Uint8Array): void {
    if (this.#state !== 'open') return;
    const bytes = Buffer.from(data as string);
    this.#wire.push(bytes, bytes.length + OVERHEAD_BYTES);
    if (this.#bytesMax < this.#wire.bytes) this.destroy();
  }

  ping(data: string): void {
    if (this.#state === 'open') this.#wire.push({ kind: 'ping', data: Buffer.from(data) }, OVERHEAD_BYTES);
  }

  pong(data: Uint8Array): void {
    if (this.#state === 'open') this.#wire.push({ kind: 'pong', data: Buffer.from(data) }, OVERHEAD_BYTES);
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#wire.push({ kind: 'close', code, reason }, OVERHEAD_BYTES);
    if (this.#received !== undefined) this.destroy();
    else this.#timer = this.#world.setTimeout(() => this.destroy(), CLOSE_MS);
  }

  destroy(): void {
    if (this.#state === 'over') return;
    this.#wire.push(END, OVERHEAD_BYTES);
    this.#end();
  }

  /** Half a frame is no frame for its reader: only the end is heard. */
  tear(): void {
    this.destroy();
  }

  dribble(bytesPerSecond: number | undefined, bytesMax: number): void {
    this.#bytesMax = bytesPerSecond === undefined ? Infinity : bytesMax;
    this.#wire.setRate(bytesPerSecond);
  }

  setDeaf(isDeaf: boolean): void {
    this.#wire.setDeaf(isDeaf);
  }

  cork(): void {}

  uncork(): void {}

  /** Something of the client has come. */
  take(frame: Frame): void {
    if (this.#state === 'over') return;
    if (Buffer.isBuffer(frame)) {
      if (this.#received === undefined) this.#events?.message(frame);
      return;
    }
    if (frame.kind === 'end') this.#end();
    // Nothing is read behind a close frame.
    else if (this.#received !== undefined) return;
    else if (frame.kind === 'close') this.#takeClose(frame.code);
    else this.#events?.[frame.kind](frame.data);
  }

  #takeClose(code: number): void {
    this.#received = code;
    if (this.#events?.withholdsClose()) return;
    if (this.#state === 'open') this.#wire.push({ kind: 'close', code, reason: '' }, OVERHEAD_BYTES);
    this.destroy();
  }

  #end(): void {
    this.#state = 'over';
    this.#world.clearTimeout(this.#timer);
    this.#wire.over();
    // Never inside of what ended it.
    this.#world.setTimeout(() => this.#events?.closed(this.#received ?? 1006), 0);
  }
}
