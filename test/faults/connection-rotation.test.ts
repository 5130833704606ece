/** Connections that are replaced while they live: rows C of the fault matrix, over the simulated exchange. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { expectKept } from '../oracle/kept.ts';
import { type Observed, watch as observe, tap } from '../oracle/watch.ts';
import {
  collectFrom,
  expectWhole,
  newStore,
  ofSeries,
  QUICK,
  startExchange,
  storedCandles,
  type Watched,
} from '../support/collector.ts';
import { until } from '../support/wait.ts';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
const ROTATION = { ...QUICK, rotateMs: 800, rotateSpreadMs: 1, overlapMs: 150 };
const NEVER = { ...QUICK, overlapMs: 150 };

/** A collector that streams into a store from a bar each 250 ms, under the eyes of the oracle. */
async function streaming(timing: typeof NEVER) {
  const exchange = await startExchange({ timeScale: 240 });
  const wire = await tap(exchange);
  onTestFinished(() => wire.proxy.close());
  const store = newStore();
  const watched = collectFrom(wire, { store, timing });
  const observed = observe(watched.collector, exchange, { store, wire });
  await watched.collector.startStreaming();
  return { exchange, watched: { ...watched, observed }, store };
}

/** When the socket of that number opened or closed, by the exchange's log. */
const when = (exchange: SimulatedExchange, kind: 'open' | 'close', socket: number): number | undefined =>
  exchange.log().find((entry) => entry.kind === kind && entry.socket === socket)?.wallMs;

/** Bars that open from now on arrive; then all of it is whole, true, and there once. */
async function expectWholeAfter(
  exchange: SimulatedExchange,
  watched: Watched & { readonly observed: Observed },
  store: string,
): Promise<void> {
  watched.observed.calm();
  const now = exchange.now();
  await until('bars that opened later', () =>
    SYMBOLS.every((symbol) => ofSeries(watched.candles, symbol).some((candle) => candle.openTime > now)),
  );
  expectKept(await watched.observed.finish());
  expectWhole(watched.candles, exchange, SYMBOLS);
  expectWhole(storedCandles(store), exchange, SYMBOLS);
  expect(storedCandles(store)).toHaveLength(watched.candles.length);
  expect(watched.gaps).toEqual([]);
}

/** The state never left streaming. */
const UNBROKEN = 'connecting streaming stopping stopped';

describe('a connection that is replaced', () => {
  test('C10 before the venue ends it: the new socket is there before the old one goes, and no bar is lost or doubled', async () => {
    const { exchange, watched, store } = await streaming(ROTATION);
    await until('two rotations', () => when(exchange, 'close', 2) !== undefined);
    for (const socket of [1, 2])
      expect(when(exchange, 'open', socket + 1)).toBeLessThan(when(exchange, 'close', socket)! - 100);
    await expectWholeAfter(exchange, watched, store);
    expect(watched.course()).toBe(UNBROKEN);
  });

  test('C11 by one that drops: that one dials again as any other', async () => {
    const { exchange, watched, store } = await streaming(ROTATION);
    await until('a rotation', () => when(exchange, 'close', 1) !== undefined);
    exchange.inject({ kind: 'drop', sockets: 2 });
    await until('it noticed', () => watched.collector.state === 'connecting');
    await until('it streams again', () => watched.collector.isConnected);
    expect(when(exchange, 'open', 3)).toBeDefined();
    await expectWholeAfter(exchange, watched, store);
  });

  test('C12 by one that never comes to life: the old one is kept to its last second, then it dials on', async () => {
    const { exchange, watched, store } = await streaming(ROTATION);
    exchange.inject({ kind: 'refuse', status: 503 });
    const refused = (): number => exchange.log().filter((entry) => entry.status === 503).length;
    await until('three attempts at a successor', () => refused() >= 3);
    expect(exchange.sockets()).toBe(1);
    expect(when(exchange, 'close', 1)).toBeUndefined();
    expect(watched.collector.isConnected).toBe(true);
    exchange.inject({ kind: 'drop', sockets: 1 });
    await until('it noticed', () => watched.collector.state === 'connecting');
    exchange.clearFaults();
    await until('it streams again', () => watched.collector.isConnected);
    await expectWholeAfter(exchange, watched, store);
    expect(watched.course()).toBe('connecting streaming connecting streaming stopping stopped');
  });

  test('C22 since the server says that it will go: at once', async () => {
    const { exchange, watched, store } = await streaming(NEVER);
    exchange.inject({ kind: 'malformed', text: JSON.stringify({ e: 'serverShutdown', E: exchange.now() }) });
    await until('the old socket closes', () => when(exchange, 'close', 1) !== undefined);
    expect(when(exchange, 'open', 2)).toBeLessThan(when(exchange, 'close', 1)! - 100);
    await expectWholeAfter(exchange, watched, store);
    expect(watched.course()).toBe(UNBROKEN);
  });
});
