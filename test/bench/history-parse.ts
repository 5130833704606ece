/**
 * How fast bars are read, beside what one would take otherwise: `node test/bench/history-parse.ts [--rounds 25] [--json]`.
 * Each round runs all sides one after the other, on the same bytes, and compares them: what else the machine does meets
 * all of them. Prints medians of the rounds, and exits 1 when a ratio is below its target.
 *
 * - a month of minutes from its zip file: the same unzip, then ours, or `csv-parse` and `Number`
 * - a klines body: ours, or `JSON.parse` and `Number`
 * - the same by HTTP from a server in another process: our client and ours, or `fetch`, `JSON.parse` and `Number`
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { parse } from 'csv-parse';
import { parse as parseAtOnce } from 'csv-parse/sync';
import { zipSync } from 'fflate';
import yauzl from 'yauzl';
import { CsvReader } from '../../src/binance/csv.ts';
import { readKlineRows } from '../../src/binance/kline-rows.ts';
import type { HttpClient } from '../../src/ports.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { createHttpClient } from '../../src/transport/http.ts';
import { shared } from '../support/fixtures.ts';
import { seeded } from '../support/seeded.ts';
import { grouped, median } from './numbers.ts';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '25' },
    json: { type: 'boolean', default: false },
    serve: { type: 'boolean', default: false },
  },
});
const rounds = Number(flags.rounds);
if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= 1_000)) {
  process.stderr.write('--rounds 1 to 1000\n');
  process.exit(2);
}

const SERIES = { symbol: 'LINKUSDT', interval: '1m' } as const;
const FILE = 'fixtures/vision/data/futures/um/monthly/klines/LINKUSDT/1m/LINKUSDT-1m-2023-02.zip';
const MONTH_ROWS = 44_640;
const FIELDS = 11;

/** A row as the archive has it. */
function csvRow(index: number, random: () => number): string {
  const openTime = Date.UTC(2023, 0, 1) + index * 60_000;
  const price = (): string => (20_000 + random() * 10_000).toFixed(2);
  const prices = [price(), price(), price(), price()].join();
  const [volume, quote, count] = [random() * 500, random() * 1e7, Math.floor(random() * 5_000)];
  return `${openTime},${prices},${volume.toFixed(3)},${openTime + 59_999},${quote.toFixed(5)},${count},${(volume / 2).toFixed(3)},${(quote / 2).toFixed(5)},0`;
}
const csvRows = (count: number): string[] => {
  const random = seeded(1);
  return Array.from({ length: count }, (_, index) => csvRow(index, random));
};

/** A klines body of so many bars. */
function klinesBody(count: number): Buffer {
  const isPlain = (index: number): boolean => index === 0 || index === 6 || index === 8;
  const rows = csvRows(count).map((line) =>
    line.split(',').map((text, index) => (isPlain(index) ? Number(text) : text)),
  );
  return Buffer.from(JSON.stringify(rows));
}

/** As anybody turns rows of texts to numbers. */
function toNumbers(rows: unknown[][]): number {
  for (const row of rows) for (let index = 0; index < FIELDS; index++) row[index] = Number(row[index]);
  return rows.length;
}

function unzip(zip: Buffer): Promise<Readable> {
  const entry = Promise.withResolvers<Readable>();
  yauzl.fromBuffer(zip, { lazyEntries: true }, (error, file) => {
    if (error) return entry.reject(error);
    file.once('entry', (found) =>
      file.openReadStream(found, (failed, stream) => (failed ? entry.reject(failed) : entry.resolve(stream))),
    );
    file.readEntry();
  });
  return entry.promise;
}

interface Side {
  readonly name: string;
  /** Reads all, and says how many rows. */
  readonly run: () => number | Promise<number>;
}
interface Race {
  readonly what: string;
  readonly target: number;
  readonly repeat: number;
  /** Ours is the first. */
  readonly sides: readonly [Side, ...Side[]];
}

function archiveRace(): Race {
  const isThere = existsSync(shared(FILE));
  const text = `${csvRows(MONTH_ROWS).join('\n')}\n`;
  const zip = isThere ? readFileSync(shared(FILE)) : Buffer.from(zipSync({ 'a.csv': Buffer.from(text) }));
  const from_line = isThere ? 2 : 1;
  return {
    what: `unzip and read a month of minutes${isThere ? '' : ', generated'}`,
    target: 3,
    repeat: 1,
    sides: [
      {
        name: 'CsvReader',
        async run() {
          const reader = new CsvReader(SERIES, { rowsMax: MONTH_ROWS });
          for await (const chunk of await unzip(zip)) reader.push(chunk as Buffer);
          return reader.end().block.rows;
        },
      },
      {
        name: 'csv-parse at once',
        run: async () => toNumbers(parseAtOnce(await buffer(await unzip(zip)), { from_line }) as string[][]),
      },
      {
        name: 'csv-parse as a stream',
        async run() {
          let rows = 0;
          for await (const row of (await unzip(zip)).pipe(parse({ from_line }))) rows += toNumbers([row]);
          return rows;
        },
      },
    ],
  };
}

function bodyRace(count: number): Race {
  const body = klinesBody(count);
  return {
    what: `a klines body of ${count} bars`,
    target: 1.5,
    repeat: 25,
    sides: [
      { name: 'readKlineRows', run: () => readKlineRows(SERIES, body).rows },
      { name: 'JSON.parse', run: () => toNumbers(JSON.parse(body.toString()) as unknown[][]) },
    ],
  };
}

function httpRace(count: number, origin: string, client: HttpClient): Race {
  const url = `${origin}/${count}`;
  return {
    what: `a page of ${count} bars by HTTP`,
    target: 1.5,
    repeat: 25,
    sides: [
      {
        name: 'client and readKlineRows',
        run: async () =>
          readKlineRows(SERIES, (await client.get({ url, timeoutMs: 10_000, maxBytes: 1e7 })).bytes).rows,
      },
      {
        name: 'fetch and JSON.parse',
        run: async () => toNumbers(JSON.parse(await (await fetch(url)).text()) as unknown[][]),
      },
    ],
  };
}

/** Rows per second of a side in one round. */
async function timed({ run }: Side, repeat: number): Promise<number> {
  const began = performance.now();
  let rows = 0;
  for (let n = 0; n < repeat; n++) rows += await run();
  return (rows / (performance.now() - began)) * 1_000;
}

/** `ratio`: of ours to the others, to that which comes nearest. */
async function decide({ what, target, repeat, sides }: Race) {
  const speeds = sides.map((): number[] => []);
  // The first rounds warm up and count for nothing.
  for (let round = -3; round < rounds; round++)
    for (const [index, side] of sides.entries()) {
      const speed = await timed(side, repeat);
      if (round >= 0) speeds[index]?.push(speed);
    }
  const results = sides.map(({ name }, index) => ({ name, rowsPerSecond: median(speeds[index] ?? []) }));
  const [ours = [], ...others] = speeds;
  const ratios = others.map((other) => median(other.map((speed, round) => (ours[round] ?? 0) / speed)));
  return { what, target, ratio: Math.min(...ratios), results };
}

/** The server of the pages: `/499` has a klines body of 499 bars. */
function serve(): void {
  const bodies = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const body = bodies.get(path) ?? klinesBody(Number(path.slice(1)));
    bodies.set(path, body);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.once('disconnect', () => process.exit());
}

async function race(child: ChildProcess): Promise<void> {
  const port = await new Promise((resolve) => child.once('message', resolve));
  const origin = `http://127.0.0.1:${port}`;
  const client = createHttpClient(systemClock);
  const races = [
    archiveRace(),
    bodyRace(499),
    bodyRace(1_500),
    httpRace(499, origin, client),
    httpRace(1_500, origin, client),
  ];
  const outcomes: Awaited<ReturnType<typeof decide>>[] = [];
  for (const one of races) outcomes.push(await decide(one));
  await client.close();
  if (flags.json) process.stdout.write(`${JSON.stringify(outcomes)}\n`);
  else
    for (const { what, target, ratio, results } of outcomes) {
      process.stdout.write(`${what}: ${ratio.toFixed(2)} times as fast (target ${target})\n`);
      for (const { name, rowsPerSecond } of results)
        process.stdout.write(
          `  ${name.padEnd(26)} ${grouped(Math.round(rowsPerSecond)).padStart(12)} rows/s\n`,
        );
    }
  if (outcomes.some(({ ratio, target }) => ratio < target)) process.exitCode = 1;
}

if (flags.serve) serve();
else {
  const child = fork(import.meta.filename, ['--serve']);
  try {
    await race(child);
  } finally {
    child.disconnect();
  }
}
