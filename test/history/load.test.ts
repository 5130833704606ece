import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigurationError, ExchangeError } from '../../src/errors.ts';
import { HistoryLoad, type HistoryOptions } from '../../src/history-load.ts';
import type { Clock } from '../../src/ports.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { folder, Memo } from '../support/collector.ts';
import { until, within } from '../support/wait.ts';
import { at, bars, from, nthsOf, part, run, ScriptedSource, SERIES, span } from './scripted-source.ts';

/** A load of sixty bars from what the source has. */
const loadOf = (source: ScriptedSource, options: Partial<HistoryOptions> = {}): HistoryLoad =>
  new HistoryLoad({ ...SERIES, ...span(0, 60), ...options }, from(source));
const lacks = (...runs: [number, number][]) => ({
  lacking: runs.map(([first, last]) => ({ ...run(first, last), reason: 'the exchange has no such bar' })),
});

describe('a load into memory', () => {
  test('gives the bars of its range in order of time, and says how it went', async () => {
    const source = new ScriptedSource(part(0, 30), part(30, 60, { blocks: [bars(30, 60, 'rest')] }));
    const load = loadOf(source).start();
    expect((await load.plan()).bars).toBe(60);
    const report = await load.done;
    expect(nthsOf(load.blocks)).toEqual(Array.from({ length: 60 }, (_, nth) => nth));
    expect(report).toMatchObject({
      outcome: 'finished',
      reason: '',
      range: span(0, 60),
      bars: { planned: 60, stored: 60, held: 0, unwritten: 0, bySource: { vision: 30, rest: 30 } },
      gaps: [],
      unreached: [],
      clean: true,
    });
    expect(report.components.map(({ name, outcome }) => `${name} ${outcome}`).sort()).toEqual([
      'archive closed',
      'memory closed',
      'rest closed',
    ]);
    expect(load.progress).toMatchObject({ state: 'stopped', barsPlanned: 60, barsDone: 60 });
    expect(source.ended).toBe('whole');
  });

  test('asks again for what lacks before it goes on, so that late bars stand where they belong', async () => {
    const source = new ScriptedSource(
      part(0, 30, { blocks: [bars(0, 30, 'vision', 4, 5, 9)], lacking: [run(4, 5), run(9)] }),
      part(30, 60),
    );
    source.confirmed = { blocks: [bars(4, 6, 'rest')], ...lacks([9, 9]), unreached: [] };
    const load = loadOf(source).start();
    const report = await load.done;
    expect(source.asked).toEqual(['plan', 'load', 'confirm 4 9']);
    expect(nthsOf(load.blocks)).toEqual(
      Array.from({ length: 60 }, (_, nth) => nth).filter((nth) => nth !== 9),
    );
    expect(report.gaps).toEqual([
      { ...SERIES, ...run(9), reason: 'the exchange has no such bar', detectedAt: expect.any(Number) },
    ]);
    expect(report).toMatchObject({
      outcome: 'finished',
      bars: { stored: 59, bySource: { vision: 57, rest: 2 } },
    });
  });

  test('names no gap behind the end of a symbol', async () => {
    const source = new ScriptedSource(part(0, 60, { blocks: [bars(0, 50)], lacking: [run(50, 59)] }));
    source.confirmed = { blocks: [], ...lacks([50, 54], [56, 59]), unreached: [], endsAt: at(53) };
    const { gaps } = await loadOf(source).start().done;
    expect(gaps).toMatchObject([run(50, 52)]);
    expect(gaps).toHaveLength(1);
  });

  test('of more than memory may hold is refused before anything is fetched', async () => {
    const source = new ScriptedSource(part(0, 60));
    const load = loadOf(source, { to: at(4_000_001) }).start();
    const { outcome, error } = await load.done;
    expect([outcome, error]).toEqual(['failed', expect.any(ConfigurationError)]);
    expect(source.asked).toEqual(['plan']);
  });
});

describe('a load that can not be finished', () => {
  test('fails with what its source has failed with', async () => {
    const broken = new ExchangeError('no way', { code: 'HTTP_500', status: 500, retryable: true });
    const load = loadOf(new ScriptedSource(part(0, 30), broken)).start();
    const report = await load.done;
    expect(report).toMatchObject({ outcome: 'failed', bars: { stored: 30 }, clean: true });
    expect(report.error).toBe(broken);
    expect(nthsOf(load.blocks)).toHaveLength(30);
  });

  test('fails when bars could not be asked for, and says which', async () => {
    const source = new ScriptedSource(part(0, 60, { blocks: [bars(0, 58)], unreached: [run(58, 59)] }));
    const report = await loadOf(source).start().done;
    expect(report).toMatchObject({ outcome: 'failed', unreached: [run(58, 59)], gaps: [] });
    expect(report.error?.message).toMatch(/^2 bars could not be asked for/);
  });

  test('tells who waits for the plan', async () => {
    const source = new ScriptedSource();
    source.refusal = new ConfigurationError([{ option: 'symbol', given: "'XUSDT'", allowed: 'one' }]);
    const load = loadOf(source).start();
    await expect(load.plan()).rejects.toBe(source.refusal);
    await expect(load.plan()).rejects.toBe(source.refusal);
    expect((await load.done).error).toBe(source.refusal);
  });
});

describe('a load that is stopped', () => {
  test('keeps what there is, ends what it fetches, and has one report', async () => {
    const source = new ScriptedSource(part(0, 30), part(30, 60));
    source.stallsAt = 1;
    const load = loadOf(source).start();
    await until('half of it is there', () => load.progress.barsDone === 30);
    const [first, second] = [load.stop({ reason: 'enough' }), load.stop({ timeoutMs: 60_000 })];
    const report = await within('the stop', first);
    expect(await second).toBe(report);
    expect(await load.stop()).toBe(report);
    expect(report).toMatchObject({ outcome: 'stopped', reason: 'enough', gaps: [], bars: { stored: 30 } });
    await until('the source has ended', () => source.ended === 'broken off');
  });

  test('before it began has done nothing', async () => {
    const source = new ScriptedSource(part(0, 60));
    const load = loadOf(source);
    expect(load.progress.state).toBe('idle');
    expect(await load.stop()).toMatchObject({ outcome: 'stopped', components: [], durationMs: 0 });
    expect((await load.start().done).outcome).toBe('stopped');
    await expect(load.plan()).rejects.toMatchObject({ code: 'STOPPED' });
    expect(source.asked).toEqual([]);
  });

  test('by the signal it was given, also by one that was aborted before', async () => {
    const source = new ScriptedSource(part(0, 60));
    source.stallsAt = 0;
    const abort = new AbortController();
    const load = loadOf(source, { signal: abort.signal }).start();
    await until('it loads', () => load.progress.state === 'loading');
    abort.abort();
    expect((await load.done).reason).toBe('aborted');
    expect((await loadOf(source, { signal: abort.signal }).start().done).reason).toBe('aborted');
  });

  test('in a block that is left by an error does not mask it', async () => {
    const source = new ScriptedSource(part(0, 60));
    source.stallsAt = 0;
    const leave = async () => {
      await using load = loadOf(source).start();
      await load.plan();
      throw new Error('mine');
    };
    await expect(leave()).rejects.toThrow('mine');
    expect(source.ended).toBe('broken off');
  });
});

describe('a load into a file', () => {
  const path = (): string => join(folder(), 'btc.csv');
  const openTimes = (file: string): number[] =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => Number(line.split(',')[0]));

  test('writes every bar in order of time, also those that came late', async () => {
    const source = new ScriptedSource(
      part(0, 30, { blocks: [bars(0, 30, 'vision', 4)], lacking: [run(4)] }),
      part(30, 60),
    );
    source.confirmed = { blocks: [bars(4, 5, 'rest')], lacking: [], unreached: [] };
    const out = path();
    const report = await loadOf(source, { out }).start().done;
    expect(report).toMatchObject({ outcome: 'finished', bars: { stored: 60 }, clean: true });
    expect(openTimes(out)).toEqual(Array.from({ length: 60 }, (_, nth) => at(nth)));
    expect(readdirSync(dirname(out))).toEqual(['btc.csv']);
  });

  test.each(['stopped', 'failed'])('that is %s leaves nothing of it', async (how) => {
    const source = new ScriptedSource(part(0, 30), how === 'failed' ? new Error('broken') : part(30, 60));
    if (how === 'stopped') source.stallsAt = 1;
    const out = path();
    const load = loadOf(source, { out }).start();
    if (how === 'stopped') {
      await until('half of it is there', () => load.progress.barsDone === 30);
      expect(existsSync(out)).toBe(false);
      void load.stop();
    }
    expect(await load.done).toMatchObject({ outcome: how, bars: { stored: 0 }, clean: true });
    expect(readdirSync(dirname(out))).toEqual([]);
  });

  test('does not replace one that is there', async () => {
    const out = path();
    await loadOf(new ScriptedSource(part(0, 60)), { out }).start().done;
    const before = readFileSync(out, 'utf8');
    const { outcome, error } = await loadOf(new ScriptedSource(part(0, 60)), { out }).start().done;
    expect([outcome, error]).toEqual(['failed', expect.objectContaining({ code: 'FILE_EXISTS' })]);
    expect(readFileSync(out, 'utf8')).toBe(before);
    await loadOf(new ScriptedSource(part(0, 30)), { out, replace: true }).start().done;
    expect(readFileSync(out, 'utf8')).not.toBe(before);
  });
});

test('a dry run plans, and writes nothing', async () => {
  const source = new ScriptedSource(part(0, 60));
  const place = folder();
  for (const options of [{ out: join(place, 'a.csv') }, { store: join(place, 'a.db') }, {}]) {
    const load = loadOf(source, { ...options, dryRun: true }).start();
    expect((await load.plan()).pieces).toHaveLength(1);
    expect((await load.done).outcome).toBe('finished');
  }
  expect(source.asked).toEqual(['plan', 'plan', 'plan']);
  expect(readdirSync(place)).toEqual([]);
});

test('L08 what is given from outside may throw, and ends nothing', async () => {
  const log = new Memo();
  const inspect = (): void => {
    throw new Error('mine');
  };
  const report = await loadOf(new ScriptedSource(part(0, 60)), { inspect, logger: log }).start().done;
  expect(report.outcome).toBe('finished');
});

test('a chart that breaks leaves nothing of a file, and says what broke it', async () => {
  const place = folder();
  const source = new ScriptedSource(part(0, 30), part(30, 60));
  source.stallsAt = 1;
  const [broken, log] = [new Error('a fault of ours'), new Memo()];
  let isBroken = false;
  const clock: Clock = {
    ...systemClock,
    now() {
      if (!isBroken) return systemClock.now();
      isBroken = false;
      throw broken;
    },
  };
  const load = loadOf(source, { out: join(place, 'btc.csv'), clock, logger: log }).start();
  await until('half of it is there', () => load.progress.barsDone === 30);
  isBroken = true;
  const report = await load.stop();
  expect(report).toMatchObject({ outcome: 'failed', error: broken, bars: { stored: 0 } });
  expect(log.lines).toContainEqual({ level: 'error', message: 'the load failed', fields: { error: broken } });
  expect(readdirSync(place)).toEqual([]);
  await until('the source has ended', () => source.ended === 'broken off');
});
