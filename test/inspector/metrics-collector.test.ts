/** What `/metrics` says of real collectors and of real actors. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { Metrics } from '../../src/inspector/metrics/metrics.ts';
import { Observer } from '../../src/inspector/observe/observer.ts';
import type { Watched } from '../../src/inspector/options.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { collectFrom, newStore, startExchange } from '../support/collector.ts';
import { until } from '../support/wait.ts';
import { HandClock, quickest } from './collector-figures.ts';
import { crowd } from './crowd.ts';
import { type Family, readExposition, sampled } from './exposition.ts';

/** Metrics of a collector and its actors, and the clock that says when they are read anew. */
function metricsOf(collector: Watched): { metrics: Metrics; clock: HandClock } {
  const observer = new Observer({ clock: systemClock, roots: [collector.actor] });
  observer.attach();
  const clock = new HandClock();
  const metrics = new Metrics({ collector, observer, clock });
  onTestFinished(() => {
    metrics.close();
    observer.detach();
  });
  return { metrics, clock };
}

/** Every counter, and every part of a histogram, by its line. */
const counted = (families: ReadonlyMap<string, Family>): Map<string, number> =>
  new Map(
    [...families.values()]
      .filter(({ name, type }) => name.startsWith('candlestate_') && type !== 'gauge')
      .flatMap(({ samples }) => samples)
      .map(({ name, labels, value }) => [`${name} ${JSON.stringify(labels)}`, value]),
  );

describe('a real collector', () => {
  test('bars, commits and states are told, and no counter ever goes back, over stop, start and drops', async () => {
    const exchange = await startExchange();
    const { collector, candles } = collectFrom(exchange, { store: newStore() });
    const { metrics, clock } = metricsOf(collector);
    const read = async (): Promise<Map<string, Family>> => {
      clock.time += 100;
      return readExposition(await metrics.text());
    };
    let before = counted(await read());
    const onwards = async (): Promise<Map<string, Family>> => {
      const families = await read();
      const after = counted(families);
      const fallen = [...before].filter(([line, value]) => (after.get(line) ?? 0) < value);
      expect(fallen, 'lines that fell or went').toEqual([]);
      before = after;
      return families;
    };

    await collector.startStreaming();
    await until('bars', () => candles.length >= 4);
    const running = await onwards();
    expect(sampled(running, 'candlestate_collector_state', { state: 'streaming' })).toBe(1);
    expect(sampled(running, 'candlestate_bars_closed_total', { source: 'stream' })).toBeGreaterThan(0);
    expect(sampled(running, 'candlestate_commit_duration_seconds_count')).toBeGreaterThan(0);
    expect(sampled(running, 'candlestate_close_lag_seconds_count')).toBeGreaterThan(0);
    expect(sampled(running, 'candlestate_last_commit_age_seconds')).toBeLessThan(60);
    expect(sampled(running, 'candlestate_kline_frames_total')).toBeGreaterThan(0);
    expect(sampled(running, 'candlestate_rest_weight_limit')).toBeGreaterThan(0);
    const connections = running
      .get('candlestate_actors')
      ?.samples.filter(({ labels, value }) => labels['machine'] === 'connection' && value > 0);
    expect(connections?.length).toBeGreaterThan(0);

    exchange.inject({ kind: 'drop' });
    const drops = (): number => collector.vitals().reconnects.closed;
    await until('the drop is counted', () => drops() > 0);
    expect(sampled(await onwards(), 'candlestate_reconnects_total', { cause: 'closed' })).toBe(drops());

    await collector.stop();
    const stopped = await onwards();
    expect(sampled(stopped, 'candlestate_collector_state', { state: 'stopped' })).toBe(1);
    expect(sampled(stopped, 'candlestate_healthy')).toBe(0);
    const held = candles.length;
    await collector.startStreaming();
    await until('bars of the second run', () => candles.length > held);
    await onwards();
  });
});

describe('a crowd', () => {
  test('ten thousand series are scraped within 50 ms, in less than 100 KB', { timeout: 30_000 }, async () => {
    const { collector } = await crowd({ streams: 10_000, bars: 1 });
    const { metrics, clock } = metricsOf(collector);
    const { text, tookMs } = await quickest(metrics, clock);
    expect(tookMs).toBeLessThan(50);
    expect(text.length).toBeLessThan(100_000);
    expect(text).not.toContain('BTCUSDT');
    const actors = readExposition(text).get('candlestate_actors')?.samples ?? [];
    const streams = actors.filter(({ labels }) => labels['machine'] === 'klineStream');
    expect(streams.reduce((sum, { value }) => sum + value, 0)).toBe(10_000);
  });
});
