/** A long history takes its share of the weight, and no more. */
import { expect, test } from 'vitest';
import { expectKept } from '../oracle/kept.ts';
import { watch } from '../oracle/watch.ts';
import { collectFrom, newStore, ofSeries, startExchange } from '../support/collector.ts';
import { until } from '../support/wait.ts';

const YEAR = 365 * 86_400_000;
const LIMIT = 200;

test('H15 a year of history is fetched while others are live: their bars are not late, and its weight is its share', async () => {
  const timeScale = 240;
  const exchange = await startExchange({ timeScale, weightLimit: LIMIT, symbols: ['BTCUSDT', 'ETHUSDT'] });
  const store = newStore();
  // One lives from now on, the other has a year to fetch first: two collectors, whose weight is one.
  const beside = collectFrom(exchange, { store: newStore(), symbols: ['BTCUSDT'] });
  const { collector, candles } = collectFrom(exchange, { store, symbols: ['ETHUSDT'], backfillMs: YEAR });
  const observed = watch(collector, exchange, { store, backfillMs: YEAR });
  const lateness: number[] = [];
  beside.collector.on('candle', (candle) => {
    if (candle.source === 'stream') lateness.push(exchange.now() - candle.closeTime);
  });
  await Promise.all([beside.collector.startStreaming(), collector.startStreaming()]);
  await until('live bars beside the backfill', () => lateness.length >= 12);
  const live = ofSeries(beside.candles, 'BTCUSDT').filter((candle) => candle.source === 'stream');
  expect(live.length).toBeGreaterThanOrEqual(10);
  // The exchange itself closes a bar up to 2 s late, and it shares its processor with whoever asks for a year.
  const late = lateness.sort((one, other) => one - other)[Math.floor(lateness.length * 0.9)];
  expect(late).toBeLessThan(2_000 + 400 * timeScale);
  const weights = new Map<number, number>();
  const refused = exchange.log().filter((entry) => entry.status === 429);
  for (const { wallMs, weight = 0 } of exchange.log()) {
    const minute = Math.floor((Date.now() - (performance.now() - wallMs)) / 60_000);
    weights.set(minute, (weights.get(minute) ?? 0) + weight);
  }
  expect(refused).toEqual([]);
  // Half of it is for history; what is live asks little.
  expect(Math.max(...weights.values())).toBeLessThanOrEqual(LIMIT * 0.6);
  expect(ofSeries(candles, 'ETHUSDT').length, 'history comes meanwhile').toBeGreaterThan(5_000);
  await beside.collector.stop();
  observed.calm();
  expectKept(await observed.finish());
});
