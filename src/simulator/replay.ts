import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { type Interval, isInterval, nextOpenTime } from '../../machines/model/interval.ts';
import { recordedSource } from './recorded.ts';
import type { BarSource } from './source.ts';

/** An archive file by its name: `SYMBOL-INTERVAL-YYYY-MM[-DD].zip`. */
interface ArchiveFile {
  readonly path: string;
  readonly symbol: string;
  readonly interval: Interval;
  readonly daily: boolean;
}

const NAME = /^(.+)-([0-9]+[a-zA-Z]+)-(\d{4}-\d{2})(-\d{2})?\.zip$/u;
const DAY_MS = 86_400_000;

/** Reads the archive files of a folder. Every problem is an error that names the file. */
export function loadReplay(dir: string, symbols?: readonly string[]): BarSource[] {
  const wanted = symbols && new Set(symbols);
  const bySymbol = new Map<string, ArchiveFile[]>();
  for (const file of findFiles(dir)) {
    if (wanted && !wanted.has(file.symbol)) continue;
    const files = bySymbol.get(file.symbol);
    if (files) files.push(file);
    else bySymbol.set(file.symbol, [file]);
  }
  for (const symbol of wanted ?? []) {
    if (!bySymbol.has(symbol)) throw new Error(`replay: no kline files of ${symbol} in ${dir}`);
  }
  if (bySymbol.size === 0) throw new Error(`replay: no kline files (SYMBOL-1m-YYYY-MM-DD.zip) in ${dir}`);
  return Array.from(bySymbol, ([symbol, files]) => loadSymbol(symbol, files));
}

function findFiles(dir: string): ArchiveFile[] {
  const root = join(dir, 'data', 'futures', 'um');
  const start = existsSync(root) ? root : dir;
  let names: string[];
  try {
    names = readdirSync(start, { recursive: true, encoding: 'utf8' });
  } catch (cause) {
    throw new Error(`replay: cannot read ${dir}`, { cause });
  }
  const files: ArchiveFile[] = [];
  for (const name of names.sort()) {
    // Mark price and index klines have the same file names in other folders.
    if (start === root && !/[\\/]klines[\\/]/u.test(name)) continue;
    const [, symbol, interval, , day] = NAME.exec(basename(name)) ?? [];
    if (symbol === undefined || !isInterval(interval)) continue;
    files.push({ path: join(start, name), symbol, interval, daily: day !== undefined });
  }
  return files;
}

/** The smallest interval there is becomes the base; larger ones are summed from it. */
function loadSymbol(symbol: string, files: readonly ArchiveFile[]): BarSource {
  const length = (file: ArchiveFile): number => nextOpenTime(file.interval, 0);
  const usable = files.filter((file) => length(file) <= DAY_MS);
  const smallest = usable.toSorted((a, b) => length(a) - length(b))[0];
  if (smallest === undefined) throw new Error(`replay: ${symbol} has no files of 1d or less`);
  const interval = smallest.interval;
  const rows = new Map<number, string>();
  const base = usable.filter((file) => file.interval === interval);
  // Daily files last: where both have a bar, the daily one is right (binance-public-data issue 475).
  for (const file of [...base.filter((f) => !f.daily), ...base.filter((f) => f.daily)]) readRows(file, rows);
  const times = Float64Array.from(rows.keys()).sort();
  if (times.length === 0) throw new Error(`replay: the files of ${symbol} hold no rows`);
  return recordedSource(symbol, interval, times, rows);
}

/** Adds the rows of a file by open time; checks the digest if there is one. */
function readRows(file: ArchiveFile, rows: Map<number, string>): void {
  const bytes = readFileSync(file.path);
  const checksum = `${file.path}.CHECKSUM`;
  if (existsSync(checksum)) {
    const expected = readFileSync(checksum, 'utf8').slice(0, 64).toLowerCase();
    const actual = createHash('sha256').update(bytes).digest('hex');
    if (actual !== expected) {
      throw new Error(`replay: ${file.path} does not match its CHECKSUM (${actual}, expected ${expected})`);
    }
  }
  let text: string;
  try {
    const members = Object.values(unzipSync(bytes));
    text = strFromU8(members[0] ?? new Uint8Array());
  } catch (cause) {
    throw new Error(`replay: ${file.path} is no zip file`, { cause });
  }
  const length = nextOpenTime(file.interval, 0);
  let start = 0;
  let line = 0;
  while (start < text.length) {
    let end = text.indexOf('\n', start);
    if (end === -1) end = text.length;
    const row = text.slice(start, text[end - 1] === '\r' ? end - 1 : end);
    start = end + 1;
    line++;
    // Newer files begin with a header, older ones with the first row: only the first byte tells.
    if (row === '' || (line === 1 && row.startsWith('open_time'))) continue;
    const openTime = Number(row.slice(0, row.indexOf(',')));
    if (!Number.isSafeInteger(openTime) || openTime <= 0 || openTime % length !== 0) {
      throw new Error(`replay: ${file.path} line ${line}: not an open time of ${file.interval}`);
    }
    rows.set(openTime, row);
  }
}
