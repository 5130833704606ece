/**
 * A year of minutes from local archive files into a store: `node test/bench/history-year.ts [--days 365] [--months]
 * [--built] [--json]`. `--months`: month files instead of day files; `--built`: what `npm run build` has made instead of the
 * sources. Prints seconds, rows/s and the most memory that the program had. The files are made first, and are gone
 * afterwards. Exit 1: it failed, or the built program had 200 MB or more.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { strToU8, zipSync } from 'fflate';
import { nextOpenTime } from '../../machines/model/interval.ts';
import { createTruth } from '../../src/simulator/index.ts';
import { BUILT, startProgram } from '../support/program.ts';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '365' },
    months: { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const days = Number(values.days);
const [DAY_MS, MINUTE_MS] = [86_400_000, 60_000];
/** Early enough that five years have ended. */
const FROM = Date.UTC(2021, 0, 1);
const SYMBOL = 'BTCUSDT';
const HEADER =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore';

const folder = mkdtempSync(join(tmpdir(), 'candlestate-year-'));
const tree = values.months ? 'monthly' : 'daily';
const place = join(folder, 'archive/data/futures/um', tree, 'klines', SYMBOL, '1m');
mkdirSync(place, { recursive: true });
const truth = createTruth({ seed: 1, symbols: [SYMBOL] });

function writeFile(from: number, to: number): void {
  const name = `${SYMBOL}-1m-${new Date(from).toISOString().slice(0, values.months ? 7 : 10)}`;
  const lines = [HEADER];
  for (let at = from; at < to; at += MINUTE_MS) {
    const bar = truth.bar(SYMBOL, '1m', at);
    if (bar === undefined) throw new Error(`the simulated exchange has no bar at ${at}`);
    const { openTime, open, high, low, close, volume, closeTime, quoteVolume, count } = bar;
    lines.push(
      [openTime, open, high, low, close, volume, closeTime, quoteVolume, count]
        .concat([bar.takerBuyVolume, bar.takerBuyQuoteVolume, 0] as never[])
        .join(','),
    );
  }
  const zip = zipSync({ [`${name}.csv`]: strToU8(`${lines.join('\n')}\n`) }, { level: 6 });
  writeFileSync(join(place, `${name}.zip`), zip);
  const digest = createHash('sha256').update(zip).digest('hex');
  writeFileSync(join(place, `${name}.zip.CHECKSUM`), `${digest}  ${name}.zip\n`);
}

const interval = values.months ? '1M' : '1d';
for (let from = FROM; from < FROM + days * DAY_MS; from = nextOpenTime(interval, from))
  writeFile(from, nextOpenTime(interval, from));

const store = join(folder, 'year.db');
const startedAt = performance.now();
const program = startProgram(
  [
    ...['history', '--symbol', SYMBOL, '--interval', '1m', '--from', String(FROM)],
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
