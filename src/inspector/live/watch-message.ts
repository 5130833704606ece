import { z } from 'zod';
import { isInterval } from '../../../machines/model/interval.ts';
import type { WatchMessage } from '../protocol.ts';

/** Longest message that a page may send, bytes: all that it says is which series it shows. */
export const MESSAGE_BYTES_MAX = 1_024;

const isSeries = (text: string): boolean => {
  const at = text.lastIndexOf('@');
  return at > 0 && isInterval(text.slice(at + 1));
};

const watchMessage = z.strictObject({
  type: z.literal('watch'),
  series: z.string().max(64).refine(isSeries).optional(),
});

/** What a page said; undefined: nonsense. */
export function readWatch(data: Buffer, isBinary: boolean): WatchMessage | undefined {
  if (isBinary || data.length > MESSAGE_BYTES_MAX) return undefined;
  try {
    const { series } = watchMessage.parse(JSON.parse(data.toString()));
    return { type: 'watch', ...(series === undefined ? {} : { series }) };
  } catch {
    return undefined;
  }
}
