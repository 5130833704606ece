import type { Socket as Connection } from 'node:net';
import type { DirectHandlers } from '../ports.ts';

/** First byte of a text message in one frame, and the second of one that has 126 to 65,535 bytes, which no server masks. */
const WHOLE_TEXT = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MASKED = 0x80;
const FINAL = 0x80;
const OPCODE = 0x0f;
const CONTROL = 0x08;

/** What `ws` gets of a piece is copied up to this size, so that nobody needs the piece any more, bytes. */
const COPIED_MAX = 4_096;

type Pass = (this: Connection, piece: Buffer) => void;

/**
 * Takes messages out of what a connection reads before `ws` makes objects of each, of which a kline needs none. Only a
 * message that is a whole frame in the piece just read, and that its reader knows to the last byte, is taken; all other
 * bytes, in their order, go to `ws` as if nobody had looked: control frames, messages in parts or of two pieces, errors.
 * So it remains the one that knows the protocol; here only the borders of frames are known (RFC 6455, 5.2). It says an
 * error one turn of the loop later, so what is whole and known behind one in the same piece is still taken.
 *
 * Then the memory of the piece, 64 KB, is let go of at once, and the next is read into the same: a garbage collector that
 * finds no other garbage would come late, and all reading would be of memory that no cache knows.
 */
export class Shortcut {
  readonly #connection: Connection;
  readonly #handlers: DirectHandlers;
  readonly #isOpen: () => boolean;
  /** How `ws` takes what is read. */
  readonly #pass: Pass;
  /** So many bytes more are of a frame whose beginning `ws` has. */
  #owed = 0;
  /** A message in several frames has begun, and has not ended. */
  #isWithinMessage = false;
  /** The beginning of a frame's header, which is not whole yet: `ws` could at most find an error in it a little earlier. */
  #rest: Buffer | undefined;
  /** `ws` has been given a part of this piece itself, and may keep it. */
  #isShared = false;
  #isOver = false;

  private constructor(connection: Connection, pass: Pass, handlers: DirectHandlers, isOpen: () => boolean) {
    this.#connection = connection;
    this.#pass = pass;
    this.#handlers = handlers;
    this.#isOpen = isOpen;
    connection.off('data', pass);
    connection.on('data', this.#onData);
    // Before `ws` hears of it, which then reads what is left.
    connection.prependOnceListener('close', this.end);
  }

  /**
   * Begins, when `ws` has just begun to read the connection; undefined where it does so in a way that is not known.
   * `isOpen`: `ws` goes on reading.
   */
  static begin(
    connection: Connection | undefined,
    handlers: DirectHandlers,
    isOpen: () => boolean,
  ): Shortcut | undefined {
    const [pass, ...others] = connection?.listeners('data') ?? [];
    if (connection === undefined || pass === undefined || others.length > 0) return undefined;
    return new Shortcut(connection, pass as Pass, handlers, isOpen);
  }

  /** All goes to `ws` from now on. */
  readonly end = (): void => {
    if (this.#isOver || this.#hasEnded()) return;
    this.#leave();
    this.#connection.on('data', this.#pass);
    if (this.#rest !== undefined) this.#pass.call(this.#connection, this.#rest);
    this.#rest = undefined;
  };

  #leave(): void {
    this.#isOver = true;
    this.#connection.off('data', this.#onData);
    this.#connection.off('close', this.end);
  }

  readonly #onData = (read: Buffer): void => {
    if (this.#hasEnded()) return;
    const piece = this.#rest === undefined ? read : Buffer.concat([this.#rest, read]);
    this.#rest = undefined;
    this.#isShared = false;
    this.#handlers.arrived();
    const { length } = piece;
    /** What stands before it has been given away. */
    let given = 0;
    let at = Math.min(this.#owed, length);
    this.#owed -= at;
    while (at < length) {
      const isText = piece[at] === WHOLE_TEXT && piece[at + 1] === LENGTH_16 && at + 4 <= length;
      if (isText && !this.#isWithinMessage) {
        const from = at + 4;
        const to = from + (((piece[at + 2] as number) << 8) | (piece[at + 3] as number));
        // What came before is heard before.
        if (given < at && !this.#give(piece, given, at)) return;
        given = at;
        if (to <= length && this.#handlers.message(piece, from, to)) {
          given = at = to;
          if (!this.#isOver) continue;
          this.#passAll(piece, at);
          return;
        }
      }
      const end = this.#frameEnd(piece, at);
      if (end === undefined) break;
      this.#owed = Math.max(0, end - length);
      at = Math.min(end, length);
    }
    if (given < at && !this.#give(piece, given, at)) return;
    // A copy: what was read is not kept for these few bytes.
    if (at < length) this.#rest = Buffer.from(piece.subarray(at));
    if (!this.#isShared && this.#connection.listenerCount('data') === 1) release(piece);
  };

  /** Gives bytes to `ws`. False when that is the end of this: then nothing is to be taken any more. */
  #give(piece: Buffer, from: number, to: number): boolean {
    const part = piece.subarray(from, to);
    this.#isShared ||= part.length > COPIED_MAX;
    this.#pass.call(this.#connection, this.#isShared ? part : Buffer.from(part));
    if (this.#isOver) {
      this.#passAll(piece, to);
      return false;
    }
    return !this.#hasEnded();
  }

  /** The other side has closed, or broken the protocol: what follows is nobody's. */
  #hasEnded(): boolean {
    if (this.#isOpen()) return false;
    this.#leave();
    return true;
  }

  /** Its user has closed it meanwhile: `ws` reads on until the other side does, which may have been said already. */
  #passAll(piece: Buffer, from: number): void {
    if (from < piece.length && this.#connection.listeners('data').includes(this.#pass))
      this.#pass.call(this.#connection, piece.subarray(from));
  }

  /** Index behind the frame that begins at `at`; undefined when its header is not whole. */
  #frameEnd(piece: Buffer, at: number): number | undefined {
    const left = piece.length - at;
    if (left < 2) return undefined;
    const [first, second] = [piece[at] as number, piece[at + 1] as number];
    const short = second & ~MASKED;
    // With a mask, which no server may use, it would be longer; `ws` reads no further.
    const size = 2 + (short === LENGTH_16 ? 2 : short === LENGTH_64 ? 8 : 0);
    if (left < size) return undefined;
    // Whatever is no control frame begins a message, or goes on with one.
    if ((first & OPCODE) < CONTROL) this.#isWithinMessage = (first & FINAL) === 0;
    const payload =
      short === LENGTH_16
        ? piece.readUInt16BE(at + 2)
        : short === LENGTH_64
          ? Number(piece.readBigUInt64BE(at + 2))
          : short;
    return at + size + payload;
  }
}

/** Lets go of the memory of what was read, if it is nothing else's: a buffer may be a part of a larger one. */
function release({ buffer, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}
