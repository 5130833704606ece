/**
 * The whole way of a backfill, from zip files to a store, beside what one would write by hand: `node
 * test/bench/history-store.ts [--rounds 5] [--json]`. Each round does both, one after the other, on the same half year of
 * minutes. Prints medians, and exits 1 when it is less than three times as fast.
 *
 * - ours: `loadHistory` from a folder of archive files into a store: checksums, unzip, numbers, every bar checked, commits
 * - by hand: the same unzip, `csv-parse` with the header's names, `Number`, and an insert for each row by `node:sqlite`, a
 *   file in a transaction; nothing is verified or checked
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { parse } from 'csv-parse/sync';
import { ARCHIVE_COLUMNS } from '../../src/binance/csv-line.ts';
import { unzip } from '../../src/history/archive/unzip.ts';
import { loadHistory } from '../../src/history-load.ts';
import { writeArchive } from './archive-of-truth.ts';
import { grouped, median } from './numbers.ts';

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
});
const rounds = Number(flags.rounds);
const TARGET = 3;
const SERIES = { symbol: 'BTCUSDT', interval: '1m' } as const;
const [FROM, TO] = [Date.UTC(2025, 0, 1), Date.UTC(2025, 6, 1)];
const ROWS = (TO - FROM) / 60_000;
const COLUMNS = ARCHIVE_COLUMNS.slice(0, -1);

const folder = mkdtempSync(join(tmpdir(), 'candlestate-store-'));
const archive = join(folder, 'archive');
const files = writeArchive(archive, SERIES, FROM, TO, 'month');

async function ours(store: string): Promise<number> {
  const report = await loadHistory({ ...SERIES, from: FROM, to: TO, archiveDir: archive, store }).done;
  return report.bars.stored;
}

async function byHand(store: string): Promise<number> {
  const database = new DatabaseSync(store);
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    CREATE TABLE candles (symbol TEXT, interval TEXT, ${COLUMNS.join(' REAL, ')} REAL, source TEXT,
    PRIMARY KEY (symbol, interval, open_time)) WITHOUT ROWID`);
  const places = Array(COLUMNS.length + 3).fill('?');
  const insert = database.prepare(`INSERT OR IGNORE INTO candles VALUES (${places.join(', ')})`);
  let rows = 0;
  for (const file of files) {
    const text = await buffer(unzip(join(archive, file.path), file));
    database.exec('BEGIN');
    for (const record of parse(text, { columns: true }) as Record<string, string>[]) {
      insert.run(SERIES.symbol, SERIES.interval, ...COLUMNS.map((name) => Number(record[name])), 'vision');
      rows += 1;
    }
    database.exec('COMMIT');
  }
  database.close();
  return rows;
}

const sides = { ours, byHand };
const rates: Record<keyof typeof sides, number[]> = { ours: [], byHand: [] };
for (let round = 0; round < rounds; round++)
  for (const [name, run] of Object.entries(sides) as [keyof typeof sides, typeof ours][]) {
    const startedAt = performance.now();
    const rows = await run(join(folder, `${name}-${round}.db`));
    if (rows !== ROWS) throw new Error(`${name} stored ${rows} of ${ROWS} rows`);
    rates[name].push((rows / (performance.now() - startedAt)) * 1_000);
  }
rmSync(folder, { recursive: true, force: true });
const ratio = median(rates.ours.map((rate, round) => rate / (rates.byHand[round] ?? Number.NaN)));
const facts = {
  rows: ROWS,
  oursRowsPerSecond: Math.round(median(rates.ours)),
  byHandRowsPerSecond: Math.round(median(rates.byHand)),
  ratio: Number(ratio.toFixed(2)),
};
process.stdout.write(
  flags.json
    ? `${JSON.stringify(facts)}\n`
    : `unzip, read and store ${facts.rows} rows: ${facts.ratio} times as fast (target ${TARGET})
  loadHistory                   ${grouped(facts.oursRowsPerSecond)} rows/s
  csv-parse and node:sqlite     ${grouped(facts.byHandRowsPerSecond)} rows/s
`,
);
process.exitCode = ratio >= TARGET ? 0 : 1;
