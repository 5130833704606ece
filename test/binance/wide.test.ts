import { describe, expect, test } from 'vitest';
import {
  BLOCK,
  doublesFor,
  isShape,
  isText,
  keepDigits,
  keepShape,
  keepText,
  readShort,
  readTime,
} from '../../src/binance/wide.ts';
import { seeded } from '../support/seeded.ts';

const random = seeded(8);
const upTo = (below: number): number => Math.floor(random() * below);

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** Each byte of it replaced by each other, one at a time. */
function* changes(bytes: Uint8Array): Generator<{ at: number; byte: number; was: number }> {
  for (let at = 0; at < bytes.length; at++) {
    const was = bytes[at] as number;
    for (let byte = 0; byte < 256; byte++) {
      bytes[at] = byte;
      yield { at, byte, was };
    }
    bytes[at] = was;
  }
}

describe('a time', () => {
  const times = new Float64Array(1);
  const read = (text: string): number | undefined => {
    const bytes = Buffer.from(`x${text}`, 'latin1');
    return readTime(viewOf(bytes), 1, times, 0) ? times[0] : undefined;
  };

  test('of thirteen digits is read, whatever follows', () => {
    for (const time of [1e12, 1_785_617_898_970, 9_999_999_999_999]) {
      expect(read(`${time},`)).toBe(time);
      expect(read(`${time}7`)).toBe(time);
    }
    for (let tries = 0; tries < 5_000; tries++) {
      const time = 1e12 + upTo(9e12);
      expect(read(String(time))).toBe(time);
    }
  });

  test('is none with a zero in front, or with another byte than a digit anywhere', () => {
    const bytes = Buffer.from('1785617898970');
    for (const { at, byte } of changes(bytes))
      if (readTime(viewOf(bytes), 0, times, 0) !== (isDigit(byte) && !(at === 0 && byte === 0x30)))
        expect.unreachable(`byte ${byte} at ${at}`);
  });
});

test('a number of up to eight digits is read, whatever stands before it', () => {
  for (let digits = 1; digits <= 8; digits++)
    for (let tries = 0; tries < 500; tries++) {
      const text = Array.from({ length: digits }, () => upTo(10)).join('');
      const bytes = Buffer.concat([
        Buffer.from(Array.from({ length: 9 }, () => upTo(256))),
        Buffer.from(text),
      ]);
      expect(readShort(viewOf(bytes), bytes.length, digits)).toBe(Number(text));
    }
});

test('text is the same when all its bytes are, however long it is and wherever it stands', () => {
  for (let size = 32; size < 100; size++) {
    const text = Buffer.from(Array.from({ length: size }, () => 1 + upTo(0x7e)));
    const kept = new Float64Array(2 + doublesFor(size));
    keepText(viewOf(text), 0, size, kept, 1);
    expect([kept[0], kept.at(-1)]).toEqual([0, 0]);
    const piece = Buffer.concat([Buffer.alloc(size % 9, 0x39), text, Buffer.from('9')]);
    expect(isText(viewOf(piece), size % 9, size, kept, 1)).toBe(true);
    expect(isText(viewOf(piece), (size % 9) + 1, size, kept, 1)).toBe(false);
    for (let at = 0; at < size; at++) {
      const other = Buffer.from(text);
      other[at] = (other[at] as number) ^ (1 << upTo(8));
      expect(isText(viewOf(other), 0, size, kept, 1)).toBe(false);
    }
  }
});

describe('a shape', () => {
  const blocks = Buffer.from(',"c":"62631.80",/09:"h":"62635.9", "n":272,"x":f');
  const [texts, masks] = [1, 1 + blocks.length / 8];
  const doubles = new Float64Array(masks + blocks.length / 8);
  const ints = new Int32Array(doubles.buffer);
  keepShape(viewOf(blocks), 0, blocks.length, ints, 2 * masks);
  keepDigits(viewOf(blocks), 0, blocks.length, doubles, texts);
  const isLike = (bytes: Uint8Array): boolean =>
    isShape(viewOf(bytes), 0, bytes.length, ints, 2 * texts, 2 * masks);
  const isRight = (byte: number, was: number): boolean => byte === was || (isDigit(byte) && isDigit(was));

  test('is one with other digits and nothing else another, of any byte by any', () => {
    expect(blocks.length % BLOCK).toBe(0);
    let like = 0;
    const bytes = Buffer.from(blocks);
    for (const { at, byte, was } of changes(bytes)) {
      const said = isLike(bytes);
      if (said) like += 1;
      if (said !== isRight(byte, was)) expect.unreachable(`byte ${byte} for ${was} at ${at}`);
    }
    expect(like).toBe(blocks.length + 9 * blocks.filter(isDigit).length);
  });

  test('is one with any bytes by any at once: none makes up for another', () => {
    let like = 0;
    for (let tries = 0; tries < 50_000; tries++) {
      const bytes = Buffer.from(blocks);
      const from = upTo(blocks.length - 4);
      for (let at = from; at < from + 4; at++) {
        const dice = random();
        if (isDigit(bytes[at] as number) && dice < 0.8) bytes[at] = 0x30 + upTo(10);
        else if (dice < 0.2) bytes[at] = upTo(256);
      }
      const said = isLike(bytes);
      if (said) like += 1;
      if (said !== bytes.every((byte, at) => isRight(byte, blocks[at] as number)))
        expect.unreachable(bytes.toString('latin1'));
    }
    expect(like).toBeGreaterThan(1_000);
  });

  test('stays the same whichever of its texts was kept last', () => {
    for (const digit of ['0', '5', '9']) {
      const text = Buffer.from(blocks.toString().replace(/\d/gu, digit));
      expect(isLike(text)).toBe(true);
      keepDigits(viewOf(text), 0, text.length, doubles, texts);
      expect(isLike(blocks)).toBe(true);
      expect(Buffer.from(doubles.buffer, 8 * texts, text.length)).toEqual(text);
    }
  });
});
