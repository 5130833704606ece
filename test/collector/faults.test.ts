/** Faults of the exchange: whatever it does, the series is whole, true and delivered once afterwards. */
import { describe, expect, test } from 'vitest';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { expectWholeAfter, streaming } from '../faults/collected.ts';
import { startExchange } from '../support/collector.ts';
import { until } from '../support/wait.ts';

/** A bar each 250 ms: its close is owed two bars later, and REST is asked for it. */
const startBusy = (): Promise<SimulatedExchange> => startExchange({ timeScale: 240 });

const opens = (exchange: SimulatedExchange): number =>
  exchange.log().filter((entry) => entry.kind === 'open').length;

describe('the series is whole after', () => {
  test.each([
    ['a connection that breaks', {}],
    ['a close frame with 1001', { code: 1001, reason: 'going away' }],
    ['a close frame with 1008', { code: 1008, reason: 'Pong timeout' }],
  ])('%s', async (_, how) => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    exchange.inject({ kind: 'drop', ...how });
    await until('a second socket', () => opens(exchange) === 2);
    await until('it streams again', () => watched.collector.isConnected);
    await expectWholeAfter(exchange, watched);
    expect(watched.course()).toBe('connecting streaming connecting streaming stopping stopped');
  });

  test('a connection that is half-open: silence is noticed and it dials again', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    exchange.inject({ kind: 'halfOpen' });
    await until('the state says so', () => watched.collector.state === 'connecting');
    expect(watched.collector.isConnected).toBe(false);
    await until('it streams again', () => watched.collector.isConnected);
    // Only now does the exchange see the end of the old one.
    exchange.clearFaults();
    await expectWholeAfter(exchange, watched);
    expect(watched.log.lines.some((line) => /half-open/u.test(String(line.fields['reason'])))).toBe(true);
  });

  test('a mute exchange that goes on answering pings: bars close by REST meanwhile', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    exchange.inject({ kind: 'mute' });
    await until('the state says so', () => watched.collector.state === 'connecting');
    const before = watched.candles.length;
    await until('bars close by REST', () => watched.candles.length >= before + 4);
    expect(watched.collector.state).toBe('connecting');
    expect(watched.candles.at(-1)?.source).toBe('rest');
    exchange.clearFaults();
    await until('it streams again', () => watched.collector.isConnected);
    await expectWholeAfter(exchange, watched);
    expect(watched.course()).toBe('connecting streaming connecting streaming stopping stopped');
    expect(watched.log.lines.some((line) => /mute/u.test(String(line.fields['reason'])))).toBe(true);
  });

  test('refused handshakes: it backs off, dials again, and says connecting meanwhile', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    exchange.inject({ kind: 'refuse', status: 503, times: 5 });
    exchange.inject({ kind: 'drop' });
    await until('the state says so', () => watched.collector.state === 'connecting');
    await until('it streams again', () => watched.collector.isConnected);
    const refused = exchange.log().filter((entry) => entry.kind === 'handshake' && entry.status === 503);
    expect(refused).toHaveLength(5);
    await expectWholeAfter(exchange, watched);
  });

  test('malformed frames among the good ones: they are counted, and the socket is kept', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    exchange.inject({ kind: 'malformed', every: 2 });
    const before = watched.candles.length;
    await until('candles all the same', () => watched.candles.length >= before + 4);
    exchange.clearFaults();
    expect(watched.collector.status().counters.malformed).toBeGreaterThan(5);
    expect(opens(exchange)).toBe(1);
    await expectWholeAfter(exchange, watched);
    expect(watched.course()).toBe('connecting streaming stopping stopped');
  });

  test('closes that never came: they are fetched', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    exchange.inject({ kind: 'closes', mode: 'omit', times: 4 });
    await until('bars by REST', () => watched.candles.filter((one) => one.source === 'rest').length >= 4);
    expect(watched.collector.isConnected).toBe(true);
    await expectWholeAfter(exchange, watched);
    expect(watched.course()).toBe('connecting streaming stopping stopped');
  });

  test('closes that came late, after they were fetched', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    exchange.inject({ kind: 'closes', mode: 'delay', delayMs: 300_000, times: 4 });
    await until('late closes', () => watched.collector.status().counters.duplicates >= 4);
    await expectWholeAfter(exchange, watched);
  });

  test('everything at once', async () => {
    const exchange = await startBusy();
    const watched = await streaming(exchange);
    exchange.inject({ kind: 'closes', mode: 'omit', times: 3 });
    exchange.inject({ kind: 'malformed', every: 3, times: 10 });
    exchange.inject({ kind: 'rest', status: 500, times: 3 });
    exchange.inject({ kind: 'refuse', status: 0, times: 2 });
    exchange.inject({ kind: 'drop' });
    await until('it dialled three times', () => opens(exchange) === 2);
    exchange.inject({ kind: 'closes', mode: 'duplicate', times: 4 });
    exchange.inject({ kind: 'halfOpen' });
    await until('it noticed', () => opens(exchange) === 3);
    await until('it streams again', () => watched.collector.isConnected);
    exchange.clearFaults();
    await expectWholeAfter(exchange, watched);
  });
});
