/** `candlestate verify`: what it refuses, what it says, and how it ends. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Row } from '../../machines/model/row.ts';
import { flagSource, readSettings } from '../../src/cli/settings.ts';
import { planVerify, VERIFY_READERS } from '../../src/cli/verify-plan.ts';
import { reportOf, reportText, type VerifyReport } from '../../src/cli/verify-report.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { Differences } from '../../src/history/compare/differences.ts';
import { loadHistory } from '../../src/history-load.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { asRows, barsOf, FROM, found, plant, seriesOf, write } from '../store/faulty.ts';
import { execute, filesOf, useFolder } from '../store/stores.ts';
import { startExchange } from '../support/collector.ts';
import { until, within } from '../support/wait.ts';

const { here } = useFolder();
const BTC = seriesOf('1m');
const at = (index: number): number => FROM + index * 60_000;

const CHILD = fileURLToPath(new URL('./verify.child.ts', import.meta.url));

/** The letter that Linux has for what a process does; empty when there is none. */
const stateOf = (pid: string): string => {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) ? (readFileSync(path, 'utf8').split(') ')[1]?.[0] ?? '') : '';
};

/** The command as a process. */
function start(flags: Record<string, unknown>) {
  const args = ['--disable-warning=ExperimentalWarning', CHILD, JSON.stringify({ db: here.path, ...flags })];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
    });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, ...text }));
  });
  return { child, ended: () => within('the end of verify', ended) };
}

const run = (flags: Record<string, unknown> = {}) => start(flags).ended();

const reported = async (flags: Record<string, unknown> = {}) => {
  const { code, stdout, stderr } = await run({ json: true, ...flags });
  return { code, stderr, report: JSON.parse(stdout) as VerifyReport };
};

const gap = (from: number, to: number): Row => ({
  gap: { ...BTC, fromOpenTime: at(from), toOpenTime: at(to), reason: 'the exchange lacks it', detectedAt: 1 },
});

const hundred = (): void => write(here.path, asRows(barsOf(BTC, 100)));

describe('the command', () => {
  test('says that a sound store is, and what is in it, ends with 0, and has changed nothing', async () => {
    hundred();
    const before = filesOf(here.folder);
    const { code, stdout, stderr } = await run();
    expect(code).toBe(0);
    expect(stdout).toContain('BTCUSDT@1m   100  2024-07-01T00:00Z  2024-07-01T01:39Z     0         0');
    expect(stdout).toContain(`${here.path} (simulator): sound\n`);
    expect(stderr).toBe('');
    expect(filesOf(here.folder)).toEqual(before);
  });

  test('names what is wrong, and ends with 1', async () => {
    hundred();
    execute(here.path, `DELETE FROM candles WHERE open_time BETWEEN ${at(40)} AND ${at(49)}`);
    const { code, stdout } = await run();
    expect(code).toBe(1);
    expect(stdout).toContain(
      'hole: 1\n  BTCUSDT@1m 2024-07-01T00:40Z to 2024-07-01T00:49Z (10 bars): neither stored nor named\n',
    );
    expect(stdout).toContain('not sound, 1 finding\n');
  });

  test('prints one object for programs', async () => {
    hundred();
    plant(here.path, `UPDATE candles SET low = high + 1 WHERE open_time = ${at(7)}`);
    const { code, report } = await reported();
    expect(code).toBe(1);
    expect(report).toEqual({
      path: here.path,
      origin: 'simulator',
      sound: false,
      series: [
        {
          ...BTC,
          bars: 100,
          firstOpenTime: at(0),
          lastOpenTime: at(99),
          openGaps: 0,
          openGapBars: 0,
          findings: 1,
        },
      ],
      findings: [
        { kind: 'ohlc', ...BTC, openTime: at(7), found: 'low above high', values: expect.any(Object) },
      ],
      counts: {
        hole: 0,
        misaligned: 0,
        overlapping: 0,
        ohlc: 1,
        source: 0,
        closeTime: 0,
        unknownInterval: 0,
        gap: 0,
        future: 0,
        watermark: 0,
        integrity: 0,
      },
      gaps: [],
    });
  });

  test('reports recorded gaps, and fails on them only when it is to be strict', async () => {
    write(here.path, asRows(barsOf(BTC, 10)), [gap(10, 11)], asRows(barsOf(BTC, 5, at(12))));
    const loose = await reported();
    expect(loose).toMatchObject({ code: 0, report: { sound: true, findings: [] } });
    expect(loose.report.gaps).toMatchObject([{ ...BTC, fromOpenTime: at(10), toOpenTime: at(11) }]);
    expect(await reported({ strict: true })).toMatchObject({
      code: 1,
      report: { sound: false, findings: [] },
    });
  });

  test('S04 finds a damaged file, and ends with 1', async () => {
    write(here.path, asRows(barsOf(BTC, 2_000)));
    truncateSync(here.path, 20 * 4096);
    const { code, report } = await reported();
    expect(code).toBe(1);
    expect(report.counts.integrity).toBeGreaterThan(0);
  });

  test.each([
    ['a symbol', { symbol: 'ethusdt' }, '--symbol: "ethusdt"'],
    ['an interval', { interval: '5m' }, '--interval: "5m"'],
  ])('refuses %s that the store has not, with 2', async (_, flags, words) => {
    hundred();
    const { code, stderr, stdout } = await run(flags);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
  });

  test('refuses a store that is missing, with 2, and makes none', async () => {
    const { code, stderr } = await run();
    expect(code).toBe(2);
    expect(stderr).toContain('--db');
    expect(filesOf(here.folder)).toEqual({});
  });

  test.runIf(process.platform === 'linux').each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends at once on %s while it looks, and so does what it has started', async (signal, code) => {
    write(here.path, asRows(barsOf(BTC, 1)));
    // Enough for a second.
    execute(
      here.path,
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600000)
      INSERT INTO candles SELECT symbol, interval, open_time + i * 60000, open, high, low, close, volume,
      close_time + i * 60000, quote_volume, count, taker_buy_volume, taker_buy_quote_volume, source FROM candles, n`,
    );
    const { child, ended } = start({});
    const children = (): string =>
      readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
    await until('it looks', () => children() !== '');
    const looking = children();
    child.kill(signal);
    const { stdout, ...end } = await ended();
    expect({ code: end.code, stdout }).toEqual({ code, stdout: '' });
    // Gone, or dead and not yet buried by who is to do that.
    await expect.poll(() => stateOf(looking)).toMatch(/^[ZX]?$/);
  });
});

describe('what it was told', () => {
  const refusal = async (flags: Record<string, unknown>): Promise<string> => {
    try {
      await planVerify(readSettings(VERIFY_READERS, [flagSource({ db: here.path, ...flags })]));
    } catch (error) {
      if (error instanceof ConfigurationError) return error.message;
      throw error;
    }
    return 'taken';
  };

  test.each([
    ['an interval that there is not', { interval: '1mo' }, '--interval'],
    ['a range that ends before it begins', { from: '2024-02-01', to: '2024-01-01' }, '--to'],
    ['another exchange to compare with', { against: 'binance' }, '--against'],
    ['URLs without a comparison', { restUrl: 'http://127.0.0.1:1' }, '--rest-url'],
    ['a cache without a comparison', { cacheDir: 'x' }, '--cache-dir'],
    ['files for REST', { against: 'rest', archiveDir: 'x' }, '--archive-dir'],
    [
      'a cache and none',
      { against: 'vision', visionUrl: 'https://a.b', cacheDir: 'x', noCache: true },
      '--cache-dir',
    ],
    ['a network and URLs', { against: 'rest', network: 'mainnet', restUrl: 'https://a.b' }, '--network'],
    ['a network that the store is not from', { against: 'rest', network: 'mainnet' }, '--network'],
    ['no URL for a store of the simulator', { against: 'rest' }, '--rest-url'],
    ['the other URL', { against: 'vision', restUrl: 'http://127.0.0.1:1' }, '--vision-url'],
  ])('is refused when it is %s', async (_, flags, option) => {
    hundred();
    expect(await refusal(flags)).toContain(option);
  });

  test.each([
    ['a letter', 'a letter to a friend '.repeat(100), 'no candlestate store'],
    ['nothing', '', 'empty'],
  ])('is refused when the file is %s', async (_, content, words) => {
    writeFileSync(here.path, content);
    expect(await refusal({})).toContain(words);
  });

  test('is taken when it can be done', async () => {
    hundred();
    expect(await refusal({ against: 'rest', restUrl: 'http://127.0.0.1:1' })).toBe('taken');
    expect(await refusal({ against: 'vision', archiveDir: here.folder })).toBe('taken');
    expect(await refusal({ symbol: 'btcusdt', interval: '1m', from: '2024-01-01' })).toBe('taken');
  });
});

test('a text for people shows no control characters of a store, and times that no calendar has as numbers', () => {
  write(here.path, asRows(barsOf({ ...BTC, symbol: 'X\u001b[2J' }, 3)));
  plant(
    here.path,
    "INSERT INTO gaps VALUES ('A', '1m', 9000000000000000, 9000000000060000, 'a\u0007', 1, NULL)",
  );
  const text = reportText(reportOf({ found: found(here.path), isStrict: false, against: undefined }));
  expect(text).toContain('X\\u001b[2J@1m');
  expect(text).toContain('9000000000000000 to 9000000000060000');
  expect(text).not.toContain('\u0007');
});

test('a report that differs says in what', () => {
  hundred();
  const differences = new Differences();
  const numbers = (volume: number) => (field: string) => (field === 'volume' ? volume : at(5));
  differences.compare(BTC, numbers(1), numbers(2));
  differences.miss('there', BTC, at(6), at(5));
  differences.replace({ path: 'data/x.zip', before: 'aa', now: 'bb' });
  const report = reportOf({
    found: found(here.path),
    isStrict: false,
    against: { source: 'vision', differences },
  });
  expect(report).toMatchObject({
    sound: false,
    against: { same: false, counts: { different: 1, there: 1 } },
  });
  const text = reportText(report);
  expect(text).toContain('BTCUSDT@1m 2024-07-01T00:05Z: volume 1, theirs 2');
  expect(text).toContain('by field: volume 1');
  expect(text).toContain('bars theirs, and not stored: 1\n  BTCUSDT@1m 2024-07-01T00:06Z (1 bar)');
  expect(text).toContain('data/x.zip: aa, now bb');
  expect(text).toContain('not sound, not the same as vision\n');
});

describe('against an exchange', { timeout: 30_000 }, () => {
  const DAY = 86_400_000;
  const NIGHT = Date.UTC(2026, 1, 3);
  const PLACE = "symbol = 'BTCUSDT' AND open_time";

  /** Two days of a simulated exchange that is at noon of the tenth of February, in a store. */
  async function loaded(): Promise<SimulatedExchange> {
    const exchange = await startExchange({ startTime: Date.UTC(2026, 1, 10, 12), timeScale: 1 });
    const { restUrl, visionUrl } = exchange;
    const range = { symbol: 'BTCUSDT', interval: '5m', from: NIGHT, to: NIGHT + 2 * DAY } as const;
    const load = loadHistory({
      ...range,
      network: { restUrl, visionUrl },
      origin: 'simulator',
      store: here.path,
    });
    expect(await load.done).toMatchObject({ outcome: 'finished', bars: { stored: 576 } });
    return exchange;
  }

  test.each(['rest', 'vision'] as const)(
    'S04 a store is the same as %s, until a number is changed and a bar is gone',
    async (against) => {
      const { restUrl, visionUrl } = await loaded();
      const flags = { against, ...(against === 'rest' ? { restUrl } : { visionUrl }) };
      const before = filesOf(here.folder);
      const same = await reported(flags);
      expect(same).toMatchObject({
        code: 0,
        report: {
          sound: true,
          against: { source: against, same: true, counts: { compared: 576, different: 0 } },
        },
      });
      expect(filesOf(here.folder)).toEqual(before);

      execute(
        here.path,
        `UPDATE candles SET volume = volume + 1 WHERE ${PLACE} = ${NIGHT + 300_000};
      DELETE FROM candles WHERE ${PLACE} = ${NIGHT + 600_000};
      INSERT INTO gaps VALUES ('BTCUSDT', '5m', ${NIGHT + 600_000}, ${NIGHT + 600_000}, 'none', 1, NULL)`,
      );
      const differs = await reported(flags);
      expect(differs.code).toBe(1);
      expect(differs.report).toMatchObject({
        sound: false,
        findings: [],
        against: {
          same: false,
          counts: { compared: 575, different: 1, there: 1, here: 0 },
          differences: [{ symbol: 'BTCUSDT', interval: '5m', openTime: NIGHT + 300_000, field: 'volume' }],
          absences: [{ kind: 'there', fromOpenTime: NIGHT + 600_000, bars: 1 }],
        },
      });
    },
  );

  test.each([
    [
      'before its first bar and behind its last',
      `open_time NOT BETWEEN ${NIGHT + 600_000} AND ${NIGHT + DAY}`,
    ],
    ['and has nothing else', 'TRUE'],
  ])('a store that names bars as missing %s differs when the exchange has them', async (_, where) => {
    const { restUrl } = await loaded();
    execute(
      here.path,
      `INSERT INTO gaps SELECT symbol, interval, open_time, open_time, 'none', 1, NULL FROM candles WHERE ${where};
      DELETE FROM candles WHERE ${where}`,
    );
    const { code, report } = await reported({ against: 'rest', restUrl });
    const named = report.series[0]?.openGapBars;
    expect(named).toBeGreaterThan(0);
    expect({ code, findings: report.findings }).toEqual({ code: 1, findings: [] });
    expect(report.against).toMatchObject({
      same: false,
      counts: { compared: 576 - (named ?? 0), there: named },
    });
    // Nothing beyond the range that is looked at.
    const part = { from: String(NIGHT + 600_000), to: String(NIGHT + 900_000) };
    expect((await reported({ against: 'rest', restUrl, ...part })).report.against?.counts).toMatchObject(
      where === 'TRUE' ? { compared: 0, there: 1 } : { compared: 1, there: 0 },
    );
  });

  test('what the archive has not published yet is told and no fault; one that can not be reached is', async () => {
    const exchange = await loaded();
    const { visionUrl, restUrl } = exchange;
    const dir = join(here.folder, 'cache');
    exchange.inject({ kind: 'rest', path: '/fapi/v1/klines', status: 503 });
    const rest = start({ against: 'rest', restUrl });
    const vision = await reported({ against: 'vision', visionUrl, cacheDir: dir });
    expect(vision).toMatchObject({ code: 0, report: { against: { same: true } } });
    rest.child.kill('SIGINT');
    expect((await rest.ended()).code).toBe(130);
  });
});
