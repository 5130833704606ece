/** On what it was measured. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { PEERS } from './peers.ts';

/** `load`: how much else it did when the measuring began. */
export function machineOf(processors: number): string {
  const model = cpus()[0]?.model.trim() || process.arch;
  const memory = Math.round(totalmem() / 2 ** 30);
  const pinned = processors > 1 ? 'blaster and contender pinned' : 'not pinned';
  const load = loadavg()[0]?.toFixed(1);
  return `${model}, ${cpus().length} processors, ${memory} GiB, ${process.platform}, load ${load}, ${pinned}`;
}

const versionOf = (path: string): string =>
  (JSON.parse(readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')) as { version: string })
    .version;

export const versionsOf = (withPeers: boolean): Record<string, string> => ({
  Node: process.versions.node,
  candlestate: versionOf('../../package.json'),
  ws: versionOf('../../node_modules/ws/package.json'),
  xstate: versionOf('../../node_modules/xstate/package.json'),
  ...(withPeers ? PEERS : {}),
});
