/** Group B of the fault matrix: more than usual, for longer than usual. */
import { existsSync, readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import { INTERVALS, nextOpenTime, previousOpenTime } from '../../machines/model/interval.ts';
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import { decodeFrame } from '../../src/binance/frame.ts';
import { Crowd } from '../inspector/crowd.ts';
import { bar, candleOf, frameBytes, rig } from '../pipeline/candles.ts';
import { newStore } from '../support/collector.ts';
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

/** Every actor below that lives, by its name. */
function namesBelow(actor: AnyActorRef): string[] {
  const { children = {} } = actor.getSnapshot() as AnyMachineSnapshot;
  const living = Object.values<AnyActorRef | undefined>(children).filter(
    (child) => child?.getSnapshot().status === 'active',
  ) as AnyActorRef[];
  return living.flatMap((child) => [child.id, ...namesBelow(child)]).sort();
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
    const [heapBefore, began] = [heapMiB(), performance.now()];
    for (let round = 1; round < 10; round++) forming.forEach(take);
    closes.forEach(take);
    const tookMs = performance.now() - began;
    expect(CLOSING.length).toBeGreaterThan(6_000);
    expect(tookMs, 'ms').toBeLessThan(10 * ROUND_MS);
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
    const made = new Crowd({ streams: 20, clock, timing: { stableMs: 1_000, backoff: BACKOFF } });
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

  test('B04 a hundred of a whole collector: as many actors, timers, listeners and files as after the first', async () => {
    const clock = fastClock(600);
    // The network is as slow as ever.
    const patient = 6_000_000;
    const begun = await scene(
      {
        clock,
        store: newStore(),
        symbols: ['BTCUSDT'],
        connectTimeoutMs: 'never',
        timing: {
          ...{ openTimeoutMs: patient, ackTimeoutMs: patient, pongTimeoutMs: patient, silenceMs: patient },
          ...{ stableMs: 1_000, backoff: BACKOFF },
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
      heapMiB: heapMiB(),
    });
    await collector.startStreaming();
    await drop(5);
    const [names, before] = [namesBelow(collector.actor), stand()];
    await drop(100);
    const after = stand();
    expect(namesBelow(collector.actor)).toEqual(names);
    // A commit or a round trip may be under way at one of the two moments, and a socket of the exchange's linger.
    expect(after.open - before.open).toBeLessThan(10);
    expect(after.files - before.files).toBeLessThan(10);
    expect(after.listeners).toBe(before.listeners);
    expect(after.heapMiB - before.heapMiB).toBeLessThan(10);
    await begun.stops({ timeoutMs: 3_000_000 });
  });
});
