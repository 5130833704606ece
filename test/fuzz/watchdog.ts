/** Says which input the program never came back from. It has a thread of its own: the other one is busy. */
import { Worker } from 'node:worker_threads';
import type { Part } from './campaign.ts';

/** Longer than this with one input, ms, is a hang that can't even be waited for. */
const PATIENCE_MS = 30_000;
const BYTES_MAX = 65_536;

/** In the thread: the beat is the number of inputs so far; of the last one its length and bytes are there. */
const THREAD = `
const { workerData, parentPort } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const head = new Int32Array(workerData.shared, 0, 2);
const bytes = new Uint8Array(workerData.shared, 8);
let seen = -1, part = '';
parentPort.on('message', (name) => { part = name; });
setInterval(() => {
  if (head[0] !== seen || part === '') { seen = head[0]; return; }
  const input = Buffer.from(bytes.subarray(0, head[1])).toString('base64');
  writeSync(1, 'HANGS: ' + part + ' has not come back for ' + workerData.patienceMs + ' ms\\n  base64: ' + input + '\\n');
  process.kill(process.pid, 'SIGKILL');
}, workerData.patienceMs);
`;

export interface Watchdog {
  begin(part: Part): void;
  /** An input is about to be tried. */
  readonly note: (bytes: Buffer) => void;
  end(): Promise<unknown>;
}

export function watchdog(): Watchdog {
  const shared = new SharedArrayBuffer(8 + BYTES_MAX);
  const head = new Int32Array(shared, 0, 2);
  const held = new Uint8Array(shared, 8);
  const thread = new Worker(THREAD, { eval: true, workerData: { shared, patienceMs: PATIENCE_MS } });
  return {
    // Values are not noted, and tell nothing when they hang but their part: there the seed repeats it.
    begin: (part) => thread.postMessage(part.kind === 'bytes' ? `${part.target}: ${part.name}` : ''),
    note: (bytes) => {
      head[0] = (head[0] as number) + 1;
      head[1] = Math.min(bytes.length, BYTES_MAX);
      held.set(bytes.subarray(0, BYTES_MAX));
    },
    end: () => thread.terminate(),
  };
}
