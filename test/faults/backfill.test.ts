/** History is fetched beside everything else, and survives being killed. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { INTERVALS } from '../../src/index.ts';
import { emptyFolder, start } from '../cli/child.ts';
import { evidenceOf } from '../oracle/afterwards.ts';
import { describeViolations, judge } from '../oracle/judge.ts';
import { query, startExchange } from '../support/collector.ts';
import { until, within } from '../support/wait.ts';

const DAY = 86_400_000;
const SERIES = [
  { symbol: 'BTCUSDT', interval: INTERVALS[0] },
  { symbol: 'ETHUSDT', interval: INTERVALS[0] },
];

test('H12 killed in the middle of a backfill: the next run goes on behind the last stored bar', async () => {
  const exchange = await startExchange({ timeScale: 240 });
  // Each page takes a little, as in life.
  exchange.inject({ kind: 'rest', path: '/fapi/v1/klines', delayMs: 40 });
  const cwd = emptyFolder();
  const store = join(cwd, 'candles.db');
  const args = [
    'collect',
    '--symbols',
    'BTCUSDT,ETHUSDT',
    '--intervals',
    '1m',
    '--no-http',
    '--log-format',
    'json',
  ];
  const network = ['--ws-url', exchange.wsUrl, '--rest-url', exchange.restUrl, '--time-scale', '240'];
  const run = () => start([...args, ...network, '--db', store, '--backfill', '10d'], { cwd });
  const stored = (): number => {
    try {
      return Number(query(store, 'SELECT count(*) AS n FROM candles')[0]?.['n']);
    } catch {
      return 0;
    }
  };
  const one = run();
  await until('the first rows', () => stored() > 0, 10_000);
  // It asked for no later beginning than ten days before now.
  const backfillFrom = exchange.now() - 10 * DAY;
  await until('a part of the history', () => stored() > 6_000, 15_000);
  one.process.kill('SIGKILL');
  await one.ended();
  const count = stored();
  expect(count).toBeLessThan(25_000);
  const marks = query(store, 'SELECT symbol, max(open_time) AS at FROM candles GROUP BY symbol');

  exchange.clearLog();
  const two = run();
  await until('all of the history', () => stored() >= 2 * 10 * 1440, 20_000);
  const caughtUpAt = exchange.now();
  await until('a few live bars', () => exchange.now() > caughtUpAt + 5 * 60_000);
  const endedAt = exchange.now();
  two.process.kill('SIGINT');
  expect((await within('its end', two.ended())).code).toBe(130);

  for (const { symbol, at } of marks) {
    const asked = exchange
      .log()
      .map((entry) => new URL(entry.path ?? '/', 'http://exchange').searchParams)
      .filter((params) => params.get('symbol') === symbol && params.has('startTime'))
      .map((params) => Number(params.get('startTime')));
    expect(Math.min(...asked), `first question for ${symbol}`).toBeGreaterThan(Number(at));
  }
  const found = { store, series: SERIES, truth: exchange.truth, timeScale: 240, backfillFrom };
  const evidence = evidenceOf({ ...found, endedAt, readAt: exchange.now(), faultsOverAt: caughtUpAt });
  expect(describeViolations(judge(evidence))).toBe('');
});

test('H12 killed while it fetches history from before what was stored: the next run, not asked for any, leaves no hole', async () => {
  const exchange = await startExchange({ timeScale: 240 });
  const cwd = emptyFolder();
  const store = join(cwd, 'candles.db');
  const args = ['collect', '--symbols', 'BTCUSDT', '--intervals', '1m', '--no-http', '--db', store];
  const network = ['--ws-url', exchange.wsUrl, '--rest-url', exchange.restUrl, '--time-scale', '240'];
  const run = (...more: string[]) => start([...args, ...network, ...more], { cwd });
  const facts = () =>
    query(
      store,
      'SELECT count(*) AS n, (max(open_time) - min(open_time)) / 60000 + 1 AS span FROM candles',
    )[0];
  expect((await run('--duration', '2s').ended()).code).toBe(0);
  const before = Number(facts()?.['n']);
  expect(before).toBeGreaterThan(2);

  exchange.inject({ kind: 'rest', path: '/fapi/v1/klines', delayMs: 100 });
  const two = run('--backfill', '10d');
  await until('a part of the history', () => Number(facts()?.['n']) > before + 1_000, 15_000);
  two.process.kill('SIGKILL');
  await two.ended();
  expect(Number(facts()?.['span'])).toBeGreaterThan(Number(facts()?.['n']) + 1_000);

  exchange.clearFaults();
  const three = run();
  await until('no hole', () => facts()?.['n'] === facts()?.['span'], 15_000);
  three.process.kill('SIGINT');
  expect((await three.ended()).code).toBe(130);
  expect(facts()?.['n']).toBe(facts()?.['span']);
  expect(query(store, 'SELECT * FROM gaps')).toEqual([]);
});
