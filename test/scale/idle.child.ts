/** A process in which nothing is but Node itself: says how much memory that is, bytes. */
import { setTimeout as sleep } from 'node:timers/promises';

process.once('disconnect', () => process.exit());
await sleep(1_000);
process.send?.(process.memoryUsage.rss());
