import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Candle, Series } from '../../machines/model/kline.ts';
import type { Row } from '../../machines/model/row.ts';
import { EXPORT_READERS, planExport } from '../../src/cli/export-plan.ts';
import { flagSource, readSettings } from '../../src/cli/settings.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { SqliteWriter } from '../../src/store/writer.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { at, BTC, bar, ETH } from '../pipeline/candles.ts';
import { execute, query, useFolder } from '../store/stores.ts';
import { csvNumbers, duck, parquetNumbers } from '../store/tables.ts';
import { seeded } from '../support/seeded.ts';
import { until, within } from '../support/wait.ts';

const { here, writer } = useFolder();
const SCRIPT = fileURLToPath(new URL('./export.child.ts', import.meta.url));

const plan = (flags: Record<string, unknown>) =>
  planExport(readSettings(EXPORT_READERS, [flagSource({ db: here.path, ...flags })]));

/** What is wrong, one line for each thing. */
async function refusal(flags: Record<string, unknown>): Promise<string> {
  try {
    return `taken: ${JSON.stringify(await plan(flags))}`;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.issues.map(({ option, given, allowed }) => `${option} ${given} ${allowed}`).join('\n');
  }
}

/** A store with these rows, whose writer has gone. */
async function store(rows: readonly Row[], path = here.path): Promise<void> {
  const one = writer('simulator', path);
  await one.open();
  await one.commit(rows, Number.NaN);
  await one.close(Number.NaN);
}

/** Bars with numbers by chance, from two sources. */
function bars(from: number, to: number, series: Series = BTC): Row[] {
  const random = seeded(from + 1);
  const real = (): number => Number((random() * 10 ** (random() * 9)).toFixed(8));
  return Array.from({ length: to - from }, (_, index) => {
    const change: Partial<Candle> = {
      open: real(),
      volume: real(),
      quoteVolume: real(),
      takerBuyVolume: real(),
    };
    return { candle: bar(at(from + index), index % 7 < 5 ? 'vision' : 'rest', series, change) };
  });
}

const COLUMNS = `open_time, open, high, low, close, volume, close_time, quote_volume, count, taker_buy_volume,
  taker_buy_quote_volume`;
const stored = (where = '1 = 1'): number[][] =>
  query(
    here.path,
    `SELECT ${COLUMNS} FROM candles WHERE symbol = 'BTCUSDT' AND ${where} ORDER BY open_time`,
  ).map((row) => Object.values(row) as number[]);

interface Run {
  readonly process: ReturnType<typeof spawn>;
  stdout(): string;
  stderr(): string;
  readonly ended: Promise<number | null>;
}

function start(flags: Record<string, unknown>, stdout: 'pipe' | number = 'pipe', limit = ''): Run {
  const command = [
    '-c',
    `${limit} exec "$0" "$@"`,
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    SCRIPT,
  ];
  const child = spawn('bash', [...command, JSON.stringify({ db: here.path, ...flags })], {
    cwd: here.folder,
    stdio: ['ignore', stdout, 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (piece: string) => {
      text[name] += piece;
    });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    process: child,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    ended: within('the end of the export', ended, 15_000),
  };
}

const names = (): string[] => readdirSync(here.folder).sort();
const STORE = ['store.db', 'store.db.lock'];

describe('what export is asked for', () => {
  test('a store that is missing, empty, foreign or without bars names --db', async () => {
    const other = join(here.folder, 'other');
    expect(await refusal({ db: undefined })).toMatch(/^--db nothing the path of a store/);
    expect(await refusal({ db: other })).toMatch(/^--db ".*other" a store; there is no such file/);
    writeFileSync(other, '');
    expect(await refusal({ db: other })).toMatch(/^--db .*a store; this file is empty/);
    writeFileSync(other, 'x'.repeat(2_000));
    expect(await refusal({ db: other })).toMatch(/^--db .*no candlestate store/);
    execute(join(here.folder, 'sqlite'), 'CREATE TABLE t (x)');
    expect(await refusal({ db: join(here.folder, 'sqlite') })).toMatch(/^--db .*of another program/);
    await store([]);
    expect(await refusal({})).toMatch(/^--db .*a store with bars in it/);
    expect(names()).toEqual(['other', 'sqlite', ...STORE]);
  });

  test('the series need not be said when there is one, and is asked for when there are more', async () => {
    await store([...bars(0, 2), ...bars(0, 2, ETH)]);
    expect(await refusal({})).toMatch(/^--symbol nothing one series .* BTCUSDT@1m, ETHUSDT@1m$/);
    expect(await plan({ symbol: 'ethusdt' })).toMatchObject({ series: ETH });
    expect(await refusal({ symbol: 'SOLUSDT' })).toMatch(
      /^--symbol "SOLUSDT" a series .* BTCUSDT@1m, ETHUSDT@1m$/,
    );
    expect(await refusal({ symbol: 'ETHUSDT', interval: '5m' })).toMatch(
      /^--interval "5m" a series of the store/,
    );
    expect(await refusal({ interval: '1M' })).toMatch(/^--interval "1M" a series of the store/);
    expect(await refusal({ interval: '1m' })).toMatch(/^--symbol nothing one series/);
  });

  test('the format is that of the name, and may not contradict it', async () => {
    await store(bars(0, 2));
    expect(await plan({})).toMatchObject({ format: 'csv', out: undefined });
    expect(await plan({ out: '-' })).toMatchObject({ format: 'csv', out: undefined });
    const [csv, other] = [join(here.folder, 'a.CSV'), join(here.folder, 'a.txt')];
    expect(await plan({ out: csv })).toMatchObject({ format: 'csv', out: csv });
    expect(await plan({ out: other, format: 'parquet' })).toMatchObject({ format: 'parquet' });
    expect(await refusal({ out: csv, format: 'parquet' })).toMatch(
      /^--out .* a name that ends with \.parquet, or --format csv/,
    );
    expect(await refusal({ out: other })).toMatch(/^--format nothing csv or parquet/);
    expect(await refusal({ format: 'parquet' })).toMatch(
      /^--out nothing .*Parquet is not written to standard output/,
    );
    expect(await refusal({ format: 'parquet', out: '-' })).toMatch(/^--out "-" /);
    expect(await refusal({ format: 'json' })).toMatch(/^--format "json" one of csv, parquet/);
  });

  test('a place that is taken, or is none, names --out', async () => {
    await store(bars(0, 2));
    const out = join(here.folder, 'a.csv');
    writeFileSync(out, 'old');
    expect(await refusal({ out })).toMatch(/^--out .*a name that is free, or --force/);
    expect(await plan({ out, force: true })).toMatchObject({ replace: true });
    mkdirSync(join(here.folder, 'b.csv'));
    expect(await refusal({ out: join(here.folder, 'b.csv'), force: true })).toMatch(/this is a folder/);
    expect(await refusal({ out: join(here.folder, 'no', 'c.csv') })).toMatch(/in a folder that exists/);
    expect(await refusal({ out: join(out, 'c.csv') })).toMatch(/^--out /);
    expect(await refusal({ out: '/dev/null', format: 'csv', force: true })).toMatch(
      /the path of a file; this is none/,
    );
  });

  test.each(['', '-wal', '-shm', '.lock'])(
    'the store itself (%s) is never what is written',
    async (ending) => {
      await store(bars(0, 2));
      expect(await refusal({ out: `${here.path}${ending}`, format: 'csv', force: true })).toMatch(
        /^--out .*another file; this one is part of the store/,
      );
    },
  );

  test('all that is wrong is said at once', async () => {
    const text = await refusal({ db: undefined, out: 'a.txt', from: '2021-02-01', to: '2021-01-01' });
    expect(text.split('\n').map((line) => line.split(' ')[0])).toEqual(['--db', '--format', '--to']);
  });
});

describe('a file that was exported', () => {
  test('is the store, as CSV and as Parquet, and says what it holds', async () => {
    await store([...bars(0, 12_000), ...bars(0, 5, ETH)]);
    const runs: Run[] = [];
    for (const out of ['a.csv', 'a.parquet']) {
      const run = start({ out, symbol: 'BTCUSDT' });
      runs.push(run);
      expect(await run.ended).toBe(0);
    }
    expect(names()).toEqual(['a.csv', 'a.parquet', ...STORE]);
    const found = stored();
    expect(found).toHaveLength(12_000);
    expect(csvNumbers(join(here.folder, 'a.csv'))).toEqual(found);
    expect(await parquetNumbers(join(here.folder, 'a.parquet'))).toEqual(found);
    const sources = await duck(
      join(here.folder, 'a.parquet'),
      'SELECT source, count(*) FROM $file GROUP BY ALL ORDER BY ALL',
    );
    expect(sources.map(([name, rows]) => [name, Number(rows)])).toEqual(
      query(
        here.path,
        "SELECT source, count(*) FROM candles WHERE symbol = 'BTCUSDT' GROUP BY 1 ORDER BY 1",
      ).map((row) => Object.values(row)),
    );
    for (const run of runs) {
      expect(run.stdout()).toBe('');
      expect(run.stderr()).toMatch(
        /^\S+ info {2}exported BTCUSDT@1m to \S+ rows=12000 bytes=\d+ seconds=[\d.]+ first=2023-11-14T22:13Z last=2023-11-23T06:12Z\n$/,
      );
    }
  });

  test('begins with the bar of --from and ends before that of --to', async () => {
    await store(bars(0, 20));
    const range = { from: new Date(at(5)).toISOString(), to: at(9) };
    const [part, between, odd] = [
      start({ out: 'a.csv', ...range }),
      start({ out: 'b.csv', from: at(9) + 1, to: at(10) }),
      start({ out: 'c.csv', from: String(at(17) - 1) }),
    ];
    expect([await part.ended, await between.ended, await odd.ended]).toEqual([0, 0, 0]);
    expect(csvNumbers(join(here.folder, 'a.csv'))).toEqual(
      stored(`open_time >= ${at(5)} AND open_time < ${at(9)}`),
    );
    expect(csvNumbers(join(here.folder, 'b.csv'))).toEqual([]);
    expect(between.stderr()).toMatch(
      /warn {2}the store has no bar of BTCUSDT@1m in that range; b\.csv has none/,
    );
    expect(csvNumbers(join(here.folder, 'c.csv')).map(([time]) => time)).toEqual([at(17), at(18), at(19)]);
  });

  test('can not show what lacks, so that is said: between its bars, and where a gap is named', async () => {
    const gap = { ...BTC, fromOpenTime: at(20), toOpenTime: at(24), reason: 'none', detectedAt: 1 };
    await store([...bars(0, 10), ...bars(13, 20), { gap }]);
    const [all, begin] = [start({ out: 'a.parquet' }), start({ out: 'b.parquet', to: at(12) })];
    expect([await all.ended, await begin.ended]).toEqual([0, 0]);
    expect(all.stderr()).toMatch(
      /warn {2}8 bars in 2 gaps lack.* first="2023-11-14T22:23Z to 2023-11-14T22:26Z"/,
    );
    expect(begin.stderr()).not.toContain('warn');
  });

  test('on standard output is the same bytes, and nothing else', async () => {
    await store(bars(0, 3_000));
    const out = openSync(join(here.folder, 'redirected.csv'), 'w');
    const runs = [start({ out: 'a.csv' }), start({}), start({ out: '-' }, out)];
    expect(await Promise.all(runs.map((run) => run.ended))).toEqual([0, 0, 0]);
    const text = readFileSync(join(here.folder, 'a.csv'), 'utf8');
    expect(runs[1]?.stdout()).toBe(text);
    expect(readFileSync(join(here.folder, 'redirected.csv'), 'utf8')).toBe(text);
  });

  test('replaces another with --force alone', async () => {
    await store(bars(0, 3));
    writeFileSync(join(here.folder, 'a.csv'), 'old');
    const refused = start({ out: 'a.csv' });
    expect(await refused.ended).toBe(2);
    expect(refused.stderr()).toContain('--out: "a.csv" won\'t do; a name that is free, or --force');
    expect(readFileSync(join(here.folder, 'a.csv'), 'utf8')).toBe('old');
    expect(await start({ out: 'a.csv', force: true }).ended).toBe(0);
    expect(csvNumbers(join(here.folder, 'a.csv'))).toEqual(stored());
  });
});

describe('an export that goes on for a while', () => {
  const LONG = 200_000;
  let master = '';
  beforeAll(async () => {
    master = mkdtempSync(join(tmpdir(), 'candlestate-export-'));
    const many = Array.from({ length: LONG }, (_, index) => ({
      candle: bar(at(index), 'vision', BTC, { open: Math.sqrt(index) }),
    }));
    const one = new SqliteWriter({ path: join(master, 'store.db'), origin: 'simulator', clock: systemClock });
    await one.open();
    await one.commit(many, Number.NaN);
    await one.close(Number.NaN);
  });
  afterAll(() => rmSync(master, { recursive: true }));
  beforeEach(() => copyFileSync(join(master, 'store.db'), here.path));
  const begun = (): Promise<void> =>
    until('the file to be begun', () => names().some((name) => name.startsWith('.a.csv.')), 10_000);

  test('writes 200,000 rows', async () => {
    expect(await start({ out: 'a.parquet' }).ended).toBe(0);
    const [row] = await duck(
      join(here.folder, 'a.parquet'),
      'SELECT count(*), min(open_time), max(open_time), sum(open) FROM $file',
    );
    expect(row?.slice(0, 3).map(Number)).toEqual([LONG, at(0), at(LONG - 1)]);
    expect(row?.[3]).toBeCloseTo(
      query(here.path, 'SELECT sum(open) AS n FROM candles')[0]?.['n'] as number,
      3,
    );
  });

  test('ends with 0 and quietly when its reader goes away', async () => {
    const run = start({});
    run.process.stdout?.once('data', () => run.process.stdout?.destroy());
    expect(await run.ended).toBe(0);
    expect(run.stderr()).toBe('');
  });

  test('is stopped by SIGINT with 130, also while its reader has stalled', async () => {
    const run = start({});
    const exit = once(run.process, 'exit');
    run.process.stdout?.once('data', () => {
      run.process.stdout?.pause();
      run.process.kill('SIGINT');
    });
    expect((await within('the exit', exit, 4_000))[0]).toBe(130);
    run.process.stdout?.resume();
  });

  test('leaves nothing when it is stopped', async () => {
    const run = start({ out: 'a.csv' });
    await begun();
    run.process.kill('SIGTERM');
    expect(await run.ended).toBe(143);
    expect(run.stderr()).not.toMatch(/error|exported/);
    expect(names()).toEqual(['store.db']);
  });

  test('leaves nothing when there is no room', async () => {
    const run = start({ out: 'b.csv' }, 'pipe', 'ulimit -f 1000;');
    expect(await run.ended).toBe(1);
    expect(run.stderr()).toMatch(/error .*b\.csv could not be written, and nothing of it was left: EFBIG/);
    expect(names()).toEqual(['store.db']);
  });

  test('is of one moment, while a collector begins, writes and ends', async () => {
    const run = start({ out: 'a.csv' });
    await begun();
    const change = { open: 1 };
    for (let round = 0; round < 3; round++) {
      const from = LONG + round * 2_000;
      await store(
        Array.from({ length: 2_000 }, (_, index) => ({ candle: bar(at(from + index), 'rest', BTC, change) })),
      );
    }
    expect(await run.ended).toBe(0);
    const lines = readFileSync(join(here.folder, 'a.csv'), 'utf8').split('\n').slice(1, -1);
    expect((lines.length - LONG) % 2_000).toBe(0);
    const wanted = stored().slice(0, lines.length);
    expect(lines.findIndex((line, row) => line !== `${wanted[row]},0`)).toBe(-1);
  });
});
