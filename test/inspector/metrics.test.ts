/** What `/metrics` says of figures that are known. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { MACHINES_MAX, PAIRS_MAX } from '../../src/inspector/metrics/actor-states.ts';
import type { SeriesStatus } from '../../src/status.ts';
import { RECONNECT_CAUSES } from '../../src/vitals.ts';
import { type Faked, HandClock, healthOfSeries, metricsOf, quickest, VITALS } from './collector-figures.ts';
import { type Family, readExposition, sampled } from './exposition.ts';

async function scraped(faked: Faked = {}): Promise<Map<string, Family>> {
  const metrics = metricsOf(faked, { version: '1.2.3', clock: new HandClock() });
  return readExposition(await metrics.text());
}

const ours = (families: ReadonlyMap<string, Family>): Family[] =>
  [...families.values()].filter(({ name }) => name.startsWith('candlestate_'));

/** Values by the one label of a family. */
const byLabel = (
  families: ReadonlyMap<string, Family>,
  name: string,
  label: string,
): Record<string, number> =>
  Object.fromEntries(families.get(name)?.samples.map(({ labels, value }) => [labels[label], value]) ?? []);

describe('the text', () => {
  test('is of the format, counters end in _total, and each HELP is a sentence', async () => {
    const families = await scraped({ actors: { connection: { waiting: 1 } } });
    expect(ours(families).length).toBeGreaterThan(25);
    for (const { name, type, help } of ours(families)) {
      expect(help, name).toMatch(/^[A-Z].{10,}[.]$/u);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      expect(name, 'base units').not.toMatch(/_ms|millis|minutes/u);
    }
  });

  test('times are in seconds, and what is not known has no line', async () => {
    const before = await scraped();
    for (const name of ['last_frame_age_seconds', 'last_commit_age_seconds', 'exchange_time_seconds'])
      expect(before.get(`candlestate_${name}`)?.samples, name).toEqual([]);
    const clock = new HandClock();
    const after = await scraped({
      vitals: {
        lastFrameAgeMs: 1_500,
        commits: { ...VITALS.commits, lastAgoMs: 20 },
        exchangeTime: clock.wallNow() + 250,
      },
    });
    expect(sampled(after, 'candlestate_last_frame_age_seconds')).toBe(1.5);
    expect(sampled(after, 'candlestate_last_commit_age_seconds')).toBe(0.02);
    expect(sampled(after, 'candlestate_exchange_time_seconds')).toBe((clock.wallNow() + 250) / 1000);
    expect(sampled(after, 'candlestate_exchange_clock_offset_seconds')).toBe(0.25);
  });

  test('a distribution becomes a histogram: cumulative, in seconds, with all that lies above', async () => {
    const took = { bounds: [5, 50, 250], counts: [3, 2, 0, 1], count: 6, sum: 1_234.5, last: 900 };
    const families = await scraped({ vitals: { commits: { took } } });
    const name = 'candlestate_commit_duration_seconds';
    expect(families.get(name)?.samples.map(({ labels, value }) => [labels['le'], value])).toEqual([
      ['0.005', 3],
      ['0.05', 5],
      ['0.25', 5],
      ['+Inf', 6],
      [undefined, 1.2345],
      [undefined, 6],
    ]);
  });

  test('every state and every cause has a line from the start', async () => {
    const families = await scraped({ vitals: { state: 'connecting', mode: 'rest' }, health: { ok: false } });
    expect(byLabel(families, 'candlestate_collector_state', 'state')).toEqual({
      initialized: 0,
      connecting: 1,
      streaming: 0,
      stopping: 0,
      stopped: 0,
    });
    expect(byLabel(families, 'candlestate_collector_mode', 'mode')).toEqual({
      sockets: 0,
      mixed: 0,
      rest: 1,
      none: 0,
    });
    expect(Object.keys(byLabel(families, 'candlestate_streams', 'state')).sort()).toEqual(
      ['awaiting', 'live', 'mute', 'off', 'quiet', 'repairing', 'retired', 'waiting'].sort(),
    );
    const none = Object.fromEntries(RECONNECT_CAUSES.map((cause) => [cause, 0]));
    expect(byLabel(families, 'candlestate_reconnects_total', 'cause')).toEqual(none);
    expect(sampled(families, 'candlestate_healthy')).toBe(0);
    expect(sampled(families, 'candlestate_build_info', { version: '1.2.3' })).toBe(1);
  });

  test('counts go where they belong', async () => {
    const names = Object.keys(VITALS.counters);
    const counters = Object.fromEntries(names.map((name, i) => [name, i + 1])) as typeof VITALS.counters;
    const families = await scraped({ vitals: { counters } });
    expect(sampled(families, 'candlestate_frames_total')).toBe(counters.frames);
    expect(sampled(families, 'candlestate_kline_frames_total')).toBe(counters.klines);
    const { ignored, foreign, malformed, late, ended } = counters;
    const discarded = byLabel(families, 'candlestate_frames_discarded_total', 'reason');
    expect(discarded).toEqual({ ignored, foreign, malformed, late, ended });
    const { closedByStream: stream, closedByRest: rest, closedByArchive: vision } = counters;
    const closed = byLabel(families, 'candlestate_bars_closed_total', 'source');
    expect(closed).toEqual({ stream, rest, vision });
    const { duplicates: duplicate, insane, refused } = counters;
    const bars = byLabel(families, 'candlestate_bars_discarded_total', 'reason');
    expect(bars).toEqual({ duplicate, insane, refused });
    expect(sampled(families, 'candlestate_bars_compared_total')).toBe(counters.compared);
    expect(sampled(families, 'candlestate_bars_uncompared_total')).toBe(counters.uncompared);
  });

  test('figures of the process are there, the delay of the event loop among them', async () => {
    const families = await scraped();
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'process_start_time_seconds',
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_heap_size_used_bytes',
      'nodejs_gc_duration_seconds',
    ])
      expect(families.has(name), name).toBe(true);
    const delay = sampled(families, 'nodejs_eventloop_lag_p99_seconds');
    expect(delay).toBeGreaterThanOrEqual(0);
    expect(delay).toBeLessThan(60);
  });
});

describe('X14', () => {
  test('X14: a hundred thousand symbols make /metrics no larger and no slower', async () => {
    const series = Array.from({ length: 100_000 }, (_, i): SeriesStatus => {
      const state = i % 3 === 0 ? 'mute' : 'live';
      return { symbol: `FAKE${i}USDT`, interval: '1m', state, closed: i, stored: i };
    });
    const states = new Map([
      ['open(proof.live series.whole)', 66_666],
      ['open(proof.mute.waiting series.whole)', 33_334],
    ]);
    const clock = new HandClock();
    const metrics = metricsOf(
      {},
      {
        collector: { vitals: () => VITALS, health: () => healthOfSeries(series) },
        observer: { countByState: () => new Map([['klineStream', states]]), lateEvents: () => 0 },
        clock,
      },
    );
    const { text, tookMs } = await quickest(metrics, clock);
    expect(text).not.toContain('FAKE');
    expect(text.length).toBeLessThan(100_000);
    expect(tookMs).toBeLessThan(50);
    const families = readExposition(text);
    expect(sampled(families, 'candlestate_streams', { state: 'mute' })).toBe(33_334);
    expect(sampled(families, 'candlestate_ailments')).toBe(33_334);
  });

  test('X14: machines and states of which there is no end are counted as other', async () => {
    const states = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`s${i}`.repeat(30), 2]));
    const actors = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`m${i}`, states]));
    const text = await metricsOf({ actors }).text();
    expect(text.length).toBeLessThan(100_000);
    const samples = readExposition(text).get('candlestate_actors')?.samples ?? [];
    expect(samples.length).toBeLessThanOrEqual(PAIRS_MAX + MACHINES_MAX + 1);
    expect(samples.reduce((sum, { value }) => sum + value, 0)).toBe(100 * 1_000 * 2);
    expect(samples.filter(({ labels }) => labels['state'] === 'other').length).toBeGreaterThan(0);
  });

  test('X14: a state that nobody is in any more goes to 0, and keeps its line', async () => {
    const faked: { actors: Record<string, Record<string, number>> } = {
      actors: { connection: { opening: 3 } },
    };
    const clock = new HandClock();
    const metrics = metricsOf(faked, { clock });
    await metrics.text();
    faked.actors = { connection: { live: 3 } };
    clock.time += 1_000;
    const families = readExposition(await metrics.text());
    expect(byLabel(families, 'candlestate_actors', 'state')).toEqual({ opening: 0, live: 3 });
  });

  test('names that would break the text are escaped', async () => {
    const families = await scraped({ actors: { 'a"b\\c\nd': { '{x}': 1 } } });
    expect(sampled(families, 'candlestate_actors', { machine: 'a"b\\c\nd', state: '{x}' })).toBe(1);
  });
});

describe('a scrape', () => {
  test('between two of them nothing is read, and many at once share one reading', async () => {
    const clock = new HandClock();
    const metrics = metricsOf({}, { clock });
    expect(metrics.reads).toBe(0);
    const texts = await Promise.all(Array.from({ length: 50 }, () => metrics.text()));
    expect([metrics.reads, new Set(texts).size]).toEqual([1, 1]);
    await metrics.text();
    expect(metrics.reads).toBe(1);
    clock.time += 100;
    await metrics.text();
    expect(metrics.reads).toBe(2);
  });

  test('what can not be read is an error for those who asked, and the next scrape reads anew', async () => {
    const clock = new HandClock();
    let isBroken = true;
    const vitals = () => {
      if (isBroken) throw new Error('no figures');
      return VITALS;
    };
    const health = () => healthOfSeries([]);
    const metrics = metricsOf({}, { clock, collector: { vitals, health } });
    await expect(metrics.text()).rejects.toThrow('no figures');
    isBroken = false;
    clock.time += 100;
    expect(readExposition(await metrics.text()).has('candlestate_healthy')).toBe(true);
  });

  test('once closed it has let go of the collector, and tells of the process alone', async () => {
    const metrics = metricsOf({});
    metrics.close();
    metrics.close();
    const families = readExposition(await metrics.text());
    expect(ours(families)).toEqual([]);
    expect(families.has('process_cpu_seconds_total')).toBe(true);
    expect(metrics.reads).toBe(0);
  });

  test('made and closed again and again, nothing is left, and the process ends by itself', () => {
    const program = `
      import perf from 'node:perf_hooks';
      let made = 0;
      const real = perf.monitorEventLoopDelay;
      perf.monitorEventLoopDelay = (...args) => { made += 1; return real(...args); };
      const { register } = (await import('prom-client')).default;
      const { metricsOf } = await import('./test/inspector/collector-figures.ts');
      for (let i = 0; i < 50; i++) { const metrics = metricsOf({}); await metrics.text(); metrics.close(); }
      const text = await metricsOf({}).text();
      console.log(made, register.getMetricsAsArray().length, / Nan$| 9223372036/m.test(text));
    `;
    const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
    const output = execFileSync(process.execPath, args, {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
      timeout: 10_000,
    });
    expect(output).toBe('1 0 false\n');
  });
});
