/** Decimal text to numbers, straight from its bytes: no string is made of it on the way. */
import { decimal } from './frame.ts';

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** Whole numbers below this are exact as doubles. */
const EXACT_BELOW = 2 ** 53;
/** Powers of ten that are exact as doubles. */
const POWERS: readonly number[] = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * Reads decimals as the venue writes them (`4`, `-1.5`, `0.00100000`; no exponent, no sign but a minus). What is read
 * is the double nearest to the text, as `decimal` of frames has it: a bar's numbers are the same whichever way it came.
 */
export class DecimalReader {
  /** Index behind the last text that was read. */
  end = 0;

  /** The decimal that begins at `start`, as far as it goes, at most to `limit`; NaN when none begins there. */
  read(bytes: Uint8Array, start: number, limit: number): number {
    const isNegative = start < limit && bytes[start] === MINUS;
    const first = isNegative ? start + 1 : start;
    let at = first;
    let mantissa = 0;
    for (; at < limit; at++) {
      // 0 to 9 for a digit, more for any other byte.
      const digit = (bytes[at] as number) ^ ZERO;
      if (digit > 9) break;
      mantissa = mantissa * 10 + digit;
    }
    let decimals = 0;
    let isWhole = at > first;
    if (isWhole && at < limit && bytes[at] === POINT) {
      const point = at++;
      for (; at < limit; at++) {
        const digit = (bytes[at] as number) ^ ZERO;
        if (digit > 9) break;
        mantissa = mantissa * 10 + digit;
      }
      decimals = at - point - 1;
      isWhole = decimals > 0;
    }
    this.end = at;
    if (!isWhole) return Number.NaN;
    // Both exact: then one division rounds once, to the nearest. A mantissa that has lost digits is not below.
    if (mantissa >= EXACT_BELOW || decimals >= POWERS.length) return longDecimal(bytes, start, at, decimals);
    const value = mantissa / (POWERS[decimals] as number);
    return isNegative ? -value : value;
  }
}

/** Text with more digits than a double keeps: often zeros at its end, which say nothing. */
function longDecimal(bytes: Uint8Array, start: number, end: number, decimals: number): number {
  if (decimals > 0 && bytes[end - 1] === ZERO) {
    let last = end - 1;
    while (bytes[last - 1] === ZERO) last--;
    return readDecimal(bytes, start, bytes[last - 1] === POINT ? last - 1 : last);
  }
  return decimal(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1'));
}

/** The double nearest to the decimal text in `bytes` from `start` to `end`; NaN for anything else. */
export function readDecimal(bytes: Uint8Array, start: number, end: number): number {
  const reader = new DecimalReader();
  const value = reader.read(bytes, start, end);
  return reader.end === end ? value : Number.NaN;
}
