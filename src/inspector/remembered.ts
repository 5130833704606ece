import type { Clock } from '../ports.ts';

/** Asked ever so often, it is worked out once in this time, ms: what has changed is to be told at once. */
const REMEMBERED_MS = 100;

/**
 * The same answer to everybody for a while, or until what `of` says has changed; who asks while it is being made waits
 * for it.
 */
export function remembered<T>(
  clock: Clock,
  make: () => Promise<T> | T,
  of: () => unknown = () => undefined,
): () => Promise<T> {
  let madeAt = Number.NEGATIVE_INFINITY;
  let madeOf: unknown;
  let answer: Promise<T> | undefined;
  return () => {
    const now = of();
    if (answer === undefined || now !== madeOf || clock.now() - madeAt >= REMEMBERED_MS) {
      madeAt = clock.now();
      madeOf = now;
      answer = (async () => make())();
      // What failed is tried again by the next.
      answer.catch(() => {
        answer = undefined;
      });
    }
    return answer;
  };
}
