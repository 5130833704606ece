/** A program that loads history and has nothing more to do. Says how it went, and what was open before and after. */
import { type HistoryOptions, loadHistory } from '../../src/history-load.ts';

const { stopAfterMs, ...options } = JSON.parse(process.env['LOAD'] ?? '{}') as HistoryOptions & {
  stopAfterMs?: number;
};
// They are made when they are first looked at.
void [process.stdout, process.stderr];
const before = process.getActiveResourcesInfo().sort();
const load = loadHistory(options);
if (stopAfterMs !== undefined) setTimeout(() => void load.stop(), stopAfterMs);
const { outcome, bars, clean } = await load.done;
// What has been closed is gone in the next turn.
await new Promise((resolve) => setImmediate(resolve));
const after = process.getActiveResourcesInfo().sort();
process.stdout.write(`${JSON.stringify({ outcome, stored: bars.stored, clean, before, after })}\n`);
