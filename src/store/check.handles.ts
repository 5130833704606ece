/** Whether this process still holds files of a store. */
import type { Clock } from '../ports.ts';
import type { StoreCheck } from './check.file.ts';
import { heldOf } from './held-files.ts';

/** A thread that is being ended lets go of its files a moment after it is told to. */
const LOOK_EVERY_MS = 20;
/** Who could wait no longer than this knows nothing, ms. */
const PATIENCE_MIN_MS = 50;

/** Waits up to `timeoutMs` until none of `files` is held any more, but by who held them `before`. */
export async function checkHandles(
  files: readonly string[],
  before: readonly string[],
  timeoutMs: number,
  clock: Clock,
): Promise<StoreCheck> {
  const deadline = clock.now() + timeoutMs;
  try {
    for (;;) {
      const held = heldOf(files).filter((one) => !before.includes(one));
      if (held.length === 0) return { name: 'files', outcome: 'ok' };
      const left = deadline - clock.now();
      const detail = `still open: ${held.join(', ')}`;
      if (left <= 0 && timeoutMs < PATIENCE_MIN_MS)
        return {
          name: 'files',
          outcome: 'skipped',
          detail: `${detail}; there was no time to wait for its end`,
        };
      if (left <= 0) return { name: 'files', outcome: 'failed', detail };
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, Math.min(LOOK_EVERY_MS, left));
      });
    }
  } catch {
    return { name: 'files', outcome: 'skipped', detail: 'this system does not tell which files are open' };
  }
}
