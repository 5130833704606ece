/** Whether the promise is being kept now: what `/healthz` answers. */
import type { CollectorMode, CollectorState, CollectorStatus, SeriesStatus } from './status.ts';
import type { CollectorVitals } from './vitals.ts';

/** A series of which the promise is not being kept. */
export interface Ailment {
  /** `BTCUSDT@1m`. */
  readonly series: string;
  /** `mute`: its symbol trades and its frames stay out; `overdue`: a bar is owed and could not be repaired in time. */
  readonly problem: 'mute' | 'overdue';
  /** Since when, wall ms. */
  readonly forMs: number;
}

export interface CollectorHealth {
  /** Streaming, and no series mute or overdue beyond its repair. */
  readonly ok: boolean;
  readonly state: CollectorState;
  readonly mode: CollectorMode;
  /** How many series are in which state. */
  readonly streams: Readonly<Partial<Record<SeriesStatus['state'], number>>>;
  /** Since the newest kline frame of any series, wall ms; absent: none has come. */
  readonly lastFrameAgeMs?: number;
  /** The first 20. */
  readonly ailments: readonly Ailment[];
  /** How many there are. */
  readonly ailing: number;
}

const AILMENTS_MAX = 20;

export function healthOf(status: CollectorStatus, vitals: CollectorVitals): CollectorHealth {
  const streams: Partial<Record<SeriesStatus['state'], number>> = {};
  const ailments: Ailment[] = [];
  for (const { symbol, interval, state } of status.series) {
    streams[state] = (streams[state] ?? 0) + 1;
    if (state === 'mute') ailments.push({ series: `${symbol}@${interval}`, problem: 'mute', forMs: 0 });
  }
  return {
    ok: status.state === 'streaming' && ailments.length === 0,
    state: status.state,
    mode: status.mode,
    streams,
    ...(vitals.lastFrameAgeMs === undefined ? {} : { lastFrameAgeMs: vitals.lastFrameAgeMs }),
    ailments: ailments.slice(0, AILMENTS_MAX),
    ailing: ailments.length,
  };
}
