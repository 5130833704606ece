/** Packages that others take for this: installed for the benchmark alone, beside nothing that the project needs. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Exact, so that two tables can be compared. */
export const PEERS: Readonly<Record<string, string>> = {
  '@binance/derivatives-trading-usds-futures': '38.1.1',
  binance: '3.6.5',
  ccxt: '4.5.84',
};

export const PEERS_FOLDER = fileURLToPath(new URL('../../node_modules/.cache/bench-peers', import.meta.url));

function installedVersion(folder: string, name: string): string | undefined {
  const file = join(folder, 'node_modules', name, 'package.json');
  if (!existsSync(file)) return undefined;
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Installs what is missing. Throws when npm cannot. */
export function installPeers(folder = PEERS_FOLDER): void {
  const missing = Object.entries(PEERS).filter(
    ([name, version]) => installedVersion(folder, name) !== version,
  );
  if (missing.length === 0) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ private: true })}\n`);
  const wanted = Object.entries(PEERS).map(([name, version]) => `${name}@${version}`);
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--save-exact', ...wanted];
  const { status, stderr, error } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm could not install the peers: ${error?.message ?? stderr.trim()}`);
}
