import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../ports.ts';

/** What a torn frame would have been. */
const TORN = Buffer.from(
  '{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1770120060012,"s":"BTCUSDT"}}',
);
/** First byte of a text frame that is its message's only one. Source: RFC 6455, 5.2. */
const FIN_TEXT = 0x81;
/** Wall ms after which a connection that should end is destroyed. */
const END_MS = 100;
/** Shortest time between two pieces, wall ms. */
const PIECE_MS = 20;

/** Sends half a frame, and then the connection ends: with a FIN, or with a RST. */
export function tear(wire: Duplex, clock: Clock, end: 'fin' | 'reset'): void {
  const half = Buffer.concat([Buffer.from([FIN_TEXT, TORN.length]), TORN.subarray(0, TORN.length >> 1)]);
  let timer: Timer;
  const over = (): void => {
    clock.clearTimeout(timer);
    if (end === 'reset' && 'resetAndDestroy' in wire) (wire as Socket).resetAndDestroy();
    else wire.destroy();
  };
  timer = clock.setTimeout(over, END_MS);
  if (end === 'fin') wire.end(half);
  else wire.write(half, over);
  wire.once('close', () => clock.clearTimeout(timer));
}

/** Lets what is written to a connection out byte by byte, until it is stopped. */
export class Trickle {
  readonly #wire: Duplex;
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  readonly #bytesMax: number;
  readonly #original: Duplex['write'];
  /** Writes past the hold. */
  readonly #write: (piece: Buffer) => boolean;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #credit = 0;
  #timer: Timer | undefined;

  /** More than `bytesMax` that wait destroy the connection. */
  constructor(wire: Duplex, clock: Clock, bytesPerSecond: number, bytesMax: number) {
    this.#wire = wire;
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#bytesMax = bytesMax;
    this.#original = wire.write;
    this.#write = wire.write.bind(wire);
    wire.write = ((chunk: Uint8Array | string, ...rest: unknown[]): boolean => {
      this.#hold(Buffer.from(chunk as Uint8Array));
      const done = rest.findLast((it) => typeof it === 'function');
      if (done) queueMicrotask(done as () => void);
      return true;
    }) as Duplex['write'];
    wire.once('close', () => this.#end());
    this.#next();
  }

  /** What waits goes out at once, and everything after it too. */
  stop(): void {
    this.#end();
    if (!this.#wire.writable) return;
    for (const chunk of this.#waiting) this.#wire.write(chunk);
    this.#waiting = [];
  }

  #end(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wire.write = this.#original;
  }

  #hold(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bytesMax) this.#wire.destroy();
  }

  #next(): void {
    const ms = Math.max(PIECE_MS, Math.ceil(1000 / this.#bytesPerSecond));
    this.#timer = this.#clock.setTimeout(() => {
      this.#credit += (this.#bytesPerSecond * ms) / 1000;
      this.#let();
      this.#next();
    }, ms);
  }

  /** Lets out what the time that passed allows. */
  #let(): void {
    while (this.#credit >= 1 && this.#waiting[0] !== undefined && this.#wire.writable) {
      const first = this.#waiting[0];
      const piece = first.subarray(0, Math.floor(this.#credit));
      this.#write(piece);
      this.#credit -= piece.length;
      this.#bytes -= piece.length;
      if (piece.length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(piece.length);
    }
    if (this.#waiting.length === 0) this.#credit = 0;
  }
}
