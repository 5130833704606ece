/** Messages of the tests that are taken as they stand in what was read. */
import type { DirectHandlers } from '../../src/ports.ts';

/** A frame of a server: its first byte, its payload, and the bit of a mask, which no server may set. */
export const frame = (first: number, payload: Buffer, mask = 0): Buffer => {
  const { length } = payload;
  const size =
    length < 126
      ? [length]
      : length < 65_536
        ? [126, length >> 8, length & 255]
        : [127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255];
  size[0] = (size[0] as number) | mask;
  return Buffer.concat([Buffer.from([first, ...size]), payload]);
};

/** Text of at least so many bytes. */
export const filled = (head: string, length: number, tail: string): Buffer =>
  Buffer.from(head + 'x'.repeat(Math.max(0, length - head.length - tail.length)) + tail);

const isOurs = (text: string): boolean => text.startsWith('k') && text.endsWith('}');

/** Takes what begins with a k and ends with a brace, and tells. */
export function takes(tell: (text: string) => void): DirectHandlers {
  return {
    arrived: () => {},
    message: (bytes, from, to) => {
      const text = Buffer.from(bytes.subarray(from, to)).toString('latin1');
      if (isOurs(text)) tell(text);
      return isOurs(text);
    },
  };
}
