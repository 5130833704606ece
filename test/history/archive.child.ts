/**
 * Run as a process of its own: fetches the files of so many days through a cache, four at a time, reads them, holds
 * the first one to the end, and says what it got.
 */
import { readFileSync, writeSync } from 'node:fs';
import { ArchiveClient } from '../../src/history/archive/archive-client.ts';
import { dayNumber, sha256 } from '../support/archive-files.ts';

const [visionUrl, cacheDir, days] = process.argv.slice(2) as [string, string, string];
const maxBytes = process.argv[5] === undefined ? undefined : Number(process.argv[5]);
const client = new ArchiveClient({
  visionUrl,
  cacheDir: cacheDir === '' ? undefined : cacheDir,
  maxBytes,
  isTrusted: true,
  download: { baseDelayMs: 5 },
});
const digests: string[] = Array(Number(days)).fill('');
let next = 0;
let held: (() => string) | undefined;
const work = async (): Promise<void> => {
  for (let day = next++; day < digests.length; day = next++) {
    const fetched = await client.get(dayNumber(day));
    if (fetched.status !== 'there') {
      digests[day] = fetched.status;
      continue;
    }
    digests[day] = sha256(readFileSync(fetched.path));
    if (held === undefined) held = () => sha256(readFileSync(fetched.path));
    else await fetched.release();
  }
};
await Promise.all([work(), work(), work(), work()]);
const isHeld = held === undefined || digests.includes(held());
await client.close();
writeSync(1, `${JSON.stringify({ digests, counts: client.counts, isHeld })}\n`);
