/**
 * Kline frames straight from their bytes, as long as they are written exactly as the exchange writes them:
 * combined, all keys, in its order, nothing between the tokens but at most one blank behind a comma (its test network writes
 * those). Every byte is looked at, so that nothing is taken here that parsing and checking the whole would refuse or read
 * otherwise. Anything else, which may be good all the same, is for {@link decodeFrame}.
 */
import type { Candle, Series } from '../../machines/model/kline.ts';
import { DecimalReader } from './decimal.ts';
import { candleOf, type KlineFrame } from './frame.ts';
import { StreamTable } from './stream-table.ts';

const BLANK = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const CLOSE = 0x7d;
const keyOf = (letter: string): number => letter.charCodeAt(0);
const LETTER = {
  f: keyOf('f'),
  T: keyOf('T'),
  L: keyOf('L'),
  n: keyOf('n'),
  t: keyOf('t'),
  x: keyOf('x'),
} as const;

/** The members of `k` that are decimals, in their order: five, then `n` and `x`, then four. */
const DECIMALS = 'ochlvqVQB';
const KEYS = Uint8Array.from(DECIMALS, keyOf);
const BEFORE_COUNT = DECIMALS.indexOf('q');
const [O, C, H, L, V, Q, TAKER_V, TAKER_Q] = [0, 1, 2, 3, 4, 5, 6, 7] as const;

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const TRUE = ascii('true');
const FALSE = ascii('false');

/** No real one is shorter: its times alone have thirteen digits each. */
const BYTES_MIN = 200;
/** No real one is longer, and no decimal in it has so many digits that it would not be finite. */
const BYTES_MAX = 480;

/** Whole numbers are read in two parts of so many digits at most: each is small, and both together exact. */
const HIGH_DIGITS = 7;
const LOW_DIGITS = 8;
const POWERS = Float64Array.from({ length: LOW_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/**
 * Index behind `expected` where that stands at `at`; else 0, where nothing stands that is looked for. So who reads on from
 * there finds nothing either.
 */
function behind(bytes: Uint8Array, at: number, expected: Uint8Array): number {
  const { length } = expected;
  for (let index = 0; index < length; index++) if (bytes[at + index] !== expected[index]) return 0;
  return at + length;
}

/** Index behind the comma that stands at `at`, and behind the blank that may follow; else 0. */
const behindComma = (bytes: Uint8Array, at: number): number =>
  bytes[at] !== COMMA ? 0 : bytes[at + 1] === BLANK ? at + 2 : at + 1;

/** Index behind the comma and the key that stand at `at`; else 0. */
function behindKey(bytes: Uint8Array, at: number, key: number): number {
  if (bytes[at] !== COMMA) return 0;
  const start = bytes[at + 1] === BLANK ? at + 2 : at + 1;
  return bytes[start] === QUOTE &&
    bytes[start + 1] === key &&
    bytes[start + 2] === QUOTE &&
    bytes[start + 3] === COLON
    ? start + 4
    : 0;
}

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
  /** Where the digits of each decimal begin, or their sign. */
  readonly #starts = new Int32Array(DECIMALS.length);
  /** The whole number that was read last. */
  #whole = 0;

  /** Frames of this series are read from now on, and are `owner`'s. Once for each series. */
  add(series: Series, owner: Owner): void {
    this.#table.add(series, owner);
  }

  /** Whose the frame is that the bytes from `from` to before `to` are, its fields read; undefined for anything else: parse it. */
  read(piece: Uint8Array, from = 0, to = piece.length): Owner | undefined {
    const bytes = to - from === piece.length ? piece : piece.subarray(from, to);
    const { length } = bytes;
    // Where the braces at the end are sure, nothing reads beyond them: no value has one.
    if (length < BYTES_MIN || length > BYTES_MAX) return undefined;
    if (bytes[length - 1] !== CLOSE || bytes[length - 2] !== CLOSE || bytes[length - 3] !== CLOSE)
      return undefined;
    let entry = this.#table.candidate(bytes);
    if (entry === undefined) return undefined;
    let at = behind(bytes, 0, entry.head);
    for (; at === 0; at = behind(bytes, 0, entry.head)) {
      entry = entry.next;
      if (entry === undefined) return undefined;
    }
    at = this.#readWhole(bytes, at);
    const eventTime = this.#whole;
    at = this.#readWhole(bytes, behind(bytes, at, entry.middle));
    const openTime = this.#whole;
    at = this.#readWhole(bytes, behindKey(bytes, at, LETTER.T));
    const closeTime = this.#whole;
    at = behind(bytes, behindComma(bytes, at), entry.symbol);
    at = behind(bytes, behindComma(bytes, at), entry.interval);
    at = behindId(bytes, behindKey(bytes, at, LETTER.f));
    at = behindId(bytes, behindKey(bytes, at, LETTER.L));
    at = this.#findDecimals(bytes, at, 0, BEFORE_COUNT);
    at = this.#readWhole(bytes, behindKey(bytes, at, LETTER.n));
    const count = this.#whole;
    at = behindKey(bytes, at, LETTER.x);
    const closed = bytes[at] === LETTER.t;
    at = behind(bytes, at, closed ? TRUE : FALSE);
    at = this.#findDecimals(bytes, at, BEFORE_COUNT, DECIMALS.length);
    if (at !== length - 3) return undefined;
    this.eventTime = eventTime;
    this.openTime = openTime;
    this.closeTime = closeTime;
    this.count = count;
    this.closed = closed;
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

  /** Index behind the whole number at `at`, which is kept; 0 where none stands that a double surely holds. */
  #readWhole(bytes: Uint8Array, at: number): number {
    let end = at;
    let high = 0;
    for (const seam = at + HIGH_DIGITS; end < seam; end++) {
      const digit = (bytes[end] as number) ^ ZERO;
      if (digit > 9) break;
      high = high * 10 + digit;
    }
    const read = end - at;
    // As JSON has it: some digits, the first of several no zero.
    if (read === 0 || (read > 1 && bytes[at] === ZERO)) return 0;
    this.#whole = high;
    if (read < HIGH_DIGITS) return end;
    let low = 0;
    const from = end;
    // Digits behind these are not read, and so nothing that may follow a number stands there.
    for (const limit = from + LOW_DIGITS; end < limit; end++) {
      const digit = (bytes[end] as number) ^ ZERO;
      if (digit > 9) break;
      low = low * 10 + digit;
    }
    this.#whole = high * (POWERS[end - from] as number) + low;
    return end;
  }

  /** Finds the decimals from the one numbered `from` to before `until`: keys, quotes and digits. Index behind them, or 0. */
  #findDecimals(bytes: Uint8Array, start: number, from: number, until: number): number {
    const starts = this.#starts;
    let at = start;
    for (let index = from; index < until; index++) {
      if (bytes[at++] !== COMMA) return 0;
      if (bytes[at] === BLANK) at++;
      if (bytes[at] !== QUOTE || bytes[at + 1] !== KEYS[index] || bytes[at + 2] !== QUOTE) return 0;
      if (bytes[at + 3] !== COLON || bytes[at + 4] !== QUOTE) return 0;
      at += 5;
      starts[index] = at;
      if (bytes[at] === MINUS) at++;
      let first = at;
      while (((bytes[at] as number) ^ ZERO) <= 9) at++;
      if (at === first) return 0;
      if (bytes[at] === POINT) {
        first = ++at;
        while (((bytes[at] as number) ^ ZERO) <= 9) at++;
        if (at === first) return 0;
      }
      if (bytes[at++] !== QUOTE) return 0;
    }
    return at;
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
    return this.#decimals.read(bytes, this.#starts[member] as number, bytes.length);
  }
}

/** Index behind the number of a trade at `at`, which nobody reads and which is negative where there was none; 0 if none stands there. */
function behindId(bytes: Uint8Array, at: number): number {
  const first = bytes[at] === MINUS ? at + 1 : at;
  let end = first;
  while (((bytes[end] as number) ^ ZERO) <= 9) end++;
  const isPlain = end > first && (bytes[first] !== ZERO || end === first + 1);
  return isPlain ? end : 0;
}
