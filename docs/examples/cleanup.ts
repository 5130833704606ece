/** What is no component: let go of at the end of a block, side by side, in half a second at most. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeadlineCleanup } from 'candlestate';

const folder = await mkdtemp(join(tmpdir(), 'candlestate-'));

await using cleanup = new DeadlineCleanup({ timeoutMs: 500 });
cleanup.add('temporary folder', () => rm(folder, { recursive: true }));
cleanup.add('farewell to a server', (signal) => sleep(60_000, undefined, { signal }));
cleanup.add('a bad idea', () => {
  throw new Error('nobody is told');
});

// At the end of the block all of this happens by itself. Whoever wants the report asks for it.
const report = await cleanup.run();
process.stdout.write(
  `${report.tasks.map(({ name, outcome }) => `${name}: ${outcome}`).join(', ')}; ` +
    `cancelled: ${report.cancelled.join()}; errors: ${report.errors.length}\n`,
);
