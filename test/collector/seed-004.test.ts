/** The eight behaviours of seed 004: the WebSocket connection. See docs/seeds.md. */
import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { HOSTS, MARKET_STREAM_PATH } from '../../src/binance/venue.ts';
import { ConnectionError } from '../../src/index.ts';
import { resolveOptions } from '../../src/options.ts';
import { collectFrom, optionsFor, startExchange, subscribed, watch } from '../support/collector.ts';

const plain = { symbols: ['BTCUSDT', 'ETHUSDT'], intervals: ['1m', '5m'] };

describe('startStreaming', () => {
  test('goes to the testnet when told so', () => {
    expect(resolveOptions({ ...plain, network: 'testnet' }).urls).toEqual(HOSTS.testnet);
    // Not the seed's stream.binancefuture.com, which has gone.
    expect(HOSTS.testnet.wsUrl).toBe('wss://demo-fstream.binance.com');
    expect(HOSTS.testnet.restUrl).toBe('https://demo-fapi.binance.com');
  });

  test('goes to the mainnet unless told otherwise', () => {
    expect(resolveOptions(plain).urls).toEqual(HOSTS.mainnet);
    expect(resolveOptions({ ...plain, network: 'mainnet' }).urls).toEqual(HOSTS.mainnet);
    expect(HOSTS.mainnet.wsUrl).toBe('wss://fstream.binance.com');
    expect(HOSTS.mainnet.restUrl).toBe('https://fapi.binance.com');
  });

  test('opens one socket on the market route, where klines come', async () => {
    const exchange = await startExchange();
    const { collector } = collectFrom(exchange);
    await collector.startStreaming();
    const opens = exchange.log().filter((entry) => entry.kind === 'open');
    expect(opens.map((entry) => entry.path)).toEqual(['/market/stream']);
    expect(MARKET_STREAM_PATH).toBe('/market/stream');
  });

  test('names streams in lower case and intervals as they are', async () => {
    const exchange = await startExchange();
    const { collector } = collectFrom(exchange, {
      symbols: ['ethusdt', 'BTCUSDT'],
      intervals: ['1m', '1M', '1h'],
    });
    await collector.startStreaming();
    expect(subscribed(exchange)).toEqual([
      'ethusdt@kline_1m',
      'ethusdt@kline_1M',
      'ethusdt@kline_1h',
      'btcusdt@kline_1m',
      'btcusdt@kline_1M',
      'btcusdt@kline_1h',
    ]);
  });

  test('subscribes to each pair of symbol and interval, and what comes is handled', async () => {
    const exchange = await startExchange();
    const { collector } = collectFrom(exchange, { intervals: ['1m', '5m'] });
    const seen = new Set<string>();
    const all = new Promise<void>((resolve) => {
      collector.on('update', (candle) => {
        seen.add(`${candle.symbol}@${candle.interval}`);
        if (seen.size === 4) resolve();
      });
    });
    await collector.startStreaming();
    await all;
    expect([...seen].sort()).toEqual(['BTCUSDT@1m', 'BTCUSDT@5m', 'ETHUSDT@1m', 'ETHUSDT@5m']);
    expect(subscribed(exchange)).toHaveLength(4);
  });

  test('is in state streaming when it resolves, and connecting before', async () => {
    const exchange = await startExchange();
    const { collector, states } = collectFrom(exchange);
    const starting = collector.startStreaming();
    expect(collector.state).toBe('connecting');
    expect(collector.isConnected).toBe(false);
    await starting;
    expect(collector.state).toBe('streaming');
    expect(collector.isConnected).toBe(true);
    expect(states.map(({ from, to }) => `${from} ${to}`)).toEqual([
      'initialized connecting',
      'connecting streaming',
    ]);
  });

  test('rejects with a ConnectionError that has a cause, and logs it, when there is no connection', async () => {
    const exchange = await startExchange();
    const nobody = createServer();
    await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve));
    const { port } = nobody.address() as { port: number };
    await new Promise((resolve) => nobody.close(resolve));
    const network = { wsUrl: `ws://127.0.0.1:${port}`, restUrl: exchange.restUrl };
    const { collector, log } = watch(optionsFor(exchange, { network, connectTimeoutMs: 300 }));
    const error: unknown = await collector.startStreaming().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: 'CONNECT_TIMEOUT', retryable: true });
    expect(String((error as Error).cause)).toMatch(/ECONNREFUSED/u);
    expect((error as Error).message).toMatch(/ECONNREFUSED/u);
    expect(log.lines.filter((line) => line.level === 'error').map((line) => line.message)).toContainEqual(
      (error as Error).message,
    );
  });

  test('called again while it streams does nothing and says so in the log', async () => {
    const exchange = await startExchange();
    const { collector, log } = collectFrom(exchange);
    await collector.startStreaming();
    await collector.startStreaming();
    await collector.startStreaming();
    expect(subscribed(exchange)).toEqual(['btcusdt@kline_1m', 'ethusdt@kline_1m']);
    expect(exchange.log().filter((entry) => entry.kind === 'open')).toHaveLength(1);
    expect(log.lines.filter((line) => line.message === 'already started')).toHaveLength(2);
  });

  test('subscribes once to each of 3 symbols × 4 intervals, in one message', async () => {
    const exchange = await startExchange();
    const symbols = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
    const { collector } = collectFrom(exchange, { symbols, intervals: ['1m', '3m', '15m', '4h'] });
    await collector.startStreaming();
    expect(subscribed(exchange)).toHaveLength(12);
    expect(new Set(subscribed(exchange)).size).toBe(12);
    const messages = exchange.log().filter((entry) => entry.kind === 'message');
    expect(messages).toHaveLength(1);
  });
});
