/** Processes that stand still, clocks that jump, timers that come late: the exchange's time decides, and nothing is lost. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../src/index.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { CANDLESTATE, Child } from '../endings/launch.ts';
import {
  expectWhole,
  folder,
  newStore,
  optionsFor,
  QUICK,
  query,
  startExchange,
  storedCandles,
} from '../support/collector.ts';
import { until, within } from '../support/wait.ts';
import type { Line } from './frozen.child.ts';
import { scene, streaming } from './scene.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** What is said of a clock that jumped, or a process that stood still. */
const JUMPED = 'the clock jumped, or the machine slept';

/** Nobody asks a silent socket for a sign of life but who has noticed that the clock jumped. */
const UNASKED = { ...QUICK, pingIntervalMs: 60_000 };

describe('T01', () => {
  /** Longer than what counts as a late look at the clock, wall ms. */
  const FROZEN_MS = 6_500;
  /** By then a pong that does not come has been noticed, wall ms; the rest is for a machine that is busy. */
  const NOTICED_MS = 400 + 1_500;

  test('T01 a process that was stopped believes its socket no more, though that is open, and fetches what it missed', async () => {
    const timeScale = 240;
    const exchange = await startExchange({ timeScale });
    const store = newStore();
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', fileURLToPath(new URL('./frozen.child.ts', import.meta.url))],
      {
        env: { ...process.env, COLLECT: JSON.stringify(optionsFor(exchange, { store, timing: UNASKED })) },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const lines = (): Line[] =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Line);
    const words = () => lines().filter((line) => 'at' in line);
    const candles = () => lines().flatMap((line) => ('candle' in line ? [line.candle] : []));
    await until(
      'both series are live, and bars come',
      () => words().at(-1)?.live === 2 && candles().length > 3,
    );

    child.kill('SIGSTOP');
    const said = words().length;
    // Nobody says so to the process: its socket stays open and silent.
    exchange.inject({ kind: 'halfOpen' });
    const frozenUntil = exchange.now() + FROZEN_MS * timeScale;
    await until('its time has passed', () => exchange.now() > frozenUntil);
    expect(words()).toHaveLength(said);
    const wokenAt = Date.now();
    child.kill('SIGCONT');

    await until('it says that it is not connected', () =>
      words()
        .slice(said)
        .some((word) => !word.isConnected),
    );
    const doubted = words()
      .slice(said)
      .find((word) => !word.isConnected)!;
    expect(doubted.at - wokenAt).toBeLessThan(NOTICED_MS);
    expect(lines()).toContainEqual({ warning: expect.stringContaining(JUMPED) });
    await until('it is live again', () => words().at(-1)?.isConnected === true && words().at(-1)?.live === 2);
    const until2 = exchange.now() + 2 * MINUTE;
    await until('bars of later', () => candles().some(({ openTime }) => openTime > until2));
    child.kill('SIGTERM');
    expect(await within('the end of the process', ended)).toBe(0);
    // What was missed while it stood still, some 26 bars, is there: no hole, no double, in order, as on the exchange.
    expectWhole(storedCandles(store), exchange, ['BTCUSDT', 'ETHUSDT'], 28);
    expect(query(store, 'SELECT * FROM gaps')).toEqual([]);
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
      const told = candles().filter((one) => one.symbol === symbol);
      const stored = storedCandles(store).filter((one) => one.symbol === symbol);
      expect(told.map(({ openTime }) => openTime)).toEqual(stored.map(({ openTime }) => openTime));
    }
  }, 30_000);
});

describe('T02', () => {
  test('T02 the machine slept for eight hours: its clock is set anew, an open socket not believed, what was missed fetched', async () => {
    const timeScale = 240;
    const sleptExchangeMs = 8 * HOUR;
    let sleptMs = 0;
    // To who slept, the exchange's clock and the calendar jump; what measures durations stood still.
    const exchangeClock = { ...systemClock, now: () => systemClock.now() + sleptMs };
    const clock = { ...systemClock, wallNow: () => systemClock.wallNow() + sleptMs };
    const set = await streaming({
      exchange: { timeScale, clock: exchangeClock },
      collector: { clock, timing: UNASKED },
    });
    const before = set.exchange.now();
    set.exchange.inject({ kind: 'halfOpen' });
    sleptMs = sleptExchangeMs / timeScale;
    const jumped = (): boolean => set.log.lines.some(({ message }) => message.includes(JUMPED));
    await until('the jump is noticed', jumped);
    await until('it doubts', () => set.course().includes('streaming connecting'), 2_000);
    set.exchange.clearFaults();
    await until('bars of after the night', () => set.hasBarsAfter(before + sleptExchangeMs), 15_000);
    await set.expectKept(480);
    const { exchangeTime } = set.collector.status();
    expect(Math.abs((exchangeTime ?? 0) - set.exchange.now())).toBeLessThan(10 * MINUTE);
  }, 30_000);
});

describe('T03', () => {
  test('T03 a calendar that steps back an hour, and forward again, changes nothing: no wait is negative, no bar comes twice', async () => {
    const delays: number[] = [];
    let offMs = 0;
    const clock: Clock = {
      ...systemClock,
      wallNow: () => systemClock.wallNow() + offMs,
      setTimeout: (callback, delayMs) => {
        delays.push(delayMs);
        return systemClock.setTimeout(callback, delayMs);
      },
    };
    const set = await streaming({ collector: { clock } });
    for (const step of [-HOUR, HOUR]) {
      offMs = step;
      const count = set.candles.length;
      await until('bars go on', () => set.candles.length >= count + 4);
    }
    expect(set.collector.isConnected).toBe(true);
    await set.expectKept(4);
    const { durationMs } = await set.collector.stop();
    expect(durationMs).toBeGreaterThanOrEqual(0);
    expect(delays.length).toBeGreaterThan(20);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
  });
});

describe('T06', () => {
  /** Wall ms that each timer is late: more than a bar lasts, as five seconds would be with bars of seconds. */
  const LATE_MS = 300;

  test('T06 timers that are all late: bars stay as late as the first, and do not get later', async () => {
    const clock: Clock = {
      ...systemClock,
      setTimeout: (callback, delayMs) => systemClock.setTimeout(callback, delayMs + LATE_MS),
    };
    const lags: number[] = [];
    const set = await scene({ collector: { clock } });
    set.collector.on('candle', ({ closeTime }) =>
      lags.push((set.exchange.now() - closeTime) / set.exchange.timeScale),
    );
    await set.collector.startStreaming();
    // By REST alone, of which each question waits for timers.
    set.exchange.inject({ kind: 'closes', mode: 'omit' });
    await until('bars', () => lags.length >= 30, 20_000);
    set.exchange.clearFaults();
    const half = lags.length / 2;
    const [first, then] = [lags.slice(0, half), lags.slice(half)].map((some) => Math.max(...some));
    expect(then).toBeLessThan(first! + LATE_MS);
    await set.expectKept(15);
  }, 30_000);
});

describe('T05', () => {
  /** Environments that spell, count and name things differently, or at other hours. */
  const PLACES = [
    { TZ: 'UTC', LANG: 'C' },
    { TZ: 'Asia/Kathmandu', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
    { TZ: 'Europe/Berlin', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' },
  ];
  // Over the hour that Berlin did not have. A symbol with an I, which a Turkish small letter is not raised to.
  const range = ['--interval', '1h', '--from', '2026-03-28', '--to', '2026-03-30'];

  test('T05 in another time zone, over a change of its clocks, and in another language: the same output', async () => {
    const startTime = Date.UTC(2026, 3, 2);
    const exchange = await startExchange({ timeScale: 1, startTime, symbols: ['LINKUSDT'] });
    const urls = ['--rest-url', exchange.restUrl, '--source', 'rest'];
    const outputs = await Promise.all(
      PLACES.map(async (env) => {
        const cwd = folder();
        const out = join(cwd, 'bars.csv');
        await using child = new Child(
          [...CANDLESTATE, 'history', '--symbol', 'linkusdt', ...range, ...urls, '--out', out],
          { cwd, env },
        );
        const { code, stdout, stderr } = await child.end(20_000);
        const at = /^(\d\d):(\d\d):/u.exec(stderr);
        const sinceMidnight = Number(at?.[1]) * HOUR + Number(at?.[2]) * MINUTE;
        const stampOffMs = (Date.now() - sinceMidnight) % (24 * HOUR);
        // Of the log the words; what it measures may differ.
        const words = stderr.replaceAll(cwd, '').replaceAll(/[\d.]+/gu, '#');
        return { stampOffMs, output: { code, stdout, words, file: readFileSync(out, 'utf8') } };
      }),
    );
    for (const { output, stampOffMs } of outputs) {
      expect(output).toEqual(outputs[0]?.output);
      expect(output.code).toBe(0);
      expect(output.file.split('\n')).toHaveLength(1 + 48 + 1);
      expect(stampOffMs).toBeLessThan(2 * MINUTE);
    }
  }, 30_000);
});
