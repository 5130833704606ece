/**
 * Text compared and read four or eight bytes at a time. A `DataView` reads them at any place, in one instruction when the code
 * is compiled. All is little-endian: the first character is the lowest byte of an integer.
 *
 * What tells of four bytes at once does so in the highest bit of each: ASCII has none there.
 */

const HIGH_BITS = 0x8080_8080 | 0;
/** All other bits; and what, added to a byte of ASCII, sets the highest bit unless the byte is zero. */
const LOW_BITS = 0x7f7f_7f7f;
/** Added to a byte of ASCII, it sets the highest bit from ten on. */
const FROM_TEN = 0x7676_7676;
/** Four zeros as text: a digit differs from it by its value, and any other byte by ten or more. */
const ZEROS = 0x3030_3030;
/** The value of a digit, of four of them. */
const VALUES = 0x0f0f_0f0f;

/**
 * The highest bit is set for each byte that is no digit, up to the first one beyond ASCII: only such a one, which is told of by its
 * own bit, can make a sum that spills into the byte above. So none is set if and only if all four are digits.
 */
function oddDigits(four: number): number {
  const odd = four ^ ZEROS;
  return (odd | (odd + FROM_TEN)) & HIGH_BITS;
}

/** The number that four digits are; a byte of zero is one more of them. */
function numberOf(four: number): number {
  // Two numbers of two digits each, in the second and the fourth byte; then their sum, a hundred times the first, above them.
  const pairs = (Math.imul(four & VALUES, 10 * 256 + 1) >>> 8) & 0x00ff_00ff;
  return Math.imul(pairs, 100 * 65_536 + 1) >>> 16;
}

/** Of a time in ms, from 2001 to 2286. */
export const TIME_DIGITS = 13;
/** The least of its first eight digits. */
const TIME_HIGH_MIN = 10_000_000;

/**
 * Reads the time at `at` into `times`; false where there are not thirteen digits, the first no zero. What follows is not looked
 * at. (Fractions, and numbers as large as this, would be an object if they were returned.)
 */
export function readTime(view: DataView, at: number, times: Float64Array, which: number): boolean {
  const first = view.getInt32(at, true);
  const second = view.getInt32(at + 4, true);
  const third = view.getInt32(at + 8, true);
  // Three of these are known.
  const last = view.getInt32(at + TIME_DIGITS - 4, true);
  if ((oddDigits(first) | oddDigits(second) | oddDigits(third) | oddDigits(last)) !== 0) return false;
  const high = numberOf(first) * 10_000 + numberOf(second);
  const low = numberOf(third) * 10 + ((last >>> 24) & 0x0f);
  times[which] = high * 100_000 + low;
  return high >= TIME_HIGH_MIN;
}

/** {@link readShort} reads so many digits at most. */
export const SHORT_DIGITS = 8;
/** Of the four bytes before the last four, and of those: which are digits, by how many are. The others become zeros. */
const HIGH_MASKS = Int32Array.of(0, 0, 0, 0, 0, 0xff00_0000, 0xffff_0000, 0xffff_ff00, -1);
const LOW_MASKS = Int32Array.of(0, 0xff00_0000, 0xffff_0000, 0xffff_ff00, -1, -1, -1, -1, -1);

/** The number that so many digits before `end` are. That they are digits must be known, and that eight bytes are there. */
export function readShort(view: DataView, end: number, digits: number): number {
  const high = view.getInt32(end - 8, true) & (HIGH_MASKS[digits] as number);
  const low = view.getInt32(end - 4, true) & (LOW_MASKS[digits] as number);
  return numberOf(high) * 10_000 + numberOf(low);
}

/** Bytes that {@link isText} looks at in one go. */
const STRETCH = 32;
const STRETCH_DOUBLES = STRETCH / 8;
/** Doubles that {@link keepText} needs for so many bytes. */
export const doublesFor = (bytes: number): number => Math.ceil(bytes / STRETCH) * STRETCH_DOUBLES;

/**
 * Keeps the text of `size` bytes at `at`, at least 32 of them, in `kept` from `base` on, for {@link isText}. The last stretch is of
 * the last 32 bytes, whether or not some of them have been kept.
 */
export function keepText(view: DataView, at: number, size: number, kept: Float64Array, base: number): void {
  const last = at + size - STRETCH;
  let index = base;
  for (let from = at; ; from += STRETCH) {
    if (from > last) from = last;
    for (let offset = 0; offset < STRETCH; offset += 8) kept[index++] = view.getFloat64(from + offset, true);
    if (from === last) return;
  }
}

/**
 * Whether the `size` bytes at `at` are those that were kept. Eight bytes are compared as a double: doubles that are equal have
 * equal bytes, but for the two zeros, which are no text; and text that is not a number as a double, which none in UTF-8 is, would
 * equal nothing.
 */
export function isText(view: DataView, at: number, size: number, kept: Float64Array, base: number): boolean {
  const last = at + size - STRETCH;
  for (let from = at, index = base; ; from += STRETCH, index += STRETCH_DOUBLES) {
    if (from > last) from = last;
    if (
      view.getFloat64(from, true) !== kept[index] ||
      view.getFloat64(from + 8, true) !== kept[index + 1] ||
      view.getFloat64(from + 16, true) !== kept[index + 2] ||
      view.getFloat64(from + 24, true) !== kept[index + 3]
    )
      return false;
    if (from === last) return true;
  }
}

/** Bytes that {@link isShape} looks at in one go. */
export const BLOCK = 16;
const BLOCK_INTS = BLOCK / 4;
const BLOCK_DOUBLES = BLOCK / 8;

/** Keeps which bytes of the blocks of ASCII from `at` to before `to` are digits: for each four a mask without the values of digits. */
export function keepShape(view: DataView, at: number, to: number, kept: Int32Array, masks: number): void {
  let index = masks;
  for (let from = at; from < to; from += 4) {
    const digits = (oddDigits(view.getInt32(from, true)) ^ HIGH_BITS) >>> 7;
    kept[index++] = LOW_BITS - Math.imul(digits, 0x0f);
  }
}

/** Keeps the text of the blocks from `at` to before `to`. */
export function keepDigits(view: DataView, at: number, to: number, kept: Float64Array, texts: number): void {
  for (let block = at, index = texts; block < to; block += BLOCK, index += BLOCK_DOUBLES) {
    kept[index] = view.getFloat64(block, true);
    kept[index + 1] = view.getFloat64(block + 8, true);
  }
}

/**
 * Whether the blocks from `at` to before `to` are written like those that were kept: a digit where one was, all else the same.
 * From the text that was kept, its digits made zeros by the mask, a byte differs by up to nine where a digit was, and elsewhere
 * not at all. With bits of the mask set, what must be added for the highest bit to say otherwise is that of {@link FROM_TEN} or of
 * {@link LOW_BITS}. As in {@link oddDigits}, what spills over comes only from a byte that is told of by itself. Nothing branches,
 * and nothing waits for what is before it.
 */
export function isShape(
  view: DataView,
  at: number,
  to: number,
  kept: Int32Array,
  texts: number,
  masks: number,
): boolean {
  let odd = 0;
  for (let block = at, text = texts, mask = masks; block < to; block += BLOCK) {
    const m0 = kept[mask] as number;
    const m1 = kept[mask + 1] as number;
    const m2 = kept[mask + 2] as number;
    const m3 = kept[mask + 3] as number;
    const d0 = view.getInt32(block, true) ^ ((kept[text] as number) & m0);
    const d1 = view.getInt32(block + 4, true) ^ ((kept[text + 1] as number) & m1);
    const d2 = view.getInt32(block + 8, true) ^ ((kept[text + 2] as number) & m2);
    const d3 = view.getInt32(block + 12, true) ^ ((kept[text + 3] as number) & m3);
    odd |= d0 | (d0 + (m0 | FROM_TEN)) | d1 | (d1 + (m1 | FROM_TEN));
    odd |= d2 | (d2 + (m2 | FROM_TEN)) | d3 | (d3 + (m3 | FROM_TEN));
    text += BLOCK_INTS;
    mask += BLOCK_INTS;
  }
  return (odd & HIGH_BITS) === 0;
}
