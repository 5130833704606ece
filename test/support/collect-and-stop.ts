/**
 * A program for tests: collects until a few candles have come, stops, prints what is still open as one JSON
 * line, and does nothing more. The options are in the variable COLLECT.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { BinanceDataCollector, type CollectorOptions } from '../../src/index.ts';

const options = JSON.parse(process.env['COLLECT'] ?? '{}') as CollectorOptions;
const resources = (): string[] =>
  process
    .getActiveResourcesInfo()
    .filter((name) => !['PipeWrap', 'TTYWrap', 'FSReqPromise', 'Immediate'].includes(name))
    .sort();

/** What this process has open below the store's folder. */
const filesBelow = (folder: string): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });

const before = resources();
const collector = new BinanceDataCollector(options);
let candles = 0;
const enough = new Promise<void>((resolve) => {
  collector.on('candle', () => {
    candles += 1;
    if (candles === 4) resolve();
  });
});
const started = await collector.startStreaming().then(
  () => true,
  () => false,
);
if (started) await enough;
await collector.stop();
// What was destroyed is reported as closed a little later, a thread later still.
for (const end = performance.now() + 300; performance.now() < end && resources().length > before.length; )
  await new Promise((resolve) => setImmediate(resolve));
const files = options.store === undefined ? [] : filesBelow(dirname(options.store));
process.stdout.write(`${JSON.stringify({ before, after: resources(), files, candles })}\n`);
