/** Starting: idempotent, honest about what it reached, and possible again. */
import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { ConnectionError } from '../../src/index.ts';
import { collectFrom, newStore, optionsFor, startExchange, subscribed, watch } from '../support/collector.ts';
import { until, within } from '../support/wait.ts';

/** A port of this machine on which nobody listens now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('startStreaming', () => {
  test('L05 called ten times at once opens one socket and resolves for every caller', async () => {
    const exchange = await startExchange();
    const { collector, course } = collectFrom(exchange);
    await Promise.all(Array.from({ length: 10 }, () => collector.startStreaming()));
    expect(course()).toBe('connecting streaming');
    expect(exchange.log().filter((entry) => entry.kind === 'open')).toHaveLength(1);
    expect(subscribed(exchange)).toHaveLength(2);
  });

  test('rejects with a ConnectionError after connectTimeoutMs, is stopped, and works when the exchange is there', async () => {
    const port = await freePort();
    const urls = { wsUrl: `ws://127.0.0.1:${port}`, restUrl: `http://127.0.0.1:${port}`, timeScale: 300 };
    const { collector, states, problems } = watch(
      optionsFor(urls, { connectTimeoutMs: 1_500, store: newStore() }),
    );
    const began = performance.now();
    const error: unknown = await collector.startStreaming().catch((thrown: unknown) => thrown);
    const took = performance.now() - began;
    expect(took).toBeGreaterThanOrEqual(1_495);
    expect(took).toBeLessThan(2_000);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: 'CONNECT_TIMEOUT', retryable: true });
    expect((error as Error).message).toMatch(/1500 ms.*cannot be reached/u);
    await until('it is stopped', () => collector.state === 'stopped', 1_000);
    expect(states.map((change) => change.to)).toEqual(['connecting', 'stopping', 'stopped']);
    expect(states.at(-1)?.reason).toBe('connect timeout');
    expect(problems.map((problem) => problem.message)).toEqual([(error as Error).message]);
    await startExchange({ port });
    await collector.startStreaming();
    expect(collector.isConnected).toBe(true);
  });

  test('is in state stopped by the time its rejection is heard', async () => {
    const port = await freePort();
    const urls = { wsUrl: `ws://127.0.0.1:${port}`, restUrl: `http://127.0.0.1:${port}`, timeScale: 1 };
    const { collector } = watch(optionsFor(urls, { connectTimeoutMs: 100 }));
    const state = await collector.startStreaming().catch(() => collector.state);
    expect(state).toBe('stopped');
  });

  test('with connectTimeoutMs never waits for an exchange that comes later', async () => {
    const port = await freePort();
    const urls = { wsUrl: `ws://127.0.0.1:${port}`, restUrl: `http://127.0.0.1:${port}`, timeScale: 300 };
    const { collector, log } = watch(optionsFor(urls, { connectTimeoutMs: 'never' }));
    const starting = collector.startStreaming();
    await until('the trouble is said', () =>
      log.lines.some((line) => line.level === 'warn' && /cannot be asked/u.test(line.message)),
    );
    await startExchange({ port });
    await within('the start', starting);
    expect(collector.state).toBe('streaming');
  });

  test('L05 while stopping rejects with the code STOPPING, and the stop goes on', async () => {
    const exchange = await startExchange();
    const { collector, course } = collectFrom(exchange);
    await collector.startStreaming();
    const stopping = collector.stop();
    await expect(collector.startStreaming()).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'STOPPING',
    });
    expect((await stopping).clean).toBe(true);
    expect(course()).toBe('connecting streaming stopping stopped');
  });

  test('waiting while another caller stops rejects with the code STOPPED and the reason', async () => {
    const exchange = await startExchange();
    exchange.inject({ kind: 'hangHandshake' });
    const { collector } = collectFrom(exchange);
    const starts = [collector.startStreaming(), collector.startStreaming()].map((start) =>
      start.catch((error: unknown) => error),
    );
    await until('it dials', () => exchange.log().some((entry) => entry.kind === 'handshake'));
    await collector.stop({ reason: 'changed my mind' });
    for (const error of await Promise.all(starts)) {
      expect(error).toMatchObject({ code: 'STOPPED' });
      expect((error as Error).message).toContain('changed my mind');
    }
  });

  test('L09 of two collectors in one process leaves each its own', async () => {
    const [first, second] = [await startExchange({ seed: 1 }), await startExchange({ seed: 2 })];
    const one = collectFrom(first, { symbols: ['BTCUSDT'], store: newStore() });
    const two = collectFrom(second, { symbols: ['ETHUSDT', 'SOLUSDT'], bufferSize: 2 });
    await Promise.all([one.collector.startStreaming(), two.collector.startStreaming()]);
    await until('candles of both', () => one.candles.length > 3 && two.candles.length > 7);
    await one.collector.stop();
    expect(two.collector.isConnected).toBe(true);
    const before = two.candles.length;
    await until('the other goes on', () => two.candles.length > before + 2);
    expect(new Set(one.candles.map((candle) => candle.symbol))).toEqual(new Set(['BTCUSDT']));
    expect(new Set(two.candles.map((candle) => candle.symbol))).toEqual(new Set(['ETHUSDT', 'SOLUSDT']));
    expect(subscribed(first)).toEqual(['btcusdt@kline_1m']);
    expect(subscribed(second)).toEqual(['ethusdt@kline_1m', 'solusdt@kline_1m']);
    // Of the buffers each has its own size; of the log each its own lines, and who is stopped says nothing more.
    expect(one.collector.getCandleBuffer('BTCUSDT', '1m').length).toBeGreaterThan(2);
    expect(two.collector.getCandleBuffer('ETHUSDT', '1m')).toHaveLength(2);
    expect(two.log.lines.some(({ message }) => message.includes('stopping'))).toBe(false);
    const { length } = one.log.lines;
    second.inject({ kind: 'drop' });
    await until('the other says so', () => two.log.lines.some(({ level }) => level === 'warn'));
    expect(one.log.lines).toHaveLength(length);
  });

  test('takes symbols in lower case and gives them back in upper case', async () => {
    const exchange = await startExchange();
    const { collector, candles } = collectFrom(exchange, { symbols: ['btcusdt'] });
    await collector.startStreaming();
    await until('a candle', () => candles.length > 0);
    expect(candles[0]?.symbol).toBe('BTCUSDT');
    expect(collector.getCandleBuffer('btcUsdt', '1m')).toEqual(collector.getCandleBuffer('BTCUSDT', '1m'));
    expect(subscribed(exchange)).toEqual(['btcusdt@kline_1m']);
  });
});
