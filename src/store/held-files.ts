import { readdirSync, readlinkSync } from 'node:fs';

const DESCRIPTORS = '/proc/self/fd';

/** File descriptors of this process that lead to one of `files`, as `12 → data/btc.db`. @throws where it can't be told */
export function heldOf(files: readonly string[]): string[] {
  const wanted = new Set(files);
  return readdirSync(DESCRIPTORS).flatMap((fd) => {
    try {
      const target = readlinkSync(`${DESCRIPTORS}/${fd}`);
      // The kernel says so behind the name of a file that was removed.
      return wanted.has(target.replace(/ \(deleted\)$/, '')) ? [`${fd} → ${target}`] : [];
    } catch {
      // Closed since the list was made: the one through which it was read is always in it.
      return [];
    }
  });
}
