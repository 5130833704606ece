/** What counts as an ailment, of series whose state is made up. */
import { describe, expect, test } from 'vitest';
import { healthOf, OVERDUE_MS, STORE_STUCK_MS } from '../../src/health.ts';
import { BinanceDataCollector } from '../../src/index.ts';
import { CommitTimes } from '../../src/pipeline/commit-times.ts';
import type { Pipeline } from '../../src/pipeline/pipeline.ts';
import type { CollectorStatus, SeriesStatus } from '../../src/status.ts';
import { rig } from '../pipeline/candles.ts';
import { FakeClock } from '../transport/fake-clock.ts';

const SYMBOLS = Array.from({ length: 30 }, (_, index) => `S${index}USDT`);
const series = SYMBOLS.map((symbol) => ({ symbol, interval: '1m' as const }));
const idle = new BinanceDataCollector({ symbols: ['BTCUSDT'], intervals: ['1m'] });

/** The health of a collector whose first series are so, and of which all are owed a bar for so long. */
function healthWith(
  states: readonly Partial<SeriesStatus>[],
  {
    owedMs = 0,
    status = {},
    triedMs,
  }: { owedMs?: number; status?: Partial<CollectorStatus>; triedMs?: number } = {},
) {
  const clock = new FakeClock();
  const one = rig({ series });
  const pipeline: Pipeline = one.pipeline;
  for (const each of series) {
    const cursor = pipeline.cursor(each)!;
    Object.assign(cursor, { onEdge: () => {}, heardSince: 0 });
    if (owedMs > 0) pipeline.startAt(each, 0);
  }
  pipeline.scan();
  const commitTimes = new CommitTimes();
  if (triedMs !== undefined) commitTimes.begin(0);
  clock.freeze(triedMs ?? Math.max(owedMs, 1_000));
  const all = series.slice(0, states.length).map((each, index) => ({
    ...each,
    state: 'live' as const,
    closed: 0,
    stored: 0,
    ...states[index],
  }));
  const now: CollectorStatus = {
    ...idle.status(),
    state: 'streaming',
    mode: 'sockets',
    series: all,
    ...status,
  };
  return healthOf(now, idle.vitals(), { pipeline, commitTimes, clock });
}
const many = (count: number, state: SeriesStatus['state']) =>
  Array.from({ length: count }, () => ({ state }));

describe('an ailment', () => {
  test('is none while a bar is owed no longer than its repair may take', () => {
    expect(healthWith([{ state: 'repairing' }], { owedMs: OVERDUE_MS })).toMatchObject({ ok: true });
    expect(healthWith([{ state: 'repairing' }], { owedMs: OVERDUE_MS + 1 })).toMatchObject({
      ok: false,
      ailments: [{ series: 'S0USDT@1m', problem: 'overdue', forMs: OVERDUE_MS + 1 }],
    });
  });

  test.each(['live', 'quiet', 'awaiting', 'repairing'] as const)('is none for being %s', (state) => {
    expect(healthWith([{ state }])).toMatchObject({ ok: true, ailing: 0, streams: { [state]: 1 } });
  });

  test.each([
    { state: 'retired' },
    { state: 'waiting' },
    { state: 'repairing', isHalted: true },
    { state: 'mute', isHalted: true },
  ] as const)('is none of a series that owes nothing: %j', (state) => {
    expect(healthWith([state], { owedMs: 10 * OVERDUE_MS })).toMatchObject({ ok: true, ailing: 0 });
  });

  test('of a series is one: overdue is worse than mute', () => {
    const { ailing, ailments } = healthWith(many(2, 'mute'), { owedMs: 2 * OVERDUE_MS });
    expect([ailing, ailments.map(({ problem }) => problem)]).toEqual([2, ['overdue', 'overdue']]);
  });

  test('is named, twenty at most, and every one is counted', () => {
    const { ailing, ailments, ok } = healthWith(many(30, 'mute'));
    expect([ok, ailing, ailments.length]).toEqual([false, 30, 20]);
  });

  test('is a store whose oldest batch is tried for long, but not one with nothing to write', () => {
    const triedMs = STORE_STUCK_MS + 1;
    expect(healthWith([], { triedMs, status: { rowsWaiting: 3 } })).toMatchObject({
      ok: false,
      ailing: 1,
      ailments: [{ problem: 'store', forMs: triedMs }],
    });
    expect(healthWith([], { triedMs, status: { rowsWaiting: 0 } })).toMatchObject({ ok: true });
    expect(healthWith([], { triedMs: STORE_STUCK_MS, status: { rowsWaiting: 3 } })).toMatchObject({
      ok: true,
    });
  });

  test.each(['initialized', 'connecting', 'stopping', 'stopped'] as const)(
    'or not: %s is no promise being kept',
    (state) => {
      expect(healthWith([{ state: 'live' }], { status: { state } })).toMatchObject({ ok: false, ailing: 0 });
    },
  );
});
