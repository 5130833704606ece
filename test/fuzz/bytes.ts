/** Mutations of bytes, whatever they mean. */
import { oneOf } from '../support/seeded.ts';

type Random = () => number;

/** A whole number from 0 to below `below`. */
export const upTo = (below: number, random: Random): number => Math.floor(random() * below);

const PIECES = [
  '0',
  '9',
  '-',
  '.',
  ',',
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ':',
  ' ',
  '\t',
  '\n',
  '\r',
  '\r\n',
  '\0',
  'e',
  'E5',
  '+',
  'null',
  'true',
  '1e400',
  '-0',
  '-00',
  '00',
  '0x1',
  'NaN',
  '9007199254740993',
  '99999999999999999999',
  '1.5',
  '"__proto__":',
  '\\u0000',
  '\\ud800',
  '\ufeff',
  '币',
  '\u2028',
  '1735689600000',
  '1735689600000000',
  'PK\x03\x04',
].map((text) => Buffer.from(text)); // prettier-ignore

/** Below this a mutated input is kept, bytes. */
const BYTES_MAX = 65_536;

/** From where to where, mostly a short way. */
function stretch(length: number, random: Random): [number, number] {
  const from = upTo(length + 1, random);
  const most = random() < 0.8 ? 16 : length;
  return [from, Math.min(length, from + 1 + upTo(most, random))];
}

const spliced = (bytes: Buffer, from: number, to: number, put: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(to)]);

/** Where numbers are in a text, found from a random place on. */
function numberFrom(bytes: Buffer, random: Random): [number, number] | undefined {
  const text = bytes.toString('latin1');
  const pattern = /-?\d+(?:\.\d+)?/gu;
  pattern.lastIndex = upTo(text.length, random);
  const found = pattern.exec(text);
  return found === null ? undefined : [found.index, found.index + found[0].length];
}

const EDITS: readonly ((bytes: Buffer, random: Random, other: () => Buffer) => Buffer)[] = [
  // A bit flips.
  (bytes, random) => {
    const out = Buffer.from(bytes);
    const at = upTo(out.length, random);
    if (out.length > 0) out[at] = (out[at] as number) ^ (1 << upTo(8, random));
    return out;
  },
  // A byte becomes another one.
  (bytes, random) => {
    const out = Buffer.from(bytes);
    if (out.length > 0) out[upTo(out.length, random)] = upTo(256, random);
    return out;
  },
  // A stretch is cut out.
  (bytes, random) => spliced(bytes, ...stretch(bytes.length, random), Buffer.alloc(0)),
  // The end is cut off.
  (bytes, random) => Buffer.from(bytes.subarray(0, upTo(bytes.length + 1, random))),
  // A stretch stands there twice, or many times.
  (bytes, random) => {
    const [from, to] = stretch(bytes.length, random);
    const times = random() < 0.9 ? 1 : 1 + upTo(200, random);
    return spliced(bytes, to, to, Buffer.concat(Array(times).fill(bytes.subarray(from, to))));
  },
  // Something is put in, or takes the place of a stretch.
  (bytes, random) => {
    const [from, to] = stretch(bytes.length, random);
    const times = random() < 0.9 ? 1 : 1 + upTo(1_200, random);
    const put = Buffer.concat(Array(times).fill(oneOf(PIECES, random)));
    return spliced(bytes, from, random() < 0.5 ? from : to, put);
  },
  // A number becomes another one.
  (bytes, random) => {
    const found = numberFrom(bytes, random);
    return found === undefined ? bytes : spliced(bytes, ...found, oneOf(PIECES, random));
  },
  // Two numbers change places.
  (bytes, random) => {
    const [one, other] = [numberFrom(bytes, random), numberFrom(bytes, random)].sort(
      (a, b) => (a?.[0] ?? 0) - (b?.[0] ?? 0),
    );
    if (one === undefined || other === undefined || one[1] > other[0]) return bytes;
    const [first, second] = [bytes.subarray(...one), bytes.subarray(...other)];
    return spliced(spliced(bytes, ...other, first), ...one, second);
  },
  // The beginning of one, the end of another.
  (bytes, random, other) => {
    const tail = other();
    return Buffer.concat([
      bytes.subarray(0, upTo(bytes.length, random)),
      tail.subarray(upTo(tail.length, random)),
    ]);
  },
];

/** Bytes with one to four edits; `other` gives bytes of the same kind to splice with. */
export function mutateBytes(bytes: Buffer, random: Random, other: () => Buffer): Buffer {
  let out = bytes;
  for (let edits = 1 + upTo(random() < 0.5 ? 1 : 4, random); edits > 0; edits--)
    out = oneOf(EDITS, random)(out, random, other);
  return out.length > BYTES_MAX ? out.subarray(0, BYTES_MAX) : out;
}
