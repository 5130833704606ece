/**
 * Kline frames straight from their bytes, as long as they are written exactly as the exchange writes them:
 * combined, all keys, in its order, nothing between the tokens but at most one blank behind a comma (its test network writes
 * those). Every byte is looked at, so that nothing is taken here that parsing and checking the whole would refuse or read
 * otherwise. Anything else, which may be good all the same, is for {@link decodeFrame}.
 *
 * Most frames of a stream differ from the one before in some digits and nothing else. So a frame is compared with the last one
 * that was kept, many bytes at once ({@link FramePattern}); only what is of another shape is read byte by byte
 * ({@link KlineText}).
 */
import type { Candle, Series } from '../../machines/model/kline.ts';
import { DecimalReader } from './decimal.ts';
import { candleOf, type KlineFrame } from './frame.ts';
import type { FramePattern } from './frame-pattern.ts';
import { KlineText, TIME } from './kline-text.ts';
import { StreamTable } from './stream-table.ts';
import { readTime, TIME_DIGITS } from './wide.ts';

/** Numbers of decimals in the order of their frame. */
const [O, C, H, L, V, Q, TAKER_V, TAKER_Q] = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/** The last four bytes, `"}}}`, and how many braces they have. */
const END = 0x7d7d_7d22;
const END_BYTES = 4;
const BRACES = 3;

/** No real one is shorter: its times alone have thirteen digits each. */
const BYTES_MIN = 200;
/** No real one is longer, and no decimal in it has so many digits that it would not be finite. */
const BYTES_MAX = 480;
/** Pieces up to this are copied: that costs less than a view of each. A piece with many frames has one view for all. */
const SCRATCH_BYTES = 512;

/**
 * Reads one frame after the other, each into the same fields, which say what the last one was until the next is read. No
 * object is made for a frame.
 */
export class KlineReader<Owner> {
  /** `k.t` and `k.T`, ms. */
  openTime = Number.NaN;
  closeTime = Number.NaN;
  /** `E`, ms. */
  eventTime = Number.NaN;
  /** `k.x`: the bar has closed. */
  closed = false;
  /** `k.n`, trades; Infinity when it is not sound. */
  count = 0;
  /** What was parsed of a frame that was not read here. */
  parsed: KlineFrame | undefined;
  readonly #table = new StreamTable<Owner>();
  readonly #decimals = new DecimalReader();
  readonly #text = new KlineText();
  readonly #scratch = Buffer.alloc(SCRATCH_BYTES);
  readonly #scratchView: DataView = new DataView(
    this.#scratch.buffer,
    this.#scratch.byteOffset,
    SCRATCH_BYTES,
  );
  /** The last piece that was not copied. */
  #piece: Uint8Array = this.#scratch;
  #pieceView = this.#scratchView;
  /** The frame that was read last: where it stands, in parts, and which of them are written as those that were kept. */
  #bytes: Uint8Array = this.#scratch;
  #view = this.#scratchView;
  #pattern: FramePattern<Owner> | undefined;
  #bar = 0;
  #rest = 0;
  #end = 0;
  #isBarKept = false;
  #isRestKept = false;

  /** Frames of this series are read from now on, and are `owner`'s. Once for each series. */
  add(series: Series, owner: Owner): void {
    this.#table.add(series, owner);
  }

  /**
   * Whose the frame is that the bytes from `from` to before `to` are, its fields read; undefined for anything else: parse it.
   * What the piece has besides says nothing.
   */
  read(piece: Uint8Array, from = 0, to = piece.length): Owner | undefined {
    const length = to - from;
    if (length < BYTES_MIN || length > BYTES_MAX || from < 0 || to > piece.length) return undefined;
    let bytes: Uint8Array = this.#scratch;
    let view = this.#scratchView;
    if (piece.length <= SCRATCH_BYTES) this.#scratch.set(piece);
    else {
      if (piece !== this.#piece) {
        this.#piece = piece;
        this.#pieceView = new DataView(piece.buffer, piece.byteOffset, piece.length);
      }
      bytes = piece;
      view = this.#pieceView;
    }
    // Where the braces at the end are sure, nothing reads beyond them: no value has one.
    if (view.getInt32(to - END_BYTES, true) !== END) return undefined;
    const pattern = this.#table.find(view, from);
    if (pattern === undefined) return undefined;
    const text = this.#text;
    const { times } = text;
    const time = from + pattern.headBytes;
    if (!readTime(view, time, times, TIME.event)) return undefined;

    const bar = time + TIME_DIGITS;
    const isBarKept = pattern.isBar(view, bar, to);
    if (!isBarKept && !text.readBar(bytes, view, bar, pattern)) return undefined;
    const rest = isBarKept ? bar + pattern.barBytes : text.end;

    const isRestKept = pattern.isRest(view, rest, to);
    if (!isRestKept && !(text.readRest(bytes, rest) && text.end === to - BRACES)) return undefined;

    this.eventTime = times[TIME.event] as number;
    this.openTime = isBarKept ? pattern.openTime : (times[TIME.open] as number);
    this.closeTime = isBarKept ? pattern.closeTime : (times[TIME.close] as number);
    // One that closes its bar is never kept.
    this.closed = isRestKept ? false : text.closed;
    this.count = isRestKept ? pattern.count : text.count;
    // To store an object costs more than to see that it is there.
    if (this.parsed !== undefined) this.parsed = undefined;
    if (this.#view !== view) {
      this.#view = view;
      this.#bytes = bytes;
    }
    this.#pattern = pattern;
    this.#bar = bar;
    this.#rest = rest;
    this.#end = to;
    this.#isBarKept = isBarKept;
    this.#isRestKept = isRestKept;
    return pattern.owner;
  }

  /**
   * Keeps the frame that was read last, of a forming bar, in memory of its stream: the piece is the socket's. The next one is
   * expected to be written like it.
   */
  keep(): FramePattern<Owner> {
    const pattern = this.#pattern as FramePattern<Owner>;
    const bar = this.#bar;
    const rest = this.#rest;
    if (!this.#isBarKept) pattern.keepBar(this.#view, bar, rest, this.openTime, this.closeTime);
    if (this.#isRestKept) pattern.keepDigits(this.#view, this.#end);
    else pattern.keepRest(this.#bytes, this.#view, rest, this.#end, this.#text);
    return pattern;
  }

  /** Says the same of a frame that was parsed. */
  set(frame: KlineFrame): void {
    const { T: closeTime, n: count } = frame.fields;
    this.openTime = frame.openTime;
    this.closeTime = typeof closeTime === 'number' ? closeTime : Number.NaN;
    this.eventTime = frame.eventTime;
    this.closed = frame.closed;
    this.count = typeof count === 'number' ? count : Number.POSITIVE_INFINITY;
    this.parsed = frame;
  }

  /** Its bar, the numbers the doubles nearest to the text; undefined when a field is not sound. */
  candle({ symbol, interval }: Series): Candle | undefined {
    if (this.parsed !== undefined) return candleOf(this.parsed);
    const bytes = this.#bytes;
    // One object of one shape, as `buildCandle` makes it.
    return {
      symbol,
      interval,
      openTime: this.openTime,
      open: this.#decimal(bytes, O),
      high: this.#decimal(bytes, H),
      low: this.#decimal(bytes, L),
      close: this.#decimal(bytes, C),
      volume: this.#decimal(bytes, V),
      closeTime: this.closeTime,
      quoteVolume: this.#decimal(bytes, Q),
      count: this.count,
      takerBuyVolume: this.#decimal(bytes, TAKER_V),
      takerBuyQuoteVolume: this.#decimal(bytes, TAKER_Q),
      source: 'stream',
    };
  }

  #decimal(bytes: Uint8Array, member: number): number {
    const pattern = this.#pattern as FramePattern<Owner>;
    const start = this.#isRestKept ? pattern.startOf(member) : (this.#text.starts[member] as number);
    return this.#decimals.read(bytes, this.#rest + start, this.#end);
  }
}
