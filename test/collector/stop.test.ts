/** Stopping at any moment, against any exchange: in time, once, and with an honest report. */
import { createServer, type Server } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AnyActorRef } from 'xstate';
import type { BinanceDataCollector, StopOptions, StopReport } from '../../src/index.ts';
import type { Fault } from '../../src/simulator/index.ts';
import {
  collectFrom,
  newStore,
  optionsFor,
  startExchange,
  storedCandles,
  watch,
} from '../support/collector.ts';
import { scene } from '../support/stopping.ts';
import { TOLERANCE_MS, timed, until, within } from '../support/wait.ts';

/** Stops and says how long that took, as a caller sees it. */
async function timedStop(
  collector: BinanceDataCollector,
  options: StopOptions,
): Promise<{ report: StopReport; took: number }> {
  const { value: report, took } = await timed(within('the stop', collector.stop(options), 10_000));
  return { report, took };
}

/** A server that takes connections and never says a word. */
async function listenSilently(): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

describe('stop', () => {
  test('L02 called ten times at once gives every caller the same report', async () => {
    const { collector, states } = collectFrom(await startExchange());
    await collector.startStreaming();
    const reports = await Promise.all(
      Array.from({ length: 10 }, (_, index) => collector.stop({ reason: `caller ${index}` })),
    );
    expect(new Set(reports).size).toBe(1);
    expect(reports[0]?.reason).toBe('caller 0');
    expect(states.map((change) => change.to)).toEqual(['connecting', 'streaming', 'stopping', 'stopped']);
  });

  test('before the start is safe, gives one report, and a start is possible afterwards', async () => {
    const { collector } = collectFrom(await startExchange());
    const [one, two] = await Promise.all([collector.stop(), collector.stop()]);
    expect(one).toBe(two);
    // Nothing had to be closed. On a busy machine even that takes a millisecond.
    expect(one).toMatchObject({ clean: true, unwritten: 0, components: [] });
    expect(one.durationMs).toBeLessThan(50);
    await collector.startStreaming();
    expect(collector.state).toBe('streaming');
  });

  test.each([
    ['the handshake hangs', { kind: 'hangHandshake' }, 'handshake'],
    ['REST hangs', { kind: 'rest', hang: 'headers' }, 'http'],
    ['REST stops in the middle of a body', { kind: 'rest', hang: 'body' }, 'http'],
    ['REST refuses and preparing pauses', { kind: 'rest', status: 503 }, 'http'],
    ['sockets are refused and the collector backs off', { kind: 'refuse', status: 503 }, 'handshake'],
    ['subscriptions are never acknowledged nor served', { kind: 'mute' }, 'message'],
  ] satisfies [string, Fault, string][])(
    'L01 while connecting ends in time when %s',
    async (_, fault, kind) => {
      const begun = await scene({ store: newStore(), connectTimeoutMs: 'never' });
      const { exchange, collector, course } = begun;
      exchange.inject(fault);
      const starting = collector.startStreaming().catch((error: unknown) => error);
      await until('it has come that far', () => exchange.log().some((entry) => entry.kind === kind));
      const report = await begun.stops({ timeoutMs: 300 });
      expect(await within('the start', starting)).toMatchObject({ name: 'ConnectionError', code: 'STOPPED' });
      expect(report.unwritten).toBe(0);
      expect(course()).toBe('connecting stopping stopped');
      const asked = (): number => exchange.log().filter((entry) => entry.kind !== 'close').length;
      const before = asked();
      const later = exchange.now() + 300 * exchange.timeScale;
      await until('some backoffs later', () => exchange.now() > later);
      expect(asked(), 'what was asked after the stop').toBe(before);
    },
  );

  test('while connecting ends in time when nobody answers at all', async () => {
    const port = await listenSilently();
    const urls = { wsUrl: `ws://127.0.0.1:${port}`, restUrl: `http://127.0.0.1:${port}`, timeScale: 1 };
    const { collector } = watch(optionsFor(urls));
    const starting = collector.startStreaming().catch((error: unknown) => error);
    const { report, took } = await timedStop(collector, { timeoutMs: 300 });
    expect(took).toBeLessThan(300 + TOLERANCE_MS);
    expect(report.clean).toBe(true);
    expect(await starting).toMatchObject({ code: 'STOPPED' });
  });

  test.each([
    ['never answers the close frame', { kind: 'noCloseAnswer' }],
    ['is half-open', { kind: 'halfOpen' }],
  ] satisfies [string, Fault][])(
    'against an exchange that %s forces the socket and keeps its deadline and its rows',
    async (_, fault) => {
      const exchange = await startExchange();
      const store = newStore();
      const { collector, candles } = collectFrom(exchange, { store, timing: {} });
      await collector.startStreaming();
      await until('candles', () => candles.length > 2);
      exchange.inject(fault);
      const { report, took } = await timedStop(collector, { timeoutMs: 300 });
      expect(took).toBeLessThan(300 + TOLERANCE_MS);
      expect(report.clean).toBe(false);
      expect(report.durationMs).toBeLessThanOrEqual(300);
      expect(report.components.map((line) => [line.name, line.outcome])).toEqual([
        ['feed0', 'forced'],
        ['feed0.a', 'forced'],
        ['rest', 'closed'],
        ['store', 'closed'],
      ]);
      expect(report.unwritten).toBe(0);
      expect(storedCandles(store)).toHaveLength(candles.length);
      exchange.clearFaults();
      await until('the exchange sees no socket', () => exchange.sockets() === 0);
    },
  );

  test('takes the deadline of the options when it is given none', async () => {
    const exchange = await startExchange();
    const { collector } = collectFrom(exchange, { stopTimeoutMs: 200 });
    await collector.startStreaming();
    exchange.inject({ kind: 'noCloseAnswer' });
    const { report, took } = await timedStop(collector, {});
    expect(took).toBeLessThan(200 + TOLERANCE_MS);
    expect(report.clean).toBe(false);
  });

  test.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 2 ** 31, '5000', null])(
    'with timeoutMs %s neither throws nor hangs',
    async (timeoutMs) => {
      const { collector } = collectFrom(await startExchange());
      await collector.startStreaming();
      const { report } = await timedStop(collector, { timeoutMs: timeoutMs as number });
      expect(report.clean).toBe(true);
    },
  );

  test('with null instead of options does not reject', async () => {
    const { collector } = collectFrom(await startExchange());
    expect(await collector.stop(null as unknown as StopOptions)).toMatchObject({
      reason: 'asked',
      clean: true,
    });
  });

  test('with timeoutMs 0 forces what is open, at once', async () => {
    const exchange = await startExchange();
    const { collector } = collectFrom(exchange);
    await collector.startStreaming();
    const { report, took } = await timedStop(collector, { timeoutMs: 0 });
    expect(took).toBeLessThan(100);
    expect(report.clean).toBe(false);
    await until('the exchange sees no socket', () => exchange.sockets() === 0);
  });

  test('at any turn of the start leaves nothing of the embedded exchange', async () => {
    const listeners = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;
    const before = listeners();
    for (let turns = 0; turns < 60; turns += 1) {
      const { collector } = watch({ symbols: ['BTCUSDT'], intervals: ['1m'], network: 'simulator' });
      const starting = collector.startStreaming().catch(() => {});
      for (let turn = 0; turn < turns; turn++) await null;
      await within('the stop', collector.stop(), 1_000);
      await starting;
    }
    await until('no server is left', () => listeners() <= before, 1_000);
  });

  test('leaves the candles, and holds none of the charts of its streams', async () => {
    const charts: WeakRef<object>[] = [];
    const { collector } = collectFrom(await startExchange(), {
      inspect: ({ type, actorRef }) => {
        if (type === '@xstate.actor' && (actorRef as AnyActorRef).id.startsWith('stream.'))
          charts.push(new WeakRef(actorRef));
      },
    });
    await collector.startStreaming();
    await until('a bar has closed', () => collector.getCandleBuffer('BTCUSDT', '1m').length > 0);
    await collector.stop();
    await setImmediate();
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    expect(charts.map((chart) => chart.deref())).toEqual([undefined, undefined]);
    expect(collector.getCandleBuffer('BTCUSDT', '1m').length).toBeGreaterThan(0);
  });
});
