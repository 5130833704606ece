/** What counts as streaming: proof that data can flow, and nothing less. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { ConnectionError } from '../../src/index.ts';
import { collectFrom, expectWhole, newStore, startExchange, storedCandles } from '../support/collector.ts';
import { until } from '../support/wait.ts';

/** Well within an hour's bar. */
const MORNING = Date.UTC(2026, 0, 5, 10, 5);

/** An exchange that acknowledges and is mute, and whose bar ends between two readings of it. */
async function startMuteAtBarEnd(): Promise<{
  wsUrl: string;
  restUrl: string;
  timeScale: number;
  readings(): number;
}> {
  const bar = (openTime: number, count: number): unknown[] => [
    openTime,
    '1',
    '1',
    '1',
    '1',
    '1',
    openTime + 59_999,
    '1',
    count,
    '1',
    '1',
    '0',
  ];
  let readings = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://mute');
    const isFirst = readings % 2 === 0;
    if (url.pathname === '/fapi/v1/klines') readings += 1;
    const old = MORNING - 60_000;
    const rows = url.searchParams.has('startTime') ? [bar(old, 9), bar(MORNING, 0)] : [bar(MORNING, 0)];
    const bodies: Record<string, unknown> = {
      '/fapi/v1/exchangeInfo': {
        symbols: [{ symbol: 'BTCUSDT', status: 'TRADING', contractType: 'PERPETUAL' }],
      },
      '/fapi/v1/time': { serverTime: MORNING },
      '/fapi/v1/klines': isFirst ? [bar(old, 5)] : rows,
    };
    response.end(JSON.stringify(bodies[url.pathname]));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const { id } = JSON.parse(data.toString()) as { id: number };
      socket.send(JSON.stringify({ result: null, id }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  return { wsUrl: `ws://${host}`, restUrl: `http://${host}`, timeScale: 1, readings: () => readings };
}

describe('streaming', () => {
  test('is never said of a mute exchange whose last trades fell just before a bar without any', async () => {
    const exchange = await startMuteAtBarEnd();
    const { collector, course } = collectFrom(exchange, { symbols: ['BTCUSDT'], connectTimeoutMs: 1_200 });
    await expect(collector.startStreaming()).rejects.toThrow(/mute/u);
    expect(exchange.readings()).toBeGreaterThanOrEqual(2);
    expect(course()).toBe('connecting stopping stopped');
  });

  test('is never said of an exchange that acknowledges and is mute; the start rejects and names it', async () => {
    const exchange = await startExchange({ timeScale: 60, startTime: MORNING });
    exchange.inject({ kind: 'mute' });
    const { collector, course } = collectFrom(exchange, { connectTimeoutMs: 1_500 });
    const error: unknown = await collector.startStreaming().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: 'CONNECT_TIMEOUT' });
    expect((error as Error).message).toMatch(/mute/u);
    expect(course()).toBe('connecting stopping stopped');
    exchange.clearFaults();
    await collector.startStreaming();
    expect(collector.isConnected).toBe(true);
  });

  test('is said of symbols that do not trade once REST shows it, and their bars close flat', async () => {
    const startTime = Date.UTC(2026, 0, 5, 10, 3, 0);
    const symbols = ['BTCUSDT', 'ETHUSDT'];
    const exchange = await startExchange({ timeScale: 60, symbols, quietSymbols: symbols, startTime });
    const store = newStore();
    // The 5m bars end after two seconds of wall time: no frame comes before.
    const { collector, candles } = collectFrom(exchange, { symbols, intervals: ['5m'], store });
    await collector.startStreaming();
    expect(collector.isConnected).toBe(true);
    expect(collector.status().counters.klines).toBe(0);
    const states = (): string[] => collector.status().series.map((one) => one.state);
    await until('REST has shown it of each', () => states().every((state) => state === 'quiet'));
    await until('flat bars', () => candles.length >= 2);
    await collector.stop();
    for (const candle of storedCandles(store)) {
      const { open, high, low, close, volume, count, openTime } = candle;
      expect([high, low, close, volume, count]).toEqual([open, open, open, 0, 0]);
      expect({ ...candle, source: 'rest' }).toEqual(exchange.truth.candle(candle.symbol, '5m', openTime));
    }
    expect(storedCandles(store)[0]?.openTime).toBe(Date.UTC(2026, 0, 5, 10, 0, 0));
  });

  test('is said without an acknowledgement when data comes: data counts as proof', async () => {
    const exchange = await startExchange();
    exchange.inject({ kind: 'noAck' });
    const { collector, candles } = collectFrom(exchange);
    await collector.startStreaming();
    expect(collector.isConnected).toBe(true);
    await until('candles', () => candles.length > 4);
    expect(exchange.log().filter((entry) => entry.kind === 'open')).toHaveLength(1);
    await collector.stop();
    expectWhole(candles, exchange);
  });

  test('is not said of a socket whose subscription was refused; it dials again and says why', async () => {
    const exchange = await startExchange();
    exchange.inject({ kind: 'errorAck', code: 2, msg: 'Invalid request: unknown property', times: 2 });
    const { collector, log, candles } = collectFrom(exchange);
    await collector.startStreaming();
    expect(exchange.log().filter((entry) => entry.kind === 'open')).toHaveLength(3);
    expect(log.lines.some((line) => /unknown property/u.test(String(line.fields['reason'])))).toBe(true);
    await until('candles', () => candles.length > 4);
    await collector.stop();
    expectWhole(candles, exchange);
  });

  test('is taken back when the exchange goes mute, and said again when it speaks', async () => {
    const exchange = await startExchange({ timeScale: 60, startTime: MORNING });
    const { collector, states } = collectFrom(exchange, { intervals: ['1h'] });
    await collector.startStreaming();
    exchange.inject({ kind: 'mute' });
    await until('it is connecting', () => collector.state === 'connecting');
    expect(states.at(-1)?.reason).toMatch(/mute/u);
    expect(collector.isConnected).toBe(false);
    const again = collector.startStreaming();
    exchange.clearFaults();
    await again;
    expect(collector.isConnected).toBe(true);
    expect(states.map((change) => change.to)).toEqual(['connecting', 'streaming', 'connecting', 'streaming']);
  });

  test('is said while one of two sockets is down, and connected is not: that says all of them', async () => {
    const exchange = await startExchange();
    const { collector, candles } = collectFrom(exchange, { streamsPerSocket: 1 });
    await collector.startStreaming();
    await until('all are up', () => collector.status().mode === 'sockets');
    expect([collector.isConnected, collector.status().isConnected]).toEqual([true, true]);
    exchange.inject({ kind: 'refuse', status: 503 });
    const socket = exchange.log().findLast((entry) => entry.text?.includes('@kline_'))!.socket!;
    exchange.inject({ kind: 'drop', sockets: socket });
    await until('one is down', () => collector.status().mode === 'mixed');
    expect(collector.state).toBe('streaming');
    expect([collector.isConnected, collector.status().isConnected]).toEqual([false, false]);
    const since = exchange.now();
    await until('bars of both', () =>
      ['BTCUSDT', 'ETHUSDT'].every((symbol) =>
        candles.some((one) => one.symbol === symbol && one.openTime > since),
      ),
    );
    exchange.clearFaults();
    await until('all are up again', () => collector.isConnected && collector.status().isConnected);
    expect(collector.status().mode).toBe('sockets');
    await collector.stop();
    expectWhole(candles, exchange);
  });

  test('survives a symbol that is quiet among others that trade', async () => {
    const symbols = ['BTCUSDT', 'ETHUSDT'];
    const exchange = await startExchange({ symbols, quietSymbols: ['ETHUSDT'] });
    const { collector, candles, course } = collectFrom(exchange, { symbols });
    await collector.startStreaming();
    await until(
      'candles of both',
      () => candles.length > 8 && candles.some((one) => one.symbol === 'ETHUSDT'),
    );
    await collector.stop();
    expectWhole(candles, exchange, symbols, 2);
    expect(course()).toBe('connecting streaming stopping stopped');
  });
});
