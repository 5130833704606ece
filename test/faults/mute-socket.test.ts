/** Streams that stay mute on a socket that is open, acknowledged and answers pings. */
import { expect, test } from 'vitest';
import type { SeriesStatus } from '../../src/index.ts';
import { expectKept } from '../oracle/kept.ts';
import { ofSeries } from '../support/collector.ts';
import { until } from '../support/wait.ts';
import { scene } from './scene.ts';

test('P01 a stream that is acknowledged and brings nothing is mute, never live, and complete by REST', async () => {
  const one = await scene();
  one.exchange.inject({ kind: 'mute', streams: ['btcusdt@kline_1m'] });
  await one.collector.startStreaming();
  const seen = new Set<SeriesStatus['state']>();
  const look = (): SeriesStatus['state'] => {
    const { state } = one.collector.status().series.find(({ symbol }) => symbol === 'BTCUSDT')!;
    seen.add(state);
    return state;
  };
  await until('it is mute', () => look() === 'mute');
  await until('its bars come', () => look() !== undefined && ofSeries(one.candles, 'BTCUSDT').length > 4);
  expect([...seen]).not.toContain('live');
  expect([...seen]).not.toContain('quiet');
  one.exchange.clearFaults();
  await until('it speaks', () => ['live', 'repairing'].includes(look()));
  await one.expectKept();
});

test('P02 streams that do not resume after a reconnect are mute, each by itself, and recover by themselves', async () => {
  const symbols = Array.from({ length: 40 }, (_, index) => `S${index}USDT`);
  const intervals = ['1m', '5m', '1h'] as const;
  const muted = symbols
    .slice(0, 10)
    .flatMap((symbol) => intervals.map((interval) => `${symbol.toLowerCase()}@kline_${interval}`));
  const one = await scene({ exchange: { timeScale: 60, symbols }, collector: { symbols, intervals } });
  const { collector, exchange } = one;
  const having = (state: SeriesStatus['state']): number =>
    collector.status().series.filter((series) => series.state === state).length;
  await collector.startStreaming();
  await until('all are live', () => having('live') === 120, 20_000);
  exchange.inject({ kind: 'mute', streams: muted });
  exchange.inject({ kind: 'drop' });
  await until('the socket is gone', () => collector.state === 'connecting');
  await until('it is back', () => collector.isConnected);
  await until('thirty are mute', () => having('mute') === 30, 20_000);
  exchange.clearFaults();
  await until('all are live again', () => having('live') === 120, 20_000);
  one.observed.calm();
  // No hour has passed: of those series there is no bar yet.
  expectKept(await one.observed.finish(), 0);
}, 60_000);
