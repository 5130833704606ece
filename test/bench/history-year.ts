/**
 * A year of minutes from local archive files into a store: `node test/bench/history-year.ts [--days 365] [--months]
 * [--built] [--json]`. `--months`: month files instead of day files; `--built`: what `npm run build` has made instead of the
 * sources. Prints seconds, rows/s and the most memory that the program had. The files are made first, and are gone
 * afterwards. Exit 1: it failed, or the built program had 200 MB or more.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BUILT, startProgram } from '../support/program.ts';
import { writeArchive } from './archive-of-truth.ts';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '365' },
    months: { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const days = Number(values.days);
const DAY_MS = 86_400_000;
/** Early enough that five years have ended. */
const FROM = Date.UTC(2021, 0, 1);
const SERIES = { symbol: 'BTCUSDT', interval: '1m' } as const;

const folder = mkdtempSync(join(tmpdir(), 'candlestate-year-'));
writeArchive(join(folder, 'archive'), SERIES, FROM, FROM + days * DAY_MS, values.months ? 'month' : 'day');

const store = join(folder, 'year.db');
const startedAt = performance.now();
const program = startProgram(
  [
    ...['history', '--symbol', SERIES.symbol, '--interval', SERIES.interval, '--from', String(FROM)],
    ...['--to', String(FROM + days * DAY_MS), '--archive-dir', join(folder, 'archive'), '--db', store],
  ],
  folder,
  values.built ? BUILT : undefined,
);
let peakBytes = 0;
const watch = setInterval(() => {
  try {
    const status = readFileSync(`/proc/${program.process.pid}/status`, 'utf8');
    peakBytes = Math.max(peakBytes, Number(/VmHWM:\s+(\d+) kB/u.exec(status)?.[1] ?? 0) * 1024);
  } catch {
    // It has ended.
  }
}, 20);
const code = await program.ended;
clearInterval(watch);
const seconds = (performance.now() - startedAt) / 1_000;
const rows = days * 1_440;
const facts = {
  code,
  rows,
  seconds: Number(seconds.toFixed(2)),
  rowsPerSecond: Math.round(rows / seconds),
  peakRssMb: Math.round(peakBytes / 1e6),
  storeMb: Math.round(statSync(store).size / 1e6),
};
process.stdout.write(
  values.json
    ? `${JSON.stringify(facts)}\n`
    : `${program.stderr()}${Object.entries(facts)
        .map(([name, value]) => `${name.padEnd(14)} ${value}`)
        .join('\n')}\n`,
);
rmSync(folder, { recursive: true, force: true });
process.exitCode = code === 0 && (!values.built || facts.peakRssMb < 200) ? 0 : 1;
