/** How the frames of one stream are written: how all of them begin, and how the one that was kept last goes on. */
import type { Series } from '../../machines/model/kline.ts';
import type { KlineText } from './kline-text.ts';
import {
  BLOCK,
  doublesFor,
  isShape,
  isText,
  keepDigits,
  keepShape,
  keepText,
  readShort,
  SHORT_DIGITS,
} from './wide.ts';

/** The longest bar that is kept, beside the two symbols in it, bytes: four blanks, and trades numbered with fifteen digits. */
const BAR_BYTES = 112;
/** The longest rest that is kept in blocks, bytes. */
const REST_BYTES = 240;
const REST_DOUBLES = REST_BYTES / 8;
const STARTS_DOUBLES = 5;
const TIMES_DOUBLES = 2;
/** Memory of patterns comes in pieces of so many bytes. */
const CHUNK_BYTES = 65_536;
const MINUS = 0x2d;
const ZERO = 0x30;

/** Memory for the patterns of all streams: what one has lies together, and is no object. */
export class PatternRoom {
  doubles = new Float64Array(0);
  /** The same memory: two integers at the place of each double. */
  ints = new Int32Array(0);
  #free = 0;

  /** Index in `doubles` of room for so many. */
  take(doubles: number): number {
    if (this.#free + doubles > this.doubles.length) {
      const chunk = new ArrayBuffer(CHUNK_BYTES);
      this.doubles = new Float64Array(chunk);
      this.ints = new Int32Array(chunk);
      this.#free = 0;
    }
    const at = this.#free;
    this.#free += doubles;
    return at;
  }
}

/** `"i":"1m"`, once for all streams. */
const intervalTexts = new Map<string, Uint8Array>();
function intervalText(interval: string): Uint8Array {
  const text = intervalTexts.get(interval) ?? Buffer.from(`"i":"${interval}"`);
  intervalTexts.set(interval, text);
  return text;
}

/**
 * A frame has four parts. Its head, up to the event's time, is the same in all frames of the stream. The time is read. Its bar,
 * from there to before the number of the last trade, is the same in all frames of one bar. The rest are numbers: their digits
 * change, and now and then how many there are.
 */
export class FramePattern<Owner> {
  readonly owner: Owner;
  /** By which it is found, and another that is found there. */
  readonly hash: number;
  next: FramePattern<Owner> | undefined;
  /** Of the head: `{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":` */
  readonly headBytes: number;
  /** Of the bar that was kept; 0 before any, and for one that was too long. */
  barBytes = 0;
  /** The trades in the rest that {@link isRest} looked at last. */
  count = 0;
  /** Of the rest that was kept; 0 as for the bar. And of the blocks that it lies at the end of. */
  #restBytes = 0;
  #blocksBytes = 0;
  /** Where the count in it ends, from its beginning, and of how many digits it was. */
  #countEnd = 0;
  #countDigits = 0;
  /** Where in these are: the head; the times and the text of the bar; texts and masks of the rest, and where decimals begin. */
  readonly #doubles: Float64Array;
  readonly #ints: Int32Array;
  readonly #head: number;
  readonly #times: number;
  readonly #bar: number;
  readonly #texts: number;
  readonly #masks: number;
  readonly #starts: number;
  /** A rest that is not in blocks. */
  #longRest: string | undefined;
  /** What its bars have in them: `,"s":"BTCUSDT","k":{"t":`, of how many bytes the symbol is, and `"i":"1m"`. */
  readonly middle: Uint8Array;
  readonly symbolBytes: number;
  readonly interval: Uint8Array;

  constructor({ symbol, interval }: Series, head: DataView, hash: number, owner: Owner, room: PatternRoom) {
    this.owner = owner;
    this.hash = hash;
    this.headBytes = head.byteLength;
    this.middle = Buffer.from(`,"s":"${symbol}","k":{"t":`);
    this.symbolBytes = Buffer.byteLength(symbol);
    this.interval = intervalText(interval);
    const headDoubles = doublesFor(this.headBytes);
    const barDoubles = doublesFor(this.#barBytesMax);
    this.#head = room.take(headDoubles + TIMES_DOUBLES + barDoubles + 2 * REST_DOUBLES + STARTS_DOUBLES);
    this.#doubles = room.doubles;
    this.#ints = room.ints;
    this.#times = this.#head + headDoubles;
    this.#bar = this.#times + TIMES_DOUBLES;
    this.#texts = 2 * (this.#bar + barDoubles);
    this.#masks = this.#texts + 2 * REST_DOUBLES;
    this.#starts = this.#masks + 2 * REST_DOUBLES;
    keepText(head, 0, this.headBytes, this.#doubles, this.#head);
  }

  get #barBytesMax(): number {
    return BAR_BYTES + 2 * this.symbolBytes;
  }

  /** Of the bar that was kept, ms. */
  get openTime(): number {
    return this.#doubles[this.#times] as number;
  }
  get closeTime(): number {
    return this.#doubles[this.#times + 1] as number;
  }

  /** Where the decimal of that number begins, from the beginning of the rest that was kept. */
  startOf(member: number): number {
    return this.#ints[this.#starts + member] as number;
  }

  /** Whether the frame at `at` begins like those of this stream. */
  isHead(view: DataView, at: number): boolean {
    return isText(view, at, this.headBytes, this.#doubles, this.#head);
  }

  /** Whether the bar at `at`, in a frame that ends before `to`, is the one that was kept. */
  isBar(view: DataView, at: number, to: number): boolean {
    const { barBytes } = this;
    return barBytes > 0 && at + barBytes < to && isText(view, at, barBytes, this.#doubles, this.#bar);
  }

  /** Whether the rest from `at` to before `to` is written like the one that was kept; its count is read. */
  isRest(view: DataView, at: number, to: number): boolean {
    if (to - at !== this.#restBytes) return false;
    if (!isShape(view, to - this.#blocksBytes, to, this.#ints, this.#texts, this.#masks)) return false;
    // Decimals may begin with a zero, whole numbers may not; a zero itself is left to who looks closer.
    const digits = this.#countDigits;
    const countEnd = at + this.#countEnd;
    if (view.getUint8(at) === ZERO || view.getUint8(countEnd - digits) === ZERO) return false;
    this.count = readShort(view, countEnd, digits);
    return true;
  }

  /** Keeps the bar from `at` to before `to`. */
  keepBar(view: DataView, at: number, to: number, openTime: number, closeTime: number): void {
    const size = to - at;
    this.#doubles[this.#times] = openTime;
    this.#doubles[this.#times + 1] = closeTime;
    this.barBytes = size <= this.#barBytesMax ? size : 0;
    if (this.barBytes > 0) keepText(view, at, size, this.#doubles, this.#bar);
  }

  /** Keeps the rest from `at` to before `to`, which `text` has read. */
  keepRest(bytes: Uint8Array, view: DataView, at: number, to: number, text: KlineText): void {
    const size = to - at;
    const blocksBytes = Math.ceil(size / BLOCK) * BLOCK;
    const fits = blocksBytes <= REST_BYTES && text.countDigits <= SHORT_DIGITS;
    // What closes a bar is no pattern: a frame like the one in the blocks is one of a forming bar. Nor is one whose last trade
    // has a negative number, which is one without trades: nobody would see a zero behind the sign.
    const isPattern = fits && !text.closed && bytes[at] !== MINUS;
    this.#restBytes = isPattern ? size : 0;
    this.#longRest = isPattern ? undefined : Buffer.from(bytes.subarray(at, to)).toString('latin1');
    if (!isPattern) return;
    this.#blocksBytes = blocksBytes;
    this.#countEnd = text.countEnd - at;
    this.#countDigits = text.countDigits;
    this.#ints.set(text.starts, this.#starts);
    keepShape(view, to - blocksBytes, to, this.#ints, this.#masks);
    this.keepDigits(view, to);
  }

  /** Keeps the rest that ends before `to`, which is written like the one that was kept. */
  keepDigits(view: DataView, to: number): void {
    keepDigits(view, to - this.#blocksBytes, to, this.#doubles, this.#texts / 2);
  }

  /** Members of `k` of the frame that was kept: times, and all from the number of the last trade on. */
  get fields(): Readonly<Record<string, unknown>> {
    const { openTime: t, closeTime: T } = this;
    const rest = this.#longRest ?? this.#restText;
    const braces = 2;
    return { t, T, ...(JSON.parse(`{"L":${rest.slice(0, -braces)}`) as Record<string, unknown>) };
  }

  get #restText(): string {
    const end = 4 * this.#texts + this.#blocksBytes;
    return Buffer.from(this.#doubles.buffer, end - this.#restBytes, this.#restBytes).toString('latin1');
  }
}
