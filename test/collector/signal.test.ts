/** The option `signal`, listeners that fail, and state events. */
import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { startInspector } from '../../src/inspector/start.ts';
import { MINUTE, simulated } from '../faults/simulated.ts';
import {
  collectFrom,
  expectWhole,
  newStore,
  ofSeries,
  startExchange,
  storedCandles,
} from '../support/collector.ts';
import { until, within } from '../support/wait.ts';

describe('a signal', () => {
  test('L06 aborted in the same turn as the start stops it too', async () => {
    const exchange = await startExchange();
    const controller = new AbortController();
    const { collector } = collectFrom(exchange, { signal: controller.signal });
    const starting = collector.startStreaming().catch((thrown: unknown) => thrown);
    controller.abort();
    expect(await starting).toMatchObject({ code: 'ABORTED' });
    expect(collector.state).toBe('stopped');
    await until('no socket', () => exchange.sockets() === 0);
  });

  test('aborted while it streams stops it with everything saved', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const controller = new AbortController();
    const { collector, candles } = collectFrom(exchange, { signal: controller.signal, store });
    await collector.startStreaming();
    await until('candles', () => candles.length > 4);
    controller.abort();
    expect(collector.state).toBe('stopping');
    const report = await collector.stop();
    expect(report).toMatchObject({ reason: 'aborted', clean: true, unwritten: 0 });
    expect(storedCandles(store)).toHaveLength(candles.length);
    await expect(collector.startStreaming()).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('that outlives collectors keeps none of them', async () => {
    const exchange = await startExchange();
    const { signal } = new AbortController();
    const { collector } = collectFrom(exchange, { signal });
    await collector.startStreaming();
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await collector.stop();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('listeners', () => {
  test('B02 that throw or reject are reported as errors, and nobody else is hurt', async () => {
    const exchange = await startExchange();
    const { collector, problems, candles } = collectFrom(exchange, { store: newStore() });
    const thrown = new Error('of a candle listener');
    const rejected = new Error('of an async one');
    collector.on('candle', () => {
      throw thrown;
    });
    collector.on('candle', () => Promise.reject(rejected));
    const after: number[] = [];
    collector.on('candle', (candle) => after.push(candle.openTime));
    await collector.startStreaming();
    await until('candles', () => candles.length > 5);
    expect(after).toHaveLength(candles.length);
    const causes = new Set(problems.map((problem) => problem.cause));
    expect(causes).toEqual(new Set([thrown, rejected]));
    expect(problems.every((problem) => problem.code !== '' && /candle/u.test(problem.message))).toBe(true);
    expect((await collector.stop()).clean).toBe(true);
    expectWhole(candles, exchange);
  });

  test('L08 of every event may throw, each when it comes, and the collector lives on and stops cleanly', async () => {
    const symbols = ['BTCUSDT', 'ETHUSDT'];
    const { exchange, begin, until: comes, within: inTime, stored } = simulated({ symbols });
    const { collector, candles } = begin();
    const [heard, behind] = [new Map<string, number>(), new Map<string, number>()];
    for (const event of ['candle', 'update', 'state', 'gap', 'revision', 'error'] as const) {
      collector.on(event, () => {
        heard.set(event, (heard.get(event) ?? 0) + 1);
        throw new Error('of mine');
      });
      collector.on(event, () => void behind.set(event, (behind.get(event) ?? 0) + 1));
    }
    await comes('candles', () => candles.length > 3);
    const begun = exchange.now() - (exchange.now() % MINUTE);
    exchange.inject({ kind: 'outage', symbol: 'BTCUSDT', from: begun + 2 * MINUTE, to: begun + 4 * MINUTE });
    exchange.inject({ kind: 'revise', symbol: 'ETHUSDT', interval: '1m', openTime: 'last' });
    exchange.inject({ kind: 'drop' });
    await comes('all of them', () => heard.size === 6, 30 * MINUTE);
    const { length } = candles;
    await comes('candles of later', () => candles.length > length + 3);
    expect(await inTime('its end', collector.stop())).toMatchObject({ clean: true });
    expect(collector.state).toBe('stopped');
    // Nobody else is hurt.
    expect(behind).toEqual(heard);
    for (const symbol of symbols)
      expect(ofSeries(candles, symbol)).toMatchObject(
        ofSeries(stored(), symbol).map(({ openTime }) => ({ openTime })),
      );
  });

  test('hear nothing any more once they have unsubscribed, also in the middle of an event', async () => {
    const { collector, candles } = collectFrom(await startExchange());
    let calls = 0;
    const off = collector.on('candle', () => {
      calls += 1;
      off();
      off();
    });
    await collector.startStreaming();
    await until('candles', () => candles.length > 5);
    expect(calls).toBe(1);
  });
});

describe('what is given from outside', () => {
  const fail = (): never => {
    throw new Error('of mine');
  };

  test.each([
    ['a logger', { logger: { debug: fail, info: fail, warn: fail, error: fail } }],
    ['an inspector', { inspect: fail }],
  ])('L08 %s that throws ends nothing', async (_, options) => {
    const exchange = await startExchange();
    const { collector, candles, course } = collectFrom(exchange, options);
    await within('the start', collector.startStreaming());
    exchange.inject({ kind: 'malformed', every: 1, times: 3 });
    exchange.inject({ kind: 'drop' });
    await until('it streams again', () => course() === 'connecting streaming connecting streaming');
    await until('candles', () => candles.length > 4);
    expect((await collector.stop()).clean).toBe(true);
    expectWhole(candles, exchange);
  });
});

describe('the raw events of XState', () => {
  test('pass through before, while and after an inspector looks, each event once', async () => {
    const exchange = await startExchange();
    const events: InspectionEvent[] = [];
    const { collector } = collectFrom(exchange, { inspect: (event: InspectionEvent) => events.push(event) });
    const usual = ['@xstate.actor', '@xstate.event', '@xstate.microstep', '@xstate.snapshot'];
    const kinds = (): string[] => usual.filter((kind) => events.some(({ type }) => type === kind));
    await within('the start', collector.startStreaming());
    expect(kinds()).toEqual(usual);
    events.length = 0;
    {
      await using inspector = await startInspector(collector, { port: 0 });
      exchange.inject({ kind: 'drop' });
      await until('all of them', () => kinds().length === usual.length);
      expect((await fetch(new URL('/metrics', inspector.url))).status).toBe(200);
      expect(new Set(events).size).toBe(events.length);
    }
    events.length = 0;
    expect((await collector.stop()).clean).toBe(true);
    expect(kinds()).toContain('@xstate.microstep');
  });
});

describe('the actor', () => {
  test('stopped by the user ends the collector: nothing is left, and a start is refused', async () => {
    const exchange = await startExchange();
    const { collector, course } = collectFrom(exchange, { store: newStore() });
    const reading = collector.candles().next();
    await collector.startStreaming();
    collector.actor.stop();
    expect(collector.state).toBe('stopped');
    await within('the stop', collector.stop());
    await until('no socket', () => exchange.sockets() === 0);
    expect(await within('the end of the iterator', reading)).toMatchObject({ done: expect.any(Boolean) });
    await expect(within('a start', collector.startStreaming())).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'COMPONENT_FAILED',
    });
    expect(course()).toBe('connecting streaming stopped');
  });

  test('stopped by the user during the start makes the start reject and ends iterators', async () => {
    const { collector } = collectFrom(await startExchange());
    const reading = collector.candles().next();
    const starting = collector.startStreaming().catch((error: unknown) => error);
    collector.actor.stop();
    expect(await within('the start', starting)).toMatchObject({ name: 'ConnectionError' });
    expect(await within('the end of the iterator', reading)).toEqual({ done: true, value: undefined });
  });
});

describe('state events', () => {
  test('tell each change once, with its reason, in order, and match what state says', async () => {
    const exchange = await startExchange();
    const { collector, states } = collectFrom(exchange);
    const seen: boolean[] = [];
    collector.on('state', ({ to }) => seen.push(collector.state === to));
    await collector.startStreaming();
    exchange.inject({ kind: 'refuse', forMs: 300 });
    exchange.inject({ kind: 'drop' });
    await until('it streams again', () => states.length === 4);
    await collector.stop({ reason: 'done' });
    expect(states.map(({ from, to }) => `${from} → ${to}`)).toEqual([
      'initialized → connecting',
      'connecting → streaming',
      'streaming → connecting',
      'connecting → streaming',
      'streaming → stopping',
      'stopping → stopped',
    ]);
    expect(states.slice(-2).map((change) => change.reason)).toEqual(['done', 'done']);
    expect(seen).toEqual(seen.map(() => true));
  });
});
