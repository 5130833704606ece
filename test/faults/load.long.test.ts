/** Group B of the fault matrix: more than usual, for longer than usual. */
import { existsSync, readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import { INTERVALS, nextOpenTime, previousOpenTime } from '../../machines/model/interval.ts';
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import { decodeFrame } from '../../src/binance/frame.ts';
import { startInspector } from '../../src/inspector/start.ts';
import { Crowd } from '../inspector/crowd.ts';
import { bar, candleOf, frameBytes, rig } from '../pipeline/candles.ts';
import { collectFrom, expectWhole, newStore, startExchange } from '../support/collector.ts';
import { fastClock } from '../support/fast-clock.ts';
import { scene } from '../support/stopping.ts';
import { until } from '../support/wait.ts';
import { FakeClock } from '../transport/fake-clock.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const heapMiB = (): number => {
  collectGarbage();
  return process.memoryUsage().heapUsed / 1_048_576;
};

/** Every actor below that lives, by its name; a call of REST comes and goes. */
function namesBelow(actor: AnyActorRef): string[] {
  const { children = {} } = actor.getSnapshot() as AnyMachineSnapshot;
  const living = Object.values<AnyActorRef | undefined>(children).filter(
    (child) => child?.getSnapshot().status === 'active',
  ) as AnyActorRef[];
  return living
    .flatMap((child) => [child.id, ...namesBelow(child)])
    .filter((name) => !/^call\d/u.test(name))
    .sort();
}

describe('a burst', () => {
  const MIDNIGHT = Date.UTC(2026, 5, 1);
  const SERIES: readonly Series[] = Array.from({ length: 500 }, (_, number) => `S${number}USDT`).flatMap(
    (symbol) => INTERVALS.map((interval) => ({ symbol, interval })),
  );
  const openTimeOf = ({ interval }: Series): number => previousOpenTime(interval, MIDNIGHT);
  const CLOSING = SERIES.filter(
    ({ interval }) => nextOpenTime(interval, previousOpenTime(interval, MIDNIGHT)) === MIDNIGHT,
  );
  /** Each stream has four frames a second. */
  const ROUND_MS = 250;

  test('B03 of ten rounds of 7,500 streams that stood still, and all close: taken sooner than it took to come, in bounded memory, and nothing is lost', () => {
    const rowsMax = 5_000;
    const { pipeline, rows, time, out } = rig({ series: SERIES, rowsMax, exchangeNow: MIDNIGHT - 3_000 });
    const forming = SERIES.map((series) =>
      frameBytes(openTimeOf(series), { series, closed: false, eventTime: MIDNIGHT - 3_000 }),
    );
    const closes = CLOSING.map((series) => frameBytes(openTimeOf(series), { series }));
    const take = (bytes: Buffer): void => {
      const decoded = decodeFrame(bytes);
      if (decoded.kind === 'kline') pipeline.take(decoded, 1);
    };
    forming.forEach(take);
    time.exchange = MIDNIGHT + 500;
    const [heapBefore, began] = [heapMiB(), process.cpuUsage()];
    for (let round = 1; round < 10; round++) forming.forEach(take);
    closes.forEach(take);
    const { user, system } = process.cpuUsage(began);
    expect(CLOSING.length).toBeGreaterThan(6_000);
    expect((user + system) / 1_000, 'ms of the processor').toBeLessThan(10 * ROUND_MS);
    // The store has not had its turn.
    expect(rows.size).toBe(rowsMax);
    expect(pipeline.counters).toMatchObject({ refused: CLOSING.length - rowsMax, malformed: 0, gaps: 0 });
    expect(heapMiB() - heapBefore, 'MiB').toBeLessThan(20);
    out();
    // What was refused is owed, and comes from REST.
    time.exchange = MIDNIGHT + 60_000;
    for (const series of CLOSING) {
      const cursor = pipeline.cursor(series)!;
      if (cursor.due === openTimeOf(series))
        pipeline.fill(cursor, [bar(cursor.due, 'rest', series)], MIDNIGHT, time.exchange);
    }
    const taken = out().map((row) => seriesKey(candleOf(row)));
    expect(taken).toHaveLength(CLOSING.length);
    expect(new Set(taken)).toEqual(new Set(CLOSING.map(seriesKey)));
  });
});

describe('reconnects', () => {
  const BACKOFF = { baseMs: 1_000, maxMs: 2_000, slowMs: 2_000 };

  test('B04 a thousand, by all charts in simulated time: as many actors and timers as after the first', async () => {
    const clock = new FakeClock();
    const made = new Crowd({ streams: 4, clock, timing: { stableMs: 1_000, backoff: BACKOFF } });
    onTestFinished(() => made.stop());
    await made.start();
    let sockets = 0;
    made.actor.system.inspect(({ type, actorRef }) => {
      if (type === '@xstate.actor' && (actorRef as AnyActorRef).id === 'socket') sockets += 1;
    });
    const reconnect = async (times: number): Promise<void> => {
      for (let n = 0; n < times; n++) {
        made.drop();
        await clock.advance(BACKOFF.maxMs);
        await made.open();
        await clock.advance(BACKOFF.maxMs);
      }
    };
    const stand = () => ({
      state: made.actor.getSnapshot().value,
      names: namesBelow(made.actor),
      timers: clock.pending,
      scheduled: Object.keys(made.actor.system.getSnapshot()._scheduledEvents).length,
    });
    await reconnect(1);
    const before = stand();
    expect(before.state).toEqual({ streaming: 'full' });
    expect(before.names.filter((name) => name === 'socket')).toHaveLength(1);
    await reconnect(999);
    expect(sockets).toBe(1_000);
    expect(stand()).toEqual(before);
  });

  test('B04 fifty of a whole collector: as many actors, timers, listeners and files as after the first', async () => {
    // Fast enough for the dials, which are two a second; a call of REST has a sixth of one.
    const clock = fastClock(60);
    const patient = 600_000;
    const begun = await scene(
      {
        clock,
        store: newStore(),
        symbols: ['BTCUSDT'],
        connectTimeoutMs: 'never',
        timing: {
          ...{ openTimeoutMs: patient, ackTimeoutMs: patient, pongTimeoutMs: patient, silenceMs: patient },
          ...{ stableMs: 1_000, backoff: { baseMs: 100, maxMs: 200, slowMs: 200 } },
        },
      },
      { clock, timeScale: 1 },
    );
    const { collector, exchange } = begun;
    const reconnects = (): number => collector.vitals().reconnects.closed;
    /** Has the connection dropped as soon as it streams, so often. */
    const drop = async (times: number): Promise<void> => {
      const end = reconnects() + times;
      const off = collector.on('state', ({ to }) => {
        if (to === 'streaming' && reconnects() < end) setImmediate(() => exchange.inject({ kind: 'drop' }));
      });
      exchange.inject({ kind: 'drop' });
      await until('the last of them', () => reconnects() >= end && collector.isConnected, 20_000);
      off();
    };
    const stand = () => ({
      open: process.getActiveResourcesInfo().length,
      files: existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0,
      listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    });
    await collector.startStreaming();
    await drop(5);
    const [names, before, heapBefore] = [namesBelow(collector.actor), stand(), heapMiB()];
    await drop(50);
    // A call or a commit may be under way for a moment, and a socket of the exchange's linger.
    await until('as many actors', () => isDeepStrictEqual(namesBelow(collector.actor), names));
    await until('as much that is open', () => {
      const after = stand();
      return after.open <= before.open + 3 && after.files <= before.files + 3;
    });
    expect(stand().listeners).toBe(before.listeners);
    expect(heapMiB() - heapBefore, 'MiB').toBeLessThan(10);
    await begun.stops({ timeoutMs: 300_000 });
  });
});

test('B09 a hundred pages, none of which reads: 32 are let in, and the candles come as promptly as before', async () => {
  const exchange = await startExchange();
  const { collector, candles } = collectFrom(exchange);
  await collector.startStreaming();
  await using inspector = await startInspector(collector, { port: 0 });
  /** Time from the end of a bar to its delivery, exchange ms, of the next bars: the median. */
  const lag = async (): Promise<number> => {
    const lags: number[] = [];
    const off = collector.on('candle', ({ closeTime }) => lags.push(exchange.now() - closeTime));
    await until('candles', () => lags.length >= 16);
    off();
    return lags.sort((one, other) => one - other)[8]!;
  };
  const before = await lag();
  const refusals: string[] = [];
  const pages = Array.from(
    { length: 100 },
    () => new WebSocket(`${inspector.url.replace('http', 'ws')}live`),
  );
  onTestFinished(() => {
    for (const page of pages) page.terminate();
  });
  for (const page of pages)
    page
      .on('error', ({ message }) => refusals.push(message))
      // Whoever is let in has the whole picture first.
      .once('message', () => page.pause());
  const letIn = (): number => pages.filter(({ isPaused }) => isPaused).length;
  await until('each is let in or sent away', () => letIn() + refusals.length === 100);
  expect([letIn(), ...new Set(refusals)]).toEqual([32, 'Unexpected server response: 503']);
  const meanwhile = await lag();
  expect((meanwhile - before) / exchange.timeScale, 'ms more').toBeLessThan(200);
  expect((await collector.stop()).clean).toBe(true);
  expectWhole(candles, exchange);
});
