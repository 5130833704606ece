import { expect, test } from 'vitest';
import { collectFrom, expectWhole, newStore, startExchange, storedCandles } from '../support/collector.ts';
import { until } from '../support/wait.ts';

test('P01 a stream that is acknowledged and brings nothing is mute, never live, and complete by REST', async () => {
  const exchange = await startExchange({ timeScale: 240 });
  exchange.inject({ kind: 'mute', streams: ['btcusdt@kline_1m'] });
  const store = newStore();
  const { collector, candles, log } = collectFrom(exchange, { store });
  await collector.startStreaming();
  const states = new Set<string>();
  const state = () => {
    const s = collector.status().series.find((x) => x.symbol === 'BTCUSDT')!.state;
    states.add(s);
    return s;
  };
  await until('mute', () => state() === 'mute');
  await until('bars', () => {
    state();
    return candles.filter((c) => c.symbol === 'BTCUSDT').length > 4;
  });
  expect(states.has('live')).toBe(false);
  expect(states.has('quiet')).toBe(false);
  exchange.clearFaults();
  await until('live', () => ['live', 'repairing'].includes(state()));
  await collector.stop();
  expectWhole(candles, exchange);
  expectWhole(storedCandles(store), exchange);
});
test('P02 streams that do not resume after a reconnect are mute, each by itself, and recover by themselves', async () => {
  const symbols = Array.from({ length: 40 }, (_, i) => `S${i}USDT`);
  const exchange = await startExchange({ timeScale: 60, symbols });
  const muted = symbols
    .slice(0, 10)
    .flatMap((s) => ['1m', '5m', '1h'].map((i) => `${s.toLowerCase()}@kline_${i}`));
  const { collector, candles } = collectFrom(exchange, { symbols, intervals: ['1m', '5m', '1h'] });
  await collector.startStreaming();
  await until('all live', () => collector.status().series.every((s) => s.state === 'live'), 20_000);
  exchange.inject({ kind: 'mute', streams: muted });
  exchange.inject({ kind: 'drop' });
  await until('gone', () => collector.state === 'connecting');
  await until('back', () => collector.isConnected);
  await until(
    'mute',
    () => collector.status().series.filter((s) => s.state === 'mute').length === 30,
    20_000,
  );
  exchange.clearFaults();
  await until('all live', () => collector.status().series.every((s) => s.state === 'live'), 20_000);
  await collector.stop();
  expectWhole(
    candles.filter((c) => c.interval === '1m'),
    exchange,
    symbols,
  );
}, 60_000);
