/** Whether the promise is being kept now: what `/healthz` answers. */
import { seriesKey } from '../machines/model/kline.ts';
import type { CollectorMode, CollectorState, CollectorStatus, SeriesStatus } from './status.ts';
import type { CollectorVitals } from './vitals.ts';
import type { Wired } from './wire.ts';

/** Something for which the promise is not being kept. */
export interface Ailment {
  /** `BTCUSDT@1m`; absent: all of them, as with `store`. */
  readonly series?: string;
  /**
   * `mute`: its symbol trades and its frames stay out, or cannot be understood; REST keeps it complete. `overdue`: one and
   * the same bar is owed for a minute. `store`: rows wait, and none could be committed for ten seconds.
   */
  readonly problem: 'mute' | 'overdue' | 'store';
  /** Since when, wall ms: since its last frame; since the bar was owed; since the rows were first tried. */
  readonly forMs: number;
}

export interface CollectorHealth {
  /** Streaming, no series mute or overdue beyond its repair, and the store takes what comes. */
  readonly ok: boolean;
  readonly state: CollectorState;
  readonly mode: CollectorMode;
  /** Every socket is proved. */
  readonly isConnected: boolean;
  /** How many series are in which state. */
  readonly streams: Readonly<Partial<Record<SeriesStatus['state'], number>>>;
  /** Since the newest kline frame of any series, wall ms; absent: none has come. */
  readonly lastFrameAgeMs?: number;
  /** The first 20, that of the store before those of series. */
  readonly ailments: readonly Ailment[];
  /** How many there are; of a series one. */
  readonly ailing: number;
}

const AILMENTS_MAX = 20;

/**
 * One bar owed for longer than this is beyond its repair, wall ms. A hole is asked for within the second, and named after
 * 30 s at the latest when REST lacks it; as much again is for what has to wait for the weight of the next minute. Every
 * bar that comes begins anew, so the longest backfill is not overdue while it comes on.
 */
export const OVERDUE_MS = 60_000;

/** A candle that is not committed is not delivered: so long may a batch be tried, wall ms. One takes some 50. */
export const STORE_STUCK_MS = 10_000;

export function healthOf(
  status: CollectorStatus,
  vitals: CollectorVitals,
  { pipeline, commitTimes, clock }: Pick<Wired, 'pipeline' | 'commitTimes' | 'clock'>,
): CollectorHealth {
  const now = clock.now();
  const streams: Partial<Record<SeriesStatus['state'], number>> = {};
  const ailments: Ailment[] = [];
  let ailing = 0;
  const note = (ailment: Ailment): void => {
    ailing += 1;
    if (ailments.length < AILMENTS_MAX) ailments.push({ ...ailment, forMs: Math.round(ailment.forMs) });
  };

  const stuckMs = status.rowsWaiting > 0 ? commitTimes.stuckMs(now) : 0;
  if (stuckMs > STORE_STUCK_MS) note({ problem: 'store', forMs: stuckMs });
  for (const one of status.series) {
    const { state } = one;
    streams[state] = (streams[state] ?? 0) + 1;
    const cursor = pipeline.cursor(one);
    if (cursor === undefined || one.isHalted || !COLLECTED.has(state)) continue;
    const owedMs = cursor.owedMs(now);
    if (owedMs > OVERDUE_MS) note({ series: seriesKey(one), problem: 'overdue', forMs: owedMs });
    else if (state === 'mute') note({ series: seriesKey(one), problem: 'mute', forMs: cursor.silentMs(now) });
  }
  return {
    ok: status.state === 'streaming' && ailing === 0,
    state: status.state,
    mode: status.mode,
    isConnected: status.isConnected,
    streams,
    ...(vitals.lastFrameAgeMs === undefined ? {} : { lastFrameAgeMs: vitals.lastFrameAgeMs }),
    ailments,
    ailing,
  };
}

/** Of a series in another state nothing is owed now: it is not running, does not trade yet, or has ended. */
const COLLECTED: ReadonlySet<SeriesStatus['state']> = new Set([
  'awaiting',
  'live',
  'quiet',
  'mute',
  'repairing',
]);
