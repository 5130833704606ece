import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { timed, until } from '../support/wait.ts';
import { contentsOf, emptyFolder, start } from './child.ts';

const CANARY = 'canary-9f3b1c';
const recordsIn = (stdout: string): { type: string; symbol: string; interval: string; openTime: number }[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** Symbols in the lines that are complete. */
const symbolsIn = (stdout: string): string[] =>
  recordsIn(stdout.slice(0, stdout.lastIndexOf('\n') + 1)).map(({ symbol }) => symbol);

describe('collect on the embedded exchange', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stops by one %s with %i, and nothing was on standard output', async (signal, code) => {
    const run = start(['collect'], { cwd: emptyFolder() });
    await run.says(/closed BTCUSDT 1m 2\d{3}-\S+Z O [\d.]+ H [\d.]+ L [\d.]+ C [\d.]+ V [\d.]+/);
    run.process.kill(signal);
    const { value: ended, took } = await timed(run.ended());
    expect(took).toBeLessThan(5_000);
    expect(ended).toMatchObject({ code, signal: null, stdout: '' });
    expect(ended.stderr).toContain('checks ok clean=true');
    expect(contentsOf(join(run.cwd, 'data'))).toContain('simulator.db');
  });

  test('ends with 0 when its duration is over', async () => {
    const run = start(['collect', '--duration', '1s', '--no-http'], { cwd: emptyFolder() });
    expect((await run.ended()).code).toBe(0);
  });

  test('stops by a signal while it starts', async () => {
    const run = start(['collect', '--log-level', 'debug'], { cwd: emptyFolder() });
    await run.says('collecting from');
    run.process.kill('SIGTERM');
    expect((await run.ended()).code).toBe(143);
  });

  test('stops by a signal while the exchange can not be reached, and does not give up before', async () => {
    const urls = ['--ws-url', 'ws://127.0.0.1:9', '--rest-url', 'http://127.0.0.1:9'];
    const run = start(['collect', ...urls], { cwd: emptyFolder() });
    await run.says(/warn .*127\.0\.0\.1:9/);
    run.process.kill('SIGINT');
    expect((await run.ended()).code).toBe(130);
  });

  test('B06 ends with 0 and quietly when the reader of its lines goes away', async () => {
    const run = start(['collect', '--stdout', 'jsonl', '--log-level', 'warn'], { cwd: emptyFolder() });
    await until('a line', () => run.stdout().includes('\n'));
    run.process.stdout?.destroy();
    const { code, stderr } = await run.ended();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('writes each closed candle once and in order, as JSON lines', async () => {
    const run = start(
      ['collect', '--stdout', 'jsonl', '--symbols', 'btcusdt', '--intervals', '1m', '--time-scale', '600'],
      {
        cwd: emptyFolder(),
      },
    );
    await until('ten lines', () => run.stdout().split('\n').length > 10);
    run.process.kill('SIGINT');
    const { code, stdout } = await run.ended();
    expect(code).toBe(130);
    const times = recordsIn(stdout).map(({ openTime }) => openTime);
    expect(times).toEqual(times.map((_, index) => (times[0] ?? 0) + index * 60_000));
    expect(recordsIn(stdout)[0]).toMatchObject({ type: 'candle', symbol: 'BTCUSDT', interval: '1m' });
  });

  test('collects every symbol that the embedded exchange lists when it is told all', async () => {
    const run = start(['collect', '--stdout', 'jsonl', '--symbols', 'ALL', '--intervals', '1m'], {
      cwd: emptyFolder(),
    });
    await until('a line of each', () => new Set(symbolsIn(run.stdout())).size === 15);
    run.process.kill('SIGINT');
    const { code, stdout } = await run.ended();
    expect(code).toBe(130);
    expect(symbolsIn(stdout)).toContain('币安人生USDT');
  });

  test('goes on behind its last candle when it is started again on the same store', async () => {
    const cwd = emptyFolder();
    const args = ['collect', '--stdout', 'jsonl', '--symbols', 'BTCUSDT', '--intervals', '1m'];
    const last: number[] = [];
    for (const round of [0, 1]) {
      const run = start(args, { cwd });
      await until(`a line in round ${round}`, () => run.stdout().includes('\n'));
      run.process.kill('SIGINT');
      const { stdout } = await run.ended();
      last.push(recordsIn(stdout)[0]?.openTime ?? 0, recordsIn(stdout).at(-1)?.openTime ?? 0);
    }
    expect(last[2]).toBe((last[1] ?? 0) + 60_000);
  });

  test('S09 refuses a store that another process writes with 1 and says who', async () => {
    const cwd = emptyFolder();
    const holder = start(['collect'], { cwd });
    await holder.says('→ streaming');
    const { code, stderr } = await start(['collect'], { cwd }).ended();
    expect(code).toBe(1);
    expect(stderr).toContain('STORE_LOCKED');
    expect(stderr).toContain(String(holder.process.pid));
  });

  test('refuses a store of another origin with 2 and names --db', async () => {
    const cwd = emptyFolder();
    const first = start(['collect', '--db', 'x.db', '--duration', '1s'], { cwd });
    expect((await first.ended()).code).toBe(0);
    const { code, stderr } = await start(['collect', '--db', 'x.db', '--network', 'testnet'], {
      cwd,
    }).ended();
    expect(code).toBe(2);
    expect(stderr).toMatch(/--db: "x\.db".*simulator/);
  });

  test('X01 never shows a secret, at whatever level', async () => {
    const env = {
      BINANCE_API_KEY: `${CANARY}-key`,
      BINANCE_API_SECRET: `${CANARY}-secret`,
      HTTPS_PROXY: `http://me:${CANARY}@127.0.0.1:9`,
    };
    const run = start(['collect', '--log-level', 'debug', '--stdout', 'jsonl', '--duration', '1s'], {
      cwd: emptyFolder(),
      env,
    });
    const { code, stdout, stderr } = await run.ended();
    expect(code).toBe(0);
    expect(stderr).toContain('options');
    expect(stdout + stderr).not.toContain(CANARY);
  });

  test('logs JSON and nothing else when it is asked to', async () => {
    const run = start(['collect', '--log-format', 'json', '--duration', '1s'], { cwd: emptyFolder() });
    const { stderr } = await run.ended();
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines)
      expect(line).toMatchObject({ time: expect.any(String), level: expect.any(String) });
  });
});

describe('history --dry-run', () => {
  const RANGE = ['--symbol', 'BTCUSDT', '--interval', '1m', '--from', '2024-01-01', '--to', '2024-01-02'];
  const args = ['history', ...RANGE, '--archive-dir', '.', '--dry-run'];

  test('prints its plan on standard output, and writes nothing', async () => {
    const cwd = emptyFolder();
    const { code, stdout } = await start(args, { cwd }).ended();
    expect(code).toBe(0);
    expect(stdout).toContain('BTCUSDT 1m from 2024-01-01T00:00Z to 2024-01-02T00:00Z');
    expect(contentsOf(cwd)).toEqual([]);
  });

  test.runIf(existsSync('/dev/full')).each([
    ['', []],
    [' as JSON', ['--json']],
  ])('ends with 1 when its plan can not be written%s', async (_, more) => {
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const { code, stderr } = await start([...args, ...more], { cwd: emptyFolder(), stdout: full }).ended();
    expect(code).toBe(1);
    expect(stderr).toMatch(/error the plan could not be printed .*ENOSPC/);
  });
});

describe('simulate', () => {
  test('prints one line with its URLs, serves collect, and stops by SIGINT with 130', async () => {
    const exchange = start(
      ['simulate', '--seed', '7', '--symbols', 'foousdt,BARUSDT', '--time-scale', '120'],
      { cwd: emptyFolder() },
    );
    await until('its line', () => exchange.stdout().includes('\n'));
    const facts = JSON.parse(exchange.stdout());
    expect(facts).toMatchObject({ seed: 7, timeScale: 120, symbols: ['FOOUSDT', 'BARUSDT'] });
    expect(Object.keys(facts)).toEqual(
      expect.arrayContaining(['wsUrl', 'restUrl', 'visionUrl', 'controlUrl']),
    );

    const cwd = emptyFolder();
    const urls = ['--ws-url', facts.wsUrl, '--rest-url', facts.restUrl, '--vision-url', facts.visionUrl];
    const collector = start(
      ['collect', ...urls, '--time-scale', '120', '--symbols', 'FOOUSDT', '--intervals', '1m'],
      { cwd },
    );
    await collector.says('closed FOOUSDT 1m');
    collector.process.kill('SIGTERM');
    expect((await collector.ended()).code).toBe(143);
    expect(existsSync(join(cwd, 'data', 'custom.db'))).toBe(true);

    exchange.process.kill('SIGINT');
    expect((await exchange.ended(2_000)).code).toBe(130);
  });

  test('X10 a symbol that the exchange does not list ends collect with 2 and names --symbols', async () => {
    const exchange = start(['simulate'], { cwd: emptyFolder() });
    await until('its line', () => exchange.stdout().includes('\n'));
    const facts = JSON.parse(exchange.stdout());
    const cwd = emptyFolder();
    const urls = ['--ws-url', facts.wsUrl, '--rest-url', facts.restUrl];
    const { code, stderr } = await start(['collect', ...urls, '--symbols', 'NOSUCHUSDT'], { cwd }).ended();
    expect(code).toBe(2);
    expect(stderr).toMatch(/--symbols.*NOSUCHUSDT/);
  });

  test('a port that is taken ends with 1 and names --port', async () => {
    const first = start(['simulate'], { cwd: emptyFolder() });
    await until('its line', () => first.stdout().includes('\n'));
    const { port } = new URL(JSON.parse(first.stdout()).restUrl);
    const { code, stdout, stderr } = await start(['simulate', '--port', port], {
      cwd: emptyFolder(),
    }).ended();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`--port: ${port} is taken`);
  });
});
