/** What a forming frame to which nobody listens leaves on the heap, bytes a frame: alone in a process, whose code is compiled for it. */
import { setImmediate } from 'node:timers/promises';
import { at, frameBytes, rig } from './candles.ts';

const ROUND = 20_000;
const PATIENCE_MS = 10_000;

const { pipeline } = rig();
const frames = Array.from({ length: 100 }, (_, n) => frameBytes(at(0), { closed: false, k: { n } }));
let least = Number.POSITIVE_INFINITY;
// Until all of it is compiled, numbers are objects; and a collection in a round makes its figure worthless.
for (
  const end = performance.now() + PATIENCE_MS;
  least >= 1 && performance.now() < end;
  await setImmediate()
) {
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < ROUND; index++) pipeline.takeBytes(frames[index % 100] as Buffer, 1, index);
  const bytes = process.memoryUsage().heapUsed - before;
  if (bytes >= 0) least = Math.min(least, bytes / ROUND);
}
process.stdout.write(String(least));
