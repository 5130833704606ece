/**
 * Kline frames straight from their bytes, as long as they are written exactly as the exchange writes them:
 * combined, all keys, in its order, nothing between the tokens but at most one blank behind a comma (its test network writes
 * those). Every byte is looked at, so that nothing is taken here that parsing and checking the whole would refuse or read
 * otherwise. Anything else, which may be good all the same, is for {@link decodeFrame}.
 */
import type { Candle, Series } from '../../machines/model/kline.ts';
import { DecimalReader } from './decimal.ts';
import { candleOf, type KlineFrame } from './frame.ts';
import { hashOn, type StreamEntry, StreamTable } from './stream-table.ts';

const BLANK = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const LETTER_T = 0x74;
const CLOSE = 0x7d;

const WHOLE = 0;
const SIGNED = 1;
const DECIMAL = 2;
const FLAG = 3;
const SYMBOL = 4;
const INTERVAL = 5;

/** The members of `k` in their order. Source: recordings of 2021 and 2026. */
const MEMBERS = [
  ['t', WHOLE],
  ['T', WHOLE],
  ['s', SYMBOL],
  ['i', INTERVAL],
  ['f', SIGNED],
  ['L', SIGNED],
  ['o', DECIMAL],
  ['c', DECIMAL],
  ['h', DECIMAL],
  ['l', DECIMAL],
  ['v', DECIMAL],
  ['n', WHOLE],
  ['x', FLAG],
  ['q', DECIMAL],
  ['V', DECIMAL],
  ['Q', DECIMAL],
  ['B', DECIMAL],
] as const;
const KEYS = Uint8Array.from(MEMBERS, ([key]) => key.charCodeAt(0));
const KINDS = Uint8Array.from(MEMBERS, ([, kind]) => kind);
const COUNT = MEMBERS.length;
const indexOf = (wanted: (typeof MEMBERS)[number][0]): number => MEMBERS.findIndex(([key]) => key === wanted);
const [T_OPEN, T_CLOSE, N, X] = [indexOf('t'), indexOf('T'), indexOf('n'), indexOf('x')] as const;
const [O, H, L, C] = [indexOf('o'), indexOf('h'), indexOf('l'), indexOf('c')] as const;
const [V, Q, TAKER_V, TAKER_Q] = [indexOf('v'), indexOf('q'), indexOf('V'), indexOf('Q')] as const;

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const HEAD = ascii('{"stream":"');
const DATA = ascii('"data":{"e":"kline"');
const EVENT_TIME = ascii('"E":');
const EVENT_SYMBOL = ascii('"s":');
const BAR = ascii('"k":{');
const TRUE = ascii('true');
const FALSE = ascii('false');

/** A frame of the shortest name and the shortest values is longer. */
const BYTES_MIN = 200;
/** No real one is longer, and no decimal in it has so many digits that it would not be finite. */
const BYTES_MAX = 512;
/** More digits than this may not be exact. */
const DIGITS_MAX = 15;

/** Index behind `expected` where that stands at `at`; 0, where nothing of a frame stands but its first brace, if not. */
function behind(bytes: Uint8Array, at: number, expected: Uint8Array): number {
  const { length } = expected;
  for (let index = 0; index < length; index++) if (bytes[at + index] !== expected[index]) return 0;
  return at + length;
}

/** Index behind the comma that stands at `at`, and behind the blank that may follow; 0 if there is none. */
const behindComma = (bytes: Uint8Array, at: number): number =>
  bytes[at] !== COMMA ? 0 : bytes[at + 1] === BLANK ? at + 2 : at + 1;

/** Where nothing has been read. */
const NOTHING = new Uint8Array(0);

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
  /** The frame itself: its bytes, which are the socket's, or what was parsed of others. */
  bytes: Uint8Array = NOTHING;
  parsed: KlineFrame | undefined;
  readonly #table = new StreamTable<Owner>();
  readonly #decimals = new DecimalReader();
  /** Where the value of each member begins. */
  readonly #starts = new Int32Array(COUNT);
  /** Of the members that are whole numbers. */
  readonly #wholes = new Float64Array(COUNT);

  /** Frames of this series are read from now on, and are `owner`'s. Once for each series. */
  add(series: Series, owner: Owner): void {
    this.#table.add(series, owner);
  }

  /** Whose the frame is that these bytes are, its fields read; undefined for anything else: parse it. */
  read(bytes: Uint8Array): Owner | undefined {
    const { length } = bytes;
    // Where the braces at the end are sure, nothing reads beyond them: no value has one.
    if (length < BYTES_MIN || length > BYTES_MAX) return undefined;
    if (bytes[length - 1] !== CLOSE || bytes[length - 2] !== CLOSE || bytes[length - 3] !== CLOSE)
      return undefined;
    const start = behind(bytes, 0, HEAD);
    if (start === 0) return undefined;
    let at = start;
    let hash = 0;
    for (let byte = bytes[at] as number; byte !== QUOTE && byte !== CLOSE; byte = bytes[++at] as number)
      hash = hashOn(hash, byte);
    const entry = this.#table.find(bytes, start, at, hash);
    if (entry === undefined || bytes[at] !== QUOTE) return undefined;
    at = behind(bytes, behindComma(bytes, at + 1), DATA);
    at = behind(bytes, behindComma(bytes, at), EVENT_TIME);
    const first = at;
    let eventTime = 0;
    for (let digit = 0; ; at++) {
      digit = (bytes[at] as number) ^ ZERO;
      if (digit > 9) break;
      eventTime = eventTime * 10 + digit;
    }
    if (!isPlain(bytes, first, at)) return undefined;
    at = behind(bytes, behindComma(bytes, at), EVENT_SYMBOL);
    at = behind(bytes, at, entry.symbol);
    at = behind(bytes, behindComma(bytes, at), BAR);
    if (at === 0 || !this.#readBar(bytes, at, entry)) return undefined;
    this.eventTime = eventTime;
    this.openTime = this.#wholes[T_OPEN] as number;
    this.closeTime = this.#wholes[T_CLOSE] as number;
    this.count = this.#wholes[N] as number;
    this.closed = bytes[this.#starts[X] as number] === LETTER_T;
    this.bytes = bytes;
    this.parsed = undefined;
    return entry.owner;
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

  /** The members of `k` from `start` on, and the braces behind them to the last byte. */
  #readBar(bytes: Uint8Array, start: number, entry: StreamEntry<Owner>): boolean {
    const starts = this.#starts;
    const wholes = this.#wholes;
    let at = start;
    for (let member = 0; member < COUNT; member++) {
      if (member > 0) {
        if (bytes[at++] !== COMMA) return false;
        if (bytes[at] === BLANK) at++;
      }
      if (bytes[at] !== QUOTE || bytes[at + 1] !== KEYS[member]) return false;
      if (bytes[at + 2] !== QUOTE || bytes[at + 3] !== COLON) return false;
      at += 4;
      starts[member] = at;
      const kind = KINDS[member];
      if (kind === DECIMAL) {
        if (bytes[at++] !== QUOTE) return false;
        if (bytes[at] === MINUS) at++;
        const whole = at;
        while (((bytes[at] as number) ^ ZERO) <= 9) at++;
        if (at === whole) return false;
        if (bytes[at] === POINT) {
          const point = at++;
          while (((bytes[at] as number) ^ ZERO) <= 9) at++;
          if (at === point + 1) return false;
        }
        if (bytes[at++] !== QUOTE) return false;
      } else if (kind === WHOLE || kind === SIGNED) {
        if (kind === SIGNED && bytes[at] === MINUS) at++;
        const first = at;
        let value = 0;
        for (; ; at++) {
          const digit = (bytes[at] as number) ^ ZERO;
          if (digit > 9) break;
          value = value * 10 + digit;
        }
        if (!isPlain(bytes, first, at)) return false;
        wholes[member] = value;
      } else {
        const expected = kind === SYMBOL ? entry.symbol : kind === INTERVAL ? entry.interval : undefined;
        at = behind(bytes, at, expected ?? (bytes[at] === LETTER_T ? TRUE : FALSE));
        if (at === 0) return false;
      }
    }
    return at === bytes.length - 3;
  }

  /** Its bar, the numbers the doubles nearest to the text; undefined when a field is not sound. */
  candle({ symbol, interval }: Series): Candle | undefined {
    if (this.parsed !== undefined) return candleOf(this.parsed);
    const { bytes } = this;
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
    return this.#decimals.read(bytes, (this.#starts[member] as number) + 1, bytes.length);
  }
}

/** Whether the digits from `first` to `end` are a whole number as JSON writes it, and one that a double holds. */
const isPlain = (bytes: Uint8Array, first: number, end: number): boolean =>
  end > first && end - first <= DIGITS_MAX && (bytes[first] !== ZERO || end === first + 1);
