/** How a load goes on where the exchange wants to be left alone, and how it ends early. */
import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Candle } from '../../machines/model/kline.ts';
import type { Loaded } from '../../src/history/types.ts';
import { bar } from '../pipeline/candles.ts';
import { folder, startExchange } from '../support/collector.ts';
import { fastClock } from '../support/fast-clock.ts';
import { says, TOO_MANY } from '../support/scripted-http.ts';
import { until, within } from '../support/wait.ts';
import { BTC, DAY, loadAll, MINUTE, query, restOf, sourceIn, sourceOn, time, values } from './rig.ts';

const DAYS = '/data/futures/um/daily/';
const bars: Candle[] = Array.from({ length: 1440 }, (_, at) =>
  bar(time('2026-02-03') + at * MINUTE, 'rest', BTC),
);

describe('limits', () => {
  test.each([
    ['a 429 of a second', 429, '1', 1],
    ['a 429 of a minute, for which the session waits for nobody', 429, '60', 100],
    ['a ban of five minutes', 418, '300', 200],
  ])('%s is sat out, and nothing lacks', async (_, status, retryAfter, rate) => {
    const clock = fastClock(rate);
    const fine = says(200, { serverTime: time('2026-02-10') });
    const first = says(200, []);
    const before = [fine, first, says(status, TOO_MANY, { 'retry-after': retryAfter })];
    const { rest, server } = await restOf(bars, time('2026-02-10'), { before, clock });
    const { source, log } = sourceOn({ restUrl: '', visionUrl: 'http://127.0.0.1:1' }, { clock, rest });
    const { candles, unreached } = await loadAll(
      source,
      query('2026-02-03', '2026-02-04', { source: 'rest' }),
    );
    expect(values(candles)).toEqual(values(bars));
    expect(unreached).toEqual([]);
    // The third request was refused; others may have been on their way.
    const waited = server.arrivals.at(-1)!.at - server.arrivals[2]!.at;
    expect(waited * rate).toBeGreaterThanOrEqual(Number(retryAfter) * 1_000 - rate);
    if (Number(retryAfter) > 15)
      expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([
        expect.objectContaining({ message: 'the history waits until REST may be asked again' }),
      ]);
  });
});

describe('an end', () => {
  test('that the signal brings comes at once, while files and pages hang', async () => {
    const exchange = await startExchange({ startTime: time('2026-02-10T12:00'), timeScale: 1 });
    const { source } = sourceOn(exchange);
    const plan = await source.plan(query('2026-01-20T12:00', '2026-02-10'));
    exchange.inject({ kind: 'rest', hang: 'headers' });
    const over = new AbortController();
    const loading = (async () => {
      for await (const part of source.load(plan, over.signal)) void part;
    })();
    const failure = loading.catch((error: unknown) => error);
    await until('files and pages to be asked for', () => exchange.log().length > 8);
    const began = performance.now();
    over.abort(new Error('enough'));
    expect(await within('the end', failure)).toMatchObject({ message: 'enough' });
    expect(performance.now() - began).toBeLessThan(500);
    expect(getEventListeners(over.signal, 'abort')).toEqual([]);
  });

  test('of who has seen enough leaves nothing running', async () => {
    const exchange = await startExchange({ startTime: time('2026-02-10T12:00'), timeScale: 1 });
    const { source } = sourceOn(exchange);
    const over = new AbortController();
    const plan = await source.plan(query('2025-10-01', '2026-02-10'));
    const seen: Loaded[] = [];
    for await (const part of source.load(plan, over.signal)) if (seen.push(part) === 2) break;
    const asked = exchange.log().length;
    // A bounded look-ahead: eight pieces, each with its checksum, and what REST was asked for the plan.
    expect(asked).toBeLessThan(2 * (2 + 8) + 10);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(exchange.log().length).toBe(asked);
    expect(getEventListeners(over.signal, 'abort')).toEqual([]);
  });

  test('of who has seen enough does not wait for what hangs', async () => {
    const exchange = await startExchange({ startTime: time('2026-02-10T12:00'), timeScale: 1 });
    const { source } = sourceOn(exchange);
    const plan = await source.plan(query('2026-02-01', '2026-02-09'));
    exchange.inject({
      kind: 'rest',
      path: `${DAYS}klines/BTCUSDT/1m/BTCUSDT-1m-2026-02-04`,
      hang: 'headers',
    });
    const leaving = (async () => {
      for await (const part of source.load(plan)) if (part.blocks.length > 0) break;
    })();
    await within('the end', leaving, 5_000);
  });

  test('before the beginning is told to every part', async () => {
    const { rest } = await restOf(bars, time('2026-02-10'));
    const source = sourceIn(folder(), rest);
    const over = AbortSignal.abort(new Error('enough'));
    const wanted = query('2026-02-03', '2026-02-04');
    await expect(source.plan(wanted, over)).rejects.toThrow('enough');
    const plan = await source.plan(wanted);
    await expect(source.load(plan, over)[Symbol.asyncIterator]().next()).rejects.toThrow('enough');
    const run = { fromOpenTime: wanted.from, toOpenTime: wanted.from };
    await expect(source.confirm(wanted, [run], over)).rejects.toThrow('enough');
  });
});

describe('a REST that is away', () => {
  test('leaves days of which the archive has no file owed, and is given up after three', async () => {
    const exchange = await startExchange({ startTime: time('2026-02-10T12:00'), timeScale: 1 });
    exchange.inject({ kind: 'rest', path: `${DAYS}klines/BTCUSDT/1m/BTCUSDT-1m-2026-02-03`, status: 404 });
    const { source } = sourceOn(exchange, { clock: fastClock(100) });
    const one = await source.plan(query('2026-02-02', '2026-02-06'));
    exchange.inject({ kind: 'rest', path: '/fapi/', destroy: true });
    const parts: Loaded[] = [];
    for await (const part of source.load(one)) parts.push(part);
    expect(parts.map(({ lacking }) => lacking.length)).toEqual([0, 0, 0, 0]);
    expect(parts.flatMap(({ unreached }) => unreached)).toEqual([
      { fromOpenTime: time('2026-02-03'), toOpenTime: time('2026-02-04') - MINUTE },
    ]);
    exchange.inject({ kind: 'rest', path: DAYS, status: 404 });
    const many = query('2026-02-01', '2026-02-09');
    const planned = { ...one, query: many, pieces: one.pieces };
    const loading = async () => {
      for await (const part of source.load(planned)) void part;
    };
    await expect(loading()).rejects.toMatchObject({ name: 'ExchangeError', retryable: true });
  });

  test('by order of the exchange holds a plan up for a minute, not for a ban', async () => {
    const exchange = await startExchange({ startTime: time('2026-02-10T12:00'), timeScale: 1 });
    const clock = { ...fastClock(1_000), wallNow: () => time('2026-02-10T11:00') };
    exchange.inject({ kind: 'rest', path: '/fapi/', status: 418, headers: { 'retry-after': '600' } });
    const { source } = sourceOn(exchange, { clock });
    const began = clock.now();
    const { candles, notes } = await loadAll(source, query('2026-02-03', '2026-02-05'));
    expect(candles).toHaveLength((2 * DAY) / MINUTE);
    expect(notes).toEqual([expect.stringMatching(/^unreachable \| REST: .* \| the local clock/u)]);
    expect(clock.now() - began).toBeLessThan(500_000);
  });

  test('at the plan leaves the archive and the local calendar; REST alone is an error', async () => {
    const exchange = await startExchange({ startTime: time('2026-02-10T12:00'), timeScale: 1 });
    const clock = { ...fastClock(100), wallNow: () => time('2026-02-10T11:00') };
    const { source } = sourceOn({ restUrl: 'http://127.0.0.1:1', visionUrl: exchange.visionUrl }, { clock });
    const { plan, candles, notes } = await loadAll(source, query('2026-02-03', '2026-02-05'));
    expect(candles).toHaveLength((2 * DAY) / MINUTE);
    expect(plan.pieces.map(({ by }) => by)).toEqual(['day', 'day']);
    expect(notes).toEqual([expect.stringMatching(/^unreachable \| REST: .* \| the local clock/u)]);
    await expect(source.plan(query('2026-02-03', '2026-02-05', { source: 'rest' }))).rejects.toMatchObject({
      name: 'ExchangeError',
    });
  });
});
