/** Whether the promise is being kept, told from outside while the exchange breaks it on command. */
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OVERDUE_MS, STORE_STUCK_MS } from '../../src/health.ts';
import type { CollectorOptions } from '../../src/index.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { collectFrom, newStore, startExchange, type Watched } from '../support/collector.ts';
import { fastClock } from '../support/fast-clock.ts';
import { until } from '../support/wait.ts';

const BTC = 'BTCUSDT@1m';

/** A collector that streams and is in good health. */
async function healthy(
  exchange: SimulatedExchange,
  options: Partial<CollectorOptions> = {},
): Promise<Watched> {
  const watched = collectFrom(exchange, options);
  await watched.collector.startStreaming();
  await until('a candle', () => watched.candles.length > 0);
  await until('health', () => watched.collector.health().ok);
  return watched;
}

describe('health', () => {
  test('is good while it streams, and neither before, nor while it connects, nor after the stop', async () => {
    const exchange = await startExchange();
    const { collector } = collectFrom(exchange);
    const said: unknown[] = [];
    const note = (): void => void said.push([collector.health().state, collector.health().ok]);
    note();
    const starting = collector.startStreaming();
    note();
    await starting;
    note();
    const stopping = collector.stop();
    note();
    await stopping;
    note();
    expect(said).toEqual([
      ['initialized', false],
      ['connecting', false],
      ['streaming', true],
      ['stopping', false],
      ['stopped', false],
    ]);
  });

  test('says how it stands: state, mode, series by state, age of the last frame', async () => {
    const { collector } = await healthy(await startExchange());
    await until('both live', () => collector.health().streams.live === 2);
    expect(collector.health()).toMatchObject({
      ok: true,
      state: 'streaming',
      mode: 'sockets',
      streams: { live: 2 },
      ailments: [],
      ailing: 0,
    });
    expect(collector.health().lastFrameAgeMs).toBeLessThan(500);
  });

  test('names the stream that is mute, until its frames come again', async () => {
    const exchange = await startExchange();
    const { collector } = await healthy(exchange);
    exchange.inject({ kind: 'mute', streams: ['btcusdt@kline_1m'] });
    await until('it is found', () => !collector.health().ok);
    const { ailments, ailing, streams, state } = collector.health();
    expect([ailing, streams.mute, state]).toEqual([1, 1, 'streaming']);
    expect(ailments).toMatchObject([{ series: BTC, problem: 'mute' }]);
    // Since its last frame: no stream is doubted before half a second of silence.
    expect(ailments[0]!.forMs).toBeGreaterThan(400);
    expect(ailments[0]!.forMs).toBeLessThan(8_000);
    exchange.clearFaults();
    await until('it is well again', () => collector.health().ok);
  });

  test('is bad while no connection is left, and good when one is', async () => {
    const exchange = await startExchange();
    const { collector } = await healthy(exchange);
    exchange.inject({ kind: 'refuse', status: 503 });
    exchange.inject({ kind: 'drop' });
    await until('it is lost', () => !collector.health().ok);
    expect(collector.health()).toMatchObject({ state: 'connecting', mode: 'rest', ailing: 0 });
    exchange.clearFaults();
    await until('it is back', () => collector.health().ok);
  });

  test('names a bar that stays owed since REST is down, once its repair has had its time', async () => {
    // A minute passes in a second.
    const clock = fastClock(60);
    const exchange = await startExchange({ timeScale: 20, clock });
    const { collector, candles } = await healthy(exchange, {
      clock,
      symbols: ['BTCUSDT'],
      connectTimeoutMs: 'never',
      timing: { openTimeoutMs: 600_000, ackTimeoutMs: 600_000, pongTimeoutMs: 600_000, silenceMs: 600_000 },
    });
    exchange.inject({ kind: 'rest', path: '/fapi/v1/klines', status: 500 });
    exchange.inject({ kind: 'closes', mode: 'omit', times: 1 });
    await until('it is repaired, in vain', () => collector.health().streams.repairing === 1);
    expect(collector.health()).toMatchObject({ ok: true, ailing: 0 });
    await until('it is overdue', () => !collector.health().ok);
    const { ailments, state } = collector.health();
    expect(state).toBe('streaming');
    expect(ailments).toMatchObject([{ series: BTC, problem: 'overdue' }]);
    expect(ailments[0]!.forMs).toBeGreaterThan(OVERDUE_MS);
    expect(ailments[0]!.forMs).toBeLessThan(2 * OVERDUE_MS);
    const { length } = candles;
    exchange.clearFaults();
    await until('it is well again', () => collector.health().ok);
    await until('what was owed', () => candles.length > length);
  });

  test('is bad while a store takes nothing, for what is not committed is not delivered', async () => {
    const clock = fastClock(40);
    const exchange = await startExchange({ timeScale: 20, clock });
    const store = newStore();
    const { collector } = await healthy(exchange, {
      clock,
      store,
      symbols: ['BTCUSDT'],
      connectTimeoutMs: 'never',
      timing: { openTimeoutMs: 400_000, ackTimeoutMs: 400_000, pongTimeoutMs: 400_000, silenceMs: 400_000 },
    });
    const greedy = new DatabaseSync(store);
    onTestFinished(() => greedy.close());
    greedy.exec('BEGIN IMMEDIATE');
    await until('it is said', () => !collector.health().ok);
    const { ailments, state } = collector.health();
    expect(state).toBe('streaming');
    expect(ailments).toMatchObject([{ problem: 'store' }]);
    expect(ailments[0]).not.toHaveProperty('series');
    expect(ailments[0]!.forMs).toBeGreaterThan(STORE_STUCK_MS);
    expect(collector.vitals().rowsWaiting).toBeGreaterThan(0);
  });
});
