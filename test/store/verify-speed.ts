/**
 * How fast a store is looked through: `node test/store/verify-speed.ts [rows]`. Prints seconds, rows a second and the
 * memory of the process that looks.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asRows, barsOf, found, plant, seriesOf, write } from './faulty.ts';

const FIVE_YEARS = 2_628_000;
const [, self = '', given, ofChild] = process.argv;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** The look alone, so that the memory is its own. */
function look(path: string): void {
  const began = performance.now();
  const { series, findings } = found(path);
  const seconds = (performance.now() - began) / 1_000;
  const rows = series[0]?.bars ?? 0;
  const rss = process.resourceUsage().maxRSS / 1_024;
  const { user, system } = process.cpuUsage();
  const times = `${seconds.toFixed(2)} s (CPU of the process ${((user + system) / 1e6).toFixed(2)} s)`;
  print(
    `${rows} rows, ${findings.length} findings: ${times}, ${Math.round(rows / seconds)} rows/s, peak RSS ${rss.toFixed(0)} MB`,
  );
}

if (ofChild !== undefined) look(ofChild);
else {
  const rows = Number(given ?? FIVE_YEARS);
  const folder = mkdtempSync(join(tmpdir(), 'candlestate-speed-'));
  try {
    const path = join(folder, 'store.db');
    write(path, asRows(barsOf(seriesOf('1m'), 1)));
    const shift = 'i * 60000';
    plant(
      path,
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows - 1})
      INSERT INTO candles SELECT symbol, interval, open_time + ${shift}, open, high, low, close, volume,
      close_time + ${shift}, quote_volume, count, taker_buy_volume, taker_buy_quote_volume, source FROM candles, n;
      UPDATE meta SET value = '9e15' WHERE key = 'exchange_time'`,
    );
    print(`${(statSync(path).size / 1e6).toFixed(0)} MB`);
    const args = ['--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url), self, path];
    spawnSync(process.execPath, args, { stdio: 'inherit' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
