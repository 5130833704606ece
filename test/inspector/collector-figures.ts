/** A collector of which only the figures are needed, and they may be anything. */
import { type CollectorHealth, healthOf } from '../../src/health.ts';
import { Metrics, type MetricsOptions } from '../../src/inspector/metrics/metrics.ts';
import { noCounts } from '../../src/pipeline/counters.ts';
import type { CollectorStatus, SeriesStatus } from '../../src/status.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { type CollectorVitals, RECONNECT_CAUSES } from '../../src/vitals.ts';

export const VITALS: CollectorVitals = {
  state: 'streaming',
  isConnected: true,
  mode: 'sockets',
  timeScale: 1,
  counters: { ...noCounts(), compared: 0, revised: 0, uncompared: 0 },
  rowsWaiting: 0,
  closeLag: { bounds: [100, 1_000], counts: [0, 0, 0], count: 0, sum: 0 },
  commits: { took: { bounds: [5, 50], counts: [0, 0, 0], count: 0, sum: 0 } },
  weight: { used: 0, limit: 2_400 },
  gaps: { named: 0, filled: 0, open: 0 },
  revisions: 0,
  reconnects: Object.fromEntries(
    RECONNECT_CAUSES.map((cause) => [cause, 0]),
  ) as CollectorVitals['reconnects'],
};

export const HEALTH: CollectorHealth = {
  ok: true,
  state: 'streaming',
  mode: 'sockets',
  isConnected: true,
  streams: { live: 2 },
  ailments: [],
  ailing: 0,
};

/** Nothing is owed, and the store takes everything. */
const IN_TIME: unknown = {
  pipeline: { cursor: () => ({ owedMs: () => 0, silentMs: () => 1_000 }) },
  commitTimes: { stuckMs: () => 0 },
  clock: systemClock,
};

/** Health of a collector with these series. */
export const healthOfSeries = (series: readonly SeriesStatus[]): CollectorHealth =>
  healthOf(
    { ...VITALS, series } satisfies CollectorStatus,
    VITALS,
    IN_TIME as Parameters<typeof healthOf>[2],
  );

export interface Faked {
  readonly vitals?: Partial<CollectorVitals>;
  readonly health?: Partial<CollectorHealth>;
  readonly actors?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly lateEvents?: number;
}

/** Metrics of figures that may be changed between two scrapes; `reads` tells how often they were read. */
export function metricsOf(faked: Faked, options: Partial<MetricsOptions> = {}): Metrics & { reads: number } {
  const counts = (): Map<string, Map<string, number>> =>
    new Map(
      Object.entries(faked.actors ?? {}).map(([machine, states]) => [
        machine,
        new Map(Object.entries(states)),
      ]),
    );
  const metrics = new Metrics({
    collector: {
      vitals: () => {
        counted.reads += 1;
        return { ...VITALS, ...faked.vitals };
      },
      health: () => ({ ...HEALTH, ...faked.health }),
    },
    observer: { countByState: counts, lateEvents: () => faked.lateEvents ?? 0 },
    ...options,
  });
  const counted = Object.assign(metrics, { reads: 0 });
  return counted;
}

/** What the quickest of a few scrapes took of the processor, ms: others may want it meanwhile. */
export async function quickest(
  metrics: Metrics,
  clock: HandClock,
): Promise<{ text: string; tookMs: number }> {
  let text = '';
  let tookMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    clock.time += 100;
    const before = process.cpuUsage();
    text = await metrics.text();
    const { user, system } = process.cpuUsage(before);
    tookMs = Math.min(tookMs, (user + system) / 1_000);
  }
  return { text, tookMs };
}

/** Time that a test moves. */
export class HandClock {
  time = 0;
  wall = Date.parse('2026-01-01T00:00:00Z');
  now = (): number => this.time;
  wallNow = (): number => this.wall + this.time;
  setTimeout = (): never => {
    throw new Error('nothing waits here');
  };
  clearTimeout = (): void => {};
}
