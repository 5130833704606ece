/** The paper trader as its users run it: real processes, signals, and what is in its database and log afterwards. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'vitest';
import { Ledger } from '../../docs/examples/paper-trader/ledger.ts';
import { startSimulator } from '../../src/simulator/index.ts';
import { timed, until } from '../support/wait.ts';
import { emptyFolder, FOLDER, logIn, rowsIn, startTrader, unevenOrders } from './trader.ts';

const LOGGED = ['--paper', '--log-file', 'paper.log'];

/** The lines of a log that one of these patterns fits, in the order of the log, with the pattern. */
const linesThat = (log: string, patterns: readonly RegExp[]) =>
  log.split('\n').flatMap((line) => patterns.filter((pattern) => pattern.test(line)));

describe.concurrent('the paper trader', { timeout: 90_000 }, () => {
  test('one command shows all four ways to end, and each comes out as it should', async ({
    expect,
    onTestFinished,
  }) => {
    const run = startTrader([], emptyFolder(onTestFinished), onTestFinished, 'scenarios.ts');
    const code = await run.ended();
    const titles = run
      .stdout()
      .split('\n')
      .filter((line) => /^\S/u.test(line));
    expect(titles, run.stdout()).toEqual([
      'Normal end: main.ts --paper --duration 2s',
      'Error in the middle of a run: main.ts --paper --fail-after 2s',
      'Ctrl+C with an order half filled: main.ts --paper',
      'Cleanup called three times',
      '4 of 4 came out as they should',
    ]);
    for (const wanted of [0, 1, 130])
      expect(run.stdout()).toContain(`✓ exit code ${wanted}, wanted ${wanted}`);
    for (const round of [2, 3]) expect(run.stdout()).toContain(`cleanup ${round}/3: already completed`);
    expect(run.stdout()).not.toContain('✗');
    expect(code).toBe(0);
  });

  test('its connection is pinged every ten seconds', async ({ expect, onTestFinished }) => {
    const exchange = await startSimulator({ timeScale: 60 });
    onTestFinished(() => exchange.close());
    const urls = ['--ws-url', exchange.wsUrl, '--rest-url', exchange.restUrl, '--time-scale', '60'];
    startTrader([...LOGGED, ...urls], emptyFolder(onTestFinished), onTestFinished);
    const first = (kind: string) => exchange.log().find((entry) => entry.kind === kind);
    await until('a ping', () => first('ping') !== undefined, 60_000);
    const after = (first('ping')?.wallMs ?? 0) - (first('open')?.wallMs ?? 0);
    expect(Math.round(after / 1_000)).toBe(10);
  });

  test('one Ctrl+C stops orders, prices and state in this order, each with its deadline, and saves the final state', async ({
    expect,
    onTestFinished,
  }) => {
    const cwd = emptyFolder(onTestFinished);
    const run = startTrader(LOGGED, cwd, onTestFinished);
    await run.says('order partly filled');
    run.kill('SIGINT');
    const { value: code, took } = await timed(run.ended());
    expect(code, run.stderr()).toBe(130);
    expect(took).toBeLessThan(5_000);
    const steps = [
      /SIGINT: stopping/u,
      // Told within a few ms of the wish to stop.
      /OrderManager stops timeoutMs=(2000|19\d\d)/u,
      /PriceManager stops timeoutMs=(1000|9\d\d)/u,
      /streaming → stopping/u,
      /StateManager stops timeoutMs=(2000|19\d\d)/u,
      /final state saved and verified/u,
    ];
    const log = logIn(cwd);
    expect(linesThat(log, steps), log).toEqual(steps);
    const [, stopping = ''] = log.split('OrderManager stops');
    expect(stopping).toContain('order cancelled');
    expect(stopping).not.toContain('order placed');
    expect(log).not.toMatch(/^\S+ (warn|error) /mu);
    expect(unevenOrders(join(cwd, 'paper.db'))).toEqual([]);
  });

  test('two Ctrl+C while a fill is being committed end it at once, and the books agree', async ({
    expect,
    onTestFinished,
  }) => {
    const cwd = emptyFolder(onTestFinished);
    const path = join(cwd, 'paper.db');
    const run = startTrader(LOGGED, cwd, onTestFinished);
    await run.says('order partly filled');
    const partly = "SELECT id FROM orders WHERE status = 'partly filled'";
    await until('a partly filled order in the database', () => rowsIn(path, partly).length > 0);
    // Another program holds the database, so that the commit of the next fills is under way and cannot end.
    const other = new DatabaseSync(path, { timeout: 1_000 });
    onTestFinished(() => other.close());
    other.exec('BEGIN IMMEDIATE');
    await run.says('another program holds the database; the batch waits');
    run.kill('SIGINT');
    await run.says('streaming → stopping');
    run.kill('SIGINT');
    const { value: code, took } = await timed(run.ended());
    expect(code).toBe(1);
    // Well before a stop would be over, and while nothing can be committed. The second it has to itself is held by
    // `npm run endings`, beside which nothing runs.
    expect(took).toBeLessThan(4_500);
    other.exec('ROLLBACK');
    expect(logIn(cwd)).toMatch(/Forced exit requested[\s\S]*\bat /u);
    expect(logIn(cwd)).not.toContain('final state saved');
    expect(rowsIn(path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    expect(unevenOrders(path)).toEqual([]);
    expect(rowsIn(path, partly)).not.toEqual([]);
    // The next run finds the order that was cut off, and ends well.
    const next = startTrader([...LOGGED, '--duration', '1s'], cwd, onTestFinished);
    expect(await next.ended(), next.stderr()).toBe(0);
    expect(next.stderr()).toContain('left open by a run that was cut off');
    expect(rowsIn(path, partly)).toEqual([]);
    expect(unevenOrders(path)).toEqual([]);
  });

  test('runs follow each other on one database with no pause, and go on where the last one ended', async ({
    expect,
    onTestFinished,
  }) => {
    const cwd = emptyFolder(onTestFinished);
    let last = 0;
    for (const round of [1, 2]) {
      const run = startTrader(LOGGED, cwd, onTestFinished);
      await run.says(/order (partly )?filled/u);
      run.kill('SIGINT');
      expect(await run.ended(), `round ${round}: ${run.stderr()}`).toBe(130);
      const fills = rowsIn<{ filled_at: number }>(
        join(cwd, 'paper.db'),
        'SELECT filled_at FROM fills ORDER BY id',
      );
      const times = fills.map((fill) => fill.filled_at);
      expect(times, 'exchange time goes on').toEqual(times.toSorted((a, b) => a - b));
      expect(times.at(-1)).toBeGreaterThan(last);
      last = times.at(-1) ?? 0;
    }
    expect(rowsIn(join(cwd, 'paper.db'), 'SELECT orders FROM final_state')).toEqual(
      rowsIn(join(cwd, 'paper.db'), 'SELECT count(*) AS orders FROM orders'),
    );
    expect(unevenOrders(join(cwd, 'paper.db'))).toEqual([]);
  });

  test('a final state that turns out wrong is said, and the exit code is 1', async ({
    expect,
    onTestFinished,
  }) => {
    const cwd = emptyFolder(onTestFinished);
    const path = join(cwd, 'paper.db');
    new Ledger(path).close();
    const other = new DatabaseSync(path);
    other.exec(`CREATE TRIGGER spoil AFTER INSERT ON final_state
      BEGIN UPDATE final_state SET orders = 99, checksum = 'spoiled'; END`);
    other.close();
    expect(await startTrader([...LOGGED, '--duration', '1s'], cwd, onTestFinished).ended()).toBe(1);
    expect(logIn(cwd)).toMatch(/the final state is wrong: final state/u);
  });

  test('prices come by REST while no socket can be had, and are called stale when REST is gone, too', async ({
    expect,
    onTestFinished,
  }) => {
    const cwd = emptyFolder(onTestFinished);
    const exchange = await startSimulator({ timeScale: 60 });
    onTestFinished(() => exchange.close());
    const urls = ['--ws-url', exchange.wsUrl, '--rest-url', exchange.restUrl, '--time-scale', '60'];
    const run = startTrader([...LOGGED, ...urls], cwd, onTestFinished);
    await run.says('prices come by WebSocket');
    exchange.inject({ kind: 'refuse' });
    exchange.inject({ kind: 'drop' });
    await run.says(/no socket is left: prices come by REST[\s\S]*order (partly )?filled/u);
    await run.says(/order placed .*source=rest/u);
    exchange.inject({ kind: 'rest', destroy: true });
    await run.says('price is stale');
    run.kill('SIGTERM');
    expect(await run.ended(), run.stderr()).toBe(143);
  });

  test.for([
    ['--duration 1s', /^--paper is required: there is no live trading here\nusage: /u],
    [
      '--paper --ws-url nowhere --rest-url http://a',
      /^wrong configuration: network\.wsUrl: "nowhere".*\nusage: /u,
    ],
  ] satisfies [string, RegExp][])(
    'a wrong flag is refused with 2, and nothing is opened: %s',
    async ([args, says], { expect, onTestFinished }) => {
      const cwd = emptyFolder(onTestFinished);
      const run = startTrader(args.split(' '), cwd, onTestFinished);
      expect(await run.ended()).toBe(2);
      expect(readdirSync(cwd)).toEqual([]);
      expect(run.stderr()).toMatch(says);
    },
  );

  test('the commands of its README work as they stand there', async ({ expect, onTestFinished }) => {
    const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');
    const commands = [
      ...readme.matchAll(/^node --conditions=candlestate-source docs\/examples\/paper-trader\/(.*)$/gmu),
    ];
    expect(commands.map(([, command]) => command)).toEqual([
      'main.ts --paper --duration 60s',
      'scenarios.ts',
    ]);
    const cwd = emptyFolder(onTestFinished);
    const run = startTrader(['--paper', '--duration', '60s'], cwd, onTestFinished);
    await run.says('order placed');
    run.kill('SIGINT');
    expect(await run.ended(), run.stderr()).toBe(130);
    // What it is said to print, times and numbers apart.
    const shape = (line: string): string =>
      line
        .trim()
        .replace(/^\S+ /u, '')
        .replace(/[\d.]+/gu, '#');
    const shown = /```text\n([\s\S]*?)```/u.exec(readme)?.[1]?.trim().split('\n').map(shape);
    // Nothing of SQLite's stays beside a database that was closed.
    expect(readdirSync(cwd).filter((file) => /-(wal|shm)$/u.test(file))).toEqual([]);
    const printed = run.stderr().split('\n').map(shape);
    for (const line of shown ?? ['no output is shown']) expect(printed).toContain(line);
  });
});
