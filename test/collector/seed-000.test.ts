/** The nineteen behaviours of seed 000: lifecycle and graceful shutdown. See docs/seeds.md. */
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BinanceDataCollector } from '../../src/index.ts';
import {
  collectFrom,
  expectWhole,
  newStore,
  optionsFor,
  startExchange,
  storedCandles,
} from '../support/collector.ts';
import { TOLERANCE_MS, timed, until, within } from '../support/wait.ts';

describe('isConnected', () => {
  test('is false before startStreaming', async () => {
    const { collector } = collectFrom(await startExchange());
    expect(collector.isConnected).toBe(false);
    expect(collector.state).toBe('initialized');
  });

  test('is true once startStreaming has resolved', async () => {
    const exchange = await startExchange();
    const { collector } = collectFrom(exchange);
    await collector.startStreaming();
    expect(collector.isConnected).toBe(true);
    expect(exchange.sockets()).toBe(1);
  });

  test('is false after stop', async () => {
    const { collector } = collectFrom(await startExchange());
    await collector.startStreaming();
    await collector.stop();
    expect(collector.isConnected).toBe(false);
  });
});

describe('stop', () => {
  test('called again gives the same report and does nothing', async () => {
    const { collector, states } = collectFrom(await startExchange());
    await collector.startStreaming();
    const report = await collector.stop();
    const changes = states.length;
    expect(await collector.stop({ reason: 'again' })).toBe(report);
    expect(await collector.stop()).toBe(report);
    expect(report.reason).toBe('asked');
    expect(states).toHaveLength(changes);
  });

  test('closes the socket with a closing handshake', async () => {
    const exchange = await startExchange();
    const { collector } = collectFrom(exchange);
    await collector.startStreaming();
    const report = await collector.stop();
    expect(report.clean).toBe(true);
    expect(report.components.map((line) => [line.name, line.outcome])).toEqual([
      ['feed0', 'closed'],
      ['rest', 'closed'],
      ['store', 'closed'],
    ]);
    await until('the exchange sees no socket', () => exchange.sockets() === 0);
    const closes = exchange.log().filter((entry) => entry.kind === 'close');
    expect(closes.map((entry) => entry.code)).toEqual([1000]);
  });

  test('leaves the candle buffers readable', async () => {
    const { collector, candles } = collectFrom(await startExchange());
    await collector.startStreaming();
    await until('a candle of both', () => new Set(candles.map((candle) => candle.symbol)).size === 2);
    const { buffers } = await collector.stop();
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
      const kept = collector.getCandleBuffer(symbol, '1m');
      expect(kept).toEqual(candles.filter((candle) => candle.symbol === symbol));
      expect(buffers[`${symbol}@1m`]).toBe(kept.length);
    }
  });

  test('keeps its deadline when the exchange never answers the close, and says what it forced', async () => {
    const exchange = await startExchange();
    const { collector } = collectFrom(exchange);
    await collector.startStreaming();
    exchange.inject({ kind: 'noCloseAnswer' });
    const { value: report, took } = await timed(collector.stop({ timeoutMs: 300 }));
    expect(took).toBeLessThan(300 + TOLERANCE_MS);
    expect(report.clean).toBe(false);
    expect(report.components[0]).toMatchObject({ name: 'feed0', outcome: 'forced' });
    await until('the exchange sees no socket', () => exchange.sockets() === 0);
  });

  test('works when there has never been a socket', async () => {
    const { collector, course } = collectFrom(await startExchange());
    const report = await collector.stop();
    expect(report).toMatchObject({ reason: 'asked', clean: true, components: [], unwritten: 0 });
    expect(collector.state).toBe('stopped');
    expect(course()).toBe('stopped');
  });

  test('reports how many candles each buffer holds, and logs its end', async () => {
    const { collector, candles, log } = collectFrom(await startExchange(), { intervals: ['1m', '3m'] });
    await collector.startStreaming();
    await until('some candles', () => candles.length > 6);
    const { buffers } = await collector.stop();
    expect(Object.keys(buffers)).toEqual(['BTCUSDT@1m', 'BTCUSDT@3m', 'ETHUSDT@1m', 'ETHUSDT@3m']);
    expect(Object.values(buffers).reduce((sum, size) => sum + size, 0)).toBe(candles.length);
    const ends = log.lines.filter((line) => line.level === 'info' && /→ stopped/u.test(line.message));
    expect(ends).toHaveLength(1);
  });

  test('goes on with the rest when the socket breaks while it is closed', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const { collector, candles } = collectFrom(exchange, { store });
    await collector.startStreaming();
    await until('a candle', () => candles.length > 0);
    exchange.inject({ kind: 'noCloseAnswer' });
    const stopping = collector.stop({ timeoutMs: 2_000 });
    exchange.inject({ kind: 'drop' });
    const report = await within('the stop', stopping, 2_500);
    expect(report.components.map((line) => line.name)).toEqual(expect.arrayContaining(['rest', 'store']));
    expect(report.components.filter((line) => line.outcome === 'failed')).toEqual([]);
    expect(report.unwritten).toBe(0);
    expect(storedCandles(store)).toHaveLength(candles.length);
  });

  test('ends in state stopped, by way of stopping', async () => {
    const { collector, states } = collectFrom(await startExchange());
    await collector.startStreaming();
    const stopping = collector.stop({ reason: 'enough' });
    expect(collector.state).toBe('stopping');
    expect(collector.isConnected).toBe(false);
    await stopping;
    expect(collector.state).toBe('stopped');
    expect(states.slice(-2)).toEqual([
      { from: 'streaming', to: 'stopping', reason: 'enough' },
      { from: 'stopping', to: 'stopped', reason: 'enough' },
    ]);
  });
});

describe('await using', () => {
  test('binds the collector itself, not started', async () => {
    const exchange = await startExchange();
    const made = new BinanceDataCollector(optionsFor(exchange));
    await using collector = made;
    expect(collector).toBe(made);
    expect(collector.state).toBe('initialized');
    expect(exchange.log()).toEqual([]);
  });

  test('stops the collector at the end of the block', async () => {
    const exchange = await startExchange();
    let kept: BinanceDataCollector;
    {
      await using collector = new BinanceDataCollector(optionsFor(exchange));
      kept = collector;
      await collector.startStreaming();
    }
    expect(kept.state).toBe('stopped');
    expect((await kept.stop()).reason).toBe('disposed');
  });

  test('stops the collector also when an error leaves the block', async () => {
    const exchange = await startExchange();
    let kept: BinanceDataCollector | undefined;
    const block = async (): Promise<void> => {
      await using collector = new BinanceDataCollector(optionsFor(exchange));
      kept = collector;
      await collector.startStreaming();
      throw new Error('of the block');
    };
    await block().catch(() => {});
    expect(kept?.state).toBe('stopped');
    await until('the exchange sees no socket', () => exchange.sockets() === 0);
  });

  test('does not mask the error that leaves the block, however the stop goes', async () => {
    const exchange = await startExchange();
    const thrown = new TypeError('of the block');
    const block = async (): Promise<void> => {
      await using collector = new BinanceDataCollector(optionsFor(exchange, { stopTimeoutMs: 300 }));
      await collector.startStreaming();
      exchange.inject({ kind: 'noCloseAnswer' });
      throw thrown;
    };
    await expect(block()).rejects.toBe(thrown);
  });

  test('carries a whole life: start, candles, end', async () => {
    const exchange = await startExchange();
    const seen: string[] = [];
    {
      await using collector = new BinanceDataCollector(optionsFor(exchange));
      collector.on('state', ({ to }) => seen.push(to));
      await collector.startStreaming();
      let count = 0;
      for await (const candle of collector.candles({ symbol: 'BTCUSDT' })) {
        expectWhole([candle], exchange, ['BTCUSDT']);
        count += 1;
        if (count === 3) break;
      }
    }
    expect(seen).toEqual(['connecting', 'streaming', 'stopping', 'stopped']);
    await until('the exchange sees no socket', () => exchange.sockets() === 0);
  });
});

describe('start and stop together', () => {
  test('a life from start to stop leaves no socket, no request and no stream behind', async () => {
    const exchange = await startExchange();
    const { collector, candles, course } = collectFrom(exchange);
    await collector.startStreaming();
    await until('candles', () => candles.length > 4);
    await collector.stop();
    await until('the exchange sees no socket', () => exchange.sockets() === 0);
    expect(course()).toBe('connecting streaming stopping stopped');
    const { series } = collector.status();
    expect(series.map((one) => one.state)).toEqual(['off', 'off']);
    const delivered = candles.length;
    exchange.clearLog();
    const later = exchange.now() + 5 * 60_000;
    await until('five bars later', () => exchange.now() > later);
    expect(exchange.log()).toEqual([]);
    expect(candles).toHaveLength(delivered);
  });

  test('stopped with candles in its buffers, they are there and true afterwards', async () => {
    const exchange = await startExchange();
    const { collector, candles } = collectFrom(exchange, { bufferSize: 3 });
    await collector.startStreaming();
    await until('more candles than the buffers hold', () => candles.length > 10);
    await collector.stop();
    const kept = collector.getCandleBuffer('BTCUSDT', '1m');
    expect(kept).toHaveLength(3);
    expectWhole(kept, exchange, ['BTCUSDT'], 3);
  });

  test('used as in the manual, a collector that cannot connect is let go and the error is heard', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const urls = { wsUrl: `ws://127.0.0.1:${port}`, restUrl: `http://127.0.0.1:${port}`, timeScale: 1 };
    let kept: BinanceDataCollector | undefined;
    const use = async (): Promise<void> => {
      await using collector = new BinanceDataCollector(optionsFor(urls, { connectTimeoutMs: 200 }));
      kept = collector;
      await collector.startStreaming();
    };
    await expect(within('the error', use(), 1_500)).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' });
    expect(kept?.state).toBe('stopped');
  });
});
