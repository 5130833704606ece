/** Kline frames byte by byte: each part as the exchange writes it, however many digits its numbers have. */
import type { FramePattern } from './frame-pattern.ts';
import { readTime, TIME_DIGITS } from './wide.ts';

const BLANK = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
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
/** `"s":""`, the symbol left out. */
const SYMBOL_KEY_BYTES = 6;

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const TRUE = ascii('true');
const FALSE = ascii('false');
const NOTHING = ascii('');

/** A double surely holds whole numbers of so many digits. */
const WHOLE_DIGITS_MAX = 15;

/** The times of a frame, by their places in {@link KlineText.times}. */
export const TIME = { open: 0, close: 1, event: 2 } as const;

/**
 * Reads a part of one frame after the other, each into the same fields. In a frame that ends with its braces nothing is read
 * behind them: no value has one, so that whatever is looked for ends there.
 */
export class KlineText {
  /** Index behind what was read last. */
  end = 0;
  /** ms, by {@link TIME}. */
  readonly times = new Float64Array(3);
  /** `k.x` */
  closed = false;
  /** `k.n`, the index behind it, and its digits. */
  count = 0;
  countEnd = 0;
  countDigits = 0;
  /** Where the digits of each decimal begin, or their sign, from the beginning of the rest. */
  readonly starts = new Int32Array(DECIMALS.length);
  #bytes = NOTHING;

  /** The bar, from behind the event's time to before the number of the last trade, in a frame of `pattern`'s stream. */
  readBar(bytes: Uint8Array, view: DataView, at: number, pattern: FramePattern<unknown>): boolean {
    const { middle, symbolBytes, interval } = pattern;
    this.#bytes = bytes;
    this.end = at;
    return (
      this.#text(middle, 0, middle.length) &&
      this.#time(view, TIME.open) &&
      this.#key(LETTER.T) &&
      this.#time(view, TIME.close) &&
      this.#comma() &&
      // The symbol has its key before it there too, behind a comma.
      this.#text(middle, 1, 1 + SYMBOL_KEY_BYTES + symbolBytes) &&
      this.#comma() &&
      this.#text(interval, 0, interval.length) &&
      this.#key(LETTER.f) &&
      this.#id() &&
      this.#key(LETTER.L)
    );
  }

  /** The rest, from there to before the braces at the end. */
  readRest(bytes: Uint8Array, at: number): boolean {
    this.#bytes = bytes;
    this.end = at;
    if (!this.#id() || !this.#decimals(at, 0, BEFORE_COUNT)) return false;
    if (!this.#key(LETTER.n) || !this.#count() || !this.#key(LETTER.x)) return false;
    this.closed = bytes[this.end] === LETTER.t;
    const truth = this.closed ? TRUE : FALSE;
    return this.#text(truth, 0, truth.length) && this.#decimals(at, BEFORE_COUNT, DECIMALS.length);
  }

  /** The bytes of `expected` from `from` to before `to`. */
  #text(expected: Uint8Array, from: number, to: number): boolean {
    const bytes = this.#bytes;
    let at = this.end;
    for (let index = from; index < to; index++) if (bytes[at++] !== expected[index]) return false;
    this.end = at;
    return true;
  }

  /** A comma, and the blank that may follow. */
  #comma(): boolean {
    const bytes = this.#bytes;
    const at = this.end;
    if (bytes[at] !== COMMA) return false;
    this.end = bytes[at + 1] === BLANK ? at + 2 : at + 1;
    return true;
  }

  /** A comma, and the key of that letter. */
  #key(letter: number): boolean {
    if (!this.#comma()) return false;
    const bytes = this.#bytes;
    const at = this.end;
    if (bytes[at] !== QUOTE || bytes[at + 1] !== letter) return false;
    if (bytes[at + 2] !== QUOTE || bytes[at + 3] !== COLON) return false;
    this.end = at + 4;
    return true;
  }

  #time(view: DataView, which: number): boolean {
    if (!readTime(view, this.end, this.times, which)) return false;
    this.end += TIME_DIGITS;
    return true;
  }

  /** The number of a trade, which nobody reads and which is negative where there was none. */
  #id(): boolean {
    const bytes = this.#bytes;
    const first = bytes[this.end] === MINUS ? this.end + 1 : this.end;
    let at = first;
    while (((bytes[at] as number) ^ ZERO) <= 9) at++;
    this.end = at;
    return isPlain(bytes, first, at);
  }

  #count(): boolean {
    const bytes = this.#bytes;
    const start = this.end;
    let at = start;
    let count = 0;
    // Digits behind these are not read, and so nothing that may follow a number stands there.
    for (const limit = start + WHOLE_DIGITS_MAX; at < limit; at++) {
      const digit = (bytes[at] as number) ^ ZERO;
      if (digit > 9) break;
      count = count * 10 + digit;
    }
    this.count = count;
    this.countEnd = this.end = at;
    this.countDigits = at - start;
    return isPlain(bytes, start, at);
  }

  /** The decimals from the one numbered `from` to before `until`: keys, quotes and digits, in a rest that begins at `rest`. */
  #decimals(rest: number, from: number, until: number): boolean {
    const bytes = this.#bytes;
    const { starts } = this;
    let at = this.end;
    for (let index = from; index < until; index++) {
      if (bytes[at++] !== COMMA) return false;
      if (bytes[at] === BLANK) at++;
      if (bytes[at] !== QUOTE || bytes[at + 1] !== KEYS[index] || bytes[at + 2] !== QUOTE) return false;
      if (bytes[at + 3] !== COLON || bytes[at + 4] !== QUOTE) return false;
      at += 5;
      starts[index] = at - rest;
      if (bytes[at] === MINUS) at++;
      let first = at;
      while (((bytes[at] as number) ^ ZERO) <= 9) at++;
      if (at === first) return false;
      if (bytes[at] === POINT) {
        first = ++at;
        while (((bytes[at] as number) ^ ZERO) <= 9) at++;
        if (at === first) return false;
      }
      if (bytes[at++] !== QUOTE) return false;
    }
    this.end = at;
    return true;
  }
}

/** Whether digits from `first` to before `end` are a whole number as JSON has it: some, the first of several no zero. */
const isPlain = (bytes: Uint8Array, first: number, end: number): boolean =>
  end > first && (bytes[first] !== ZERO || end === first + 1);
